"""Trackers, their sources and clones, groups and tags: finding, registering and giving up."""
