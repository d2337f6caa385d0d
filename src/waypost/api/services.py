"""What actions may use. The runtime fills it once, before the API listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waypost.accounts.service import Accounts
    from waypost.bus.base import Bus
    from waypost.commands.queue import CommandQueue
    from waypost.fleet.service import Fleet
    from waypost.location.locator import Locator
    from waypost.settings import Settings
    from waypost.sms.inbound import Inbound
    from waypost.store.engine import Database
    from waypost.store.points import Points


@dataclass(slots=True, kw_only=True)
class Services:
    """One per process."""

    settings: Settings
    database: Database
    bus: Bus
    accounts: Accounts
    points: Points
    fleet: Fleet
    commands: CommandQueue
    #: Where SMS and reports on them come in; None: nowhere.
    sms: Inbound | None = None
    #: Positions by cells and Wi-Fi; None: not here.
    locator: Locator | None = None
    #: What ``/readyz`` asks besides the database: name -> is it well?
    health: dict[str, Callable[[], bool]] = field(default_factory=dict)
