"""What actions may use. The runtime fills it once, before the API listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from waypost.accounts.model import User
    from waypost.accounts.service import Accounts
    from waypost.bus.base import Bus
    from waypost.settings import Settings
    from waypost.store.engine import Database


class TrackerFacts(Protocol):
    """What the registry asks of a tracker before an action gets it. ``fleet`` gives the real one
    (``TrackerRow``), with more."""

    @property
    def id(self) -> int: ...
    @property
    def clone(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def corrupted(self) -> bool: ...
    @property
    def deleted(self) -> bool: ...
    @property
    def model(self) -> str: ...
    @property
    def connected_at(self) -> int | None: ...


class Trackers(Protocol):
    """How the registry finds the tracker that a call names."""

    async def user_tracker(self, user: User, tracker_id: int) -> TrackerFacts | None:
        """A tracker that this user sees (a sub-user: only bound ones), deleted ones not. A
        corrupted one is returned and marked. None: does not exist, or is another account's."""

    async def dealer_tracker(self, dealer_id: int, tracker_id: int) -> TrackerFacts | None:
        """A tracker of one of this dealer's users, deleted and corrupted ones too."""


@dataclass(slots=True)
class Services:
    """One per process."""

    settings: Settings
    database: Database
    bus: Bus
    accounts: Accounts
    #: The rest is there in a running server; tests of accounts alone leave it out.
    points: Any = None
    trackers: Trackers | None = None
    fleet: Any = None
    commands: Any = None
    ingest: Any = None
    #: What ``/readyz`` asks besides the database: name -> is it well?
    health: dict[str, Callable[[], bool]] = field(default_factory=dict)
