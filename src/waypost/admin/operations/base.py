"""What operations work with."""

from __future__ import annotations

from dataclasses import dataclass

from waypost.accounts.service import Accounts
from waypost.bus.base import Bus
from waypost.fleet.service import Fleet
from waypost.gateway.tap import Tap
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.points import Points


@dataclass(slots=True)
class Admin:
    """A running server's own parts, or ones opened for the occasion."""

    settings: Settings
    database: Database
    bus: Bus
    points: Points
    accounts: Accounts
    fleet: Fleet
    #: The bytes kept of devices; None: no gateway runs in this process.
    tap: Tap | None = None
