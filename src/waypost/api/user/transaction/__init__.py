"""A user's money."""
