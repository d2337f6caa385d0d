"""Users, as their dealer sees them."""
