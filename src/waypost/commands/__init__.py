"""The outgoing queue: commands for devices, from the request to the device's answer."""

from waypost.commands.queue import Attempt, CommandQueue

__all__ = ["Attempt", "CommandQueue"]
