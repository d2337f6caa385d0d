"""How a dealer can pay for the platform."""
