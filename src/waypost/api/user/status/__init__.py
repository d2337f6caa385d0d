"""``status/*``: working statuses."""
