"""Waypost: an open, self-hosted GPS tracking platform."""

__version__ = "0.1.0"
