"""How a user can pay."""
