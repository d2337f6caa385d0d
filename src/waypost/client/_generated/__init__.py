"""Written by scripts/make_client.py."""
