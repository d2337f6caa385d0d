"""Sub-dealers."""
