"""The dealer, as its users see it."""
