"""Registration plugins."""
