"""WebSockets beside the API: live events and the device console."""

from waypost.live.server import Live

__all__ = ["Live"]
