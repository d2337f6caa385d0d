"""Sub-users, their security groups and trackers."""
