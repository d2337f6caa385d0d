"""Tariffs, as their dealer sees them."""
