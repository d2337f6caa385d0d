"""What an operation is, and what it works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from waypost.accounts.service import Accounts
from waypost.bus.base import Bus
from waypost.fleet.service import Fleet
from waypost.gateway.tap import Tap
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.points import Points

Say = Callable[[Any], Awaitable[None]]
"""Tells whoever asked how far it is: plain JSON values."""


class AdminError(Exception):
    """The operation cannot be done; the text says why, to a person."""


@dataclass(slots=True)
class Admin:
    """What operations work with: a running server's own parts, or ones opened for the occasion."""

    settings: Settings
    database: Database
    bus: Bus
    points: Points
    accounts: Accounts
    fleet: Fleet
    #: The bytes kept of devices; None: no gateway runs in this process.
    tap: Tap | None = None


class Operation(msgspec.Struct, tag_field="command", forbid_unknown_fields=True, kw_only=True):
    """A request: its parameters are its fields, its tag is the command's name on the wire."""

    async def run(self, admin: Admin, say: Say) -> Any:
        """Does it; the result is plain JSON values. Raises :class:`AdminError`, or
        :class:`~waypost.refusal.Refused` with a code of the catalog."""
        raise NotImplementedError
