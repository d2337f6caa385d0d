"""``tag/*``: words to find trackers by."""
