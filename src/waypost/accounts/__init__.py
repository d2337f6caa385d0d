"""Dealers, panel accounts, users, sub-users, sessions, API keys, rights."""
