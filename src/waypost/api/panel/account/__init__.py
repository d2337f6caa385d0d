"""Log-in to the panel."""
