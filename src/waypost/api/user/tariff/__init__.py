"""Tariffs, as users see them."""
