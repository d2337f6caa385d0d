"""Equipment for bundles."""
