"""``tracker/*`` of the panel: the trackers of all users of a dealer."""
