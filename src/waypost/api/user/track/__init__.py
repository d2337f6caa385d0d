"""``track/*``: where trackers were."""
