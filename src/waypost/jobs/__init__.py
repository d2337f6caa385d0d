"""What happens by itself, in one process of a cluster at a time."""
