"""Gateways for messages."""
