"""Telling the rest of the platform what changed in the fleet.

A write collects what it touches in :class:`Changes` and announces it once, after its commit.
"""

from __future__ import annotations

from waypost.bus.base import Bus


def device_subject(device_id: str) -> str:
    """Bus subject of a device id (hex, since an id may hold dots)."""
    return f"fleet.device.{device_id.encode().hex()}"


def device_of(subject: str) -> str:
    """The device id of a subject made by :func:`device_subject`."""
    return bytes.fromhex(subject.rpartition(".")[2]).decode()


class Changes:
    """What a write touched."""

    __slots__ = ("commands", "devices", "mails", "sms", "sources", "users")

    def __init__(self) -> None:
        #: Accounts whose trackers, groups or tags changed.
        self.users: set[int] = set()
        #: Sources that changed.
        self.sources: set[int] = set()
        #: Device ids that were registered or given up.
        self.devices: set[str] = set()
        #: Sources that there are new commands for.
        self.commands: set[int] = set()
        #: Sources that something is to go out for by SMS.
        self.sms: set[int] = set()
        #: Sources that e-mails are to go out about.
        self.mails: set[int] = set()

    def publish(self, bus: Bus) -> None:
        for user_id in self.users:
            bus.publish(f"fleet.user.{user_id}")
        for source_id in self.sources:
            bus.publish(f"fleet.source.{source_id}")
        for device_id in self.devices:
            bus.publish(device_subject(device_id))
        for source_id in self.commands:
            bus.publish(f"command.{source_id}")
        for source_id in self.sms:
            bus.publish(f"sms.{source_id}")
        for source_id in self.mails:
            bus.publish(f"mail.{source_id}")
