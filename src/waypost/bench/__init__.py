"""Measures a real server over real sockets; what ``waypost bench`` and ``make bench`` run."""
