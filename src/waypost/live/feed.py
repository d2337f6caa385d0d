"""What several clients follow alike: some of the trackers of one user.

A feed numbers the changes of its sources and remembers for each source only its newest number. A
subscription remembers up to which number it was told, so that news costs the same for one client
and for thousands: whoever reads slowly, or wants batches, gets the newest state of each source
once, however often it changed meanwhile, and nothing is kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from waypost.accounts.model import User
from waypost.fleet.rows import TrackerRow
from waypost.fleet.trackers import Garage
from waypost.live.sources import Source, Sources

if TYPE_CHECKING:
    from waypost.live.events import Events
    from waypost.live.subscription import Subscription

#: What is shared between clients for a moment: so many messages, and so long (seconds).
SHARED, SHARED_FOR = 64, 0.25
#: Trackers whose blocking, unblocking or end is remembered for clients that read slowly.
LIVES = 10_000


class Choice(msgspec.Struct, frozen=True):
    """Which of the trackers that a user sees: all but some, those of a list, those with tags."""

    all: bool = False
    trackers: frozenset[int] = frozenset()
    tags: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.all or bool(self.trackers or self.tags)

    def of(self, garage: Garage) -> Iterable[TrackerRow]:
        """The trackers that are meant."""
        if self.all:
            return [row for row in garage.trackers if row.id not in self.excluded]
        by_id = garage.by_id
        found = {one: by_id[one] for one in sorted(self.trackers) if one in by_id}
        if self.tags:
            for row in garage.trackers:
                if any(binding.tag_id in self.tags for binding in row.tag_bindings):
                    found[row.id] = row
        return found.values()

    def more(self, other: Choice) -> Choice:
        return Choice(
            self.all or other.all,
            self.trackers | other.trackers,
            self.tags | other.tags,
            frozenset() if other.all else self.excluded - other.trackers,
        )

    def less(self, other: Choice) -> Choice:
        if other.all:
            return Choice()
        excluded = self.excluded | other.trackers if self.all else frozenset()
        return Choice(self.all, self.trackers - other.trackers, self.tags - other.tags, excluded)


class Feed:
    """One choice of one user. ``rows`` are the trackers that show its sources."""

    def __init__(self, events: Events, user: User, choice: Choice) -> None:
        self.events = events
        self.user = user
        self.choice = choice
        self.rows: dict[Source, TrackerRow] = {}
        #: Number of the newest change; of each source its own, in rising order.
        self.seq = 0
        self._changes: dict[Source, int] = {}
        #: Whether each tracker's source is blocked; what became of them since, with a number.
        self.statuses: dict[int, bool] | None = None
        self.life_seq = 0
        self._lives: dict[int, tuple[int, str]] = {}
        self.members: set[Subscription] = set()
        #: Members that have been told everything.
        self.asleep: set[Subscription] = set()
        self._arranged: tuple[Garage, Garage | None] | None = None
        self._shared: dict[Any, tuple[bytes, int, float]] = {}

    @property
    def sources(self) -> Sources:
        return self.events.sources

    # Which sources.

    def arrange(self, garage: Garage, beyond: Garage | None) -> None:
        """Follows what the user sees now of what is chosen. ``beyond`` is what a sub-user's master
        sees."""
        if self._arranged is not None and self._arranged == (garage, beyond):
            return
        self._arranged = (garage, beyond)
        rows = {row.source_id: row for row in self.choice.of(garage)}
        self._tell_lives({key: row.blocked for key, row in rows.items()}, garage, beyond)
        holds = {row.source_id for row in garage.trackers} if self.choice.tags else set(rows)
        self.events.hold(self, holds)
        for source in list(self.rows):
            row = rows.get(source.id)
            if row is None or row.blocked:
                self._drop(source)
            elif self.rows[source] is not row:
                self.rows[source] = row
                self.sources.renew(source, row)
        followed = {source.id for source in self.rows}
        for source_id, row in rows.items():
            if source_id not in followed and not row.blocked:
                self.rows[self.sources.follow(row, self)] = row

    def _drop(self, source: Source) -> None:
        del self.rows[source]
        self._changes.pop(source, None)
        for member in self.members:
            member.forget(source)
        self.sources.unfollow(source, self)

    def close(self) -> None:
        """Nobody follows any more."""
        self.events.hold(self, set())
        for source in list(self.rows):
            self._drop(source)

    # News.

    def mark(self, source: Source) -> None:
        """There is news of a source."""
        self.seq += 1
        self._changes.pop(source, None)
        self._changes[source] = self.seq
        if self.asleep:
            woken, self.asleep = self.asleep, set()
            for member in woken:
                member.wake()

    def since(self, seq: int) -> list[Source]:
        """The sources with news after number ``seq``, newest first."""
        found: list[Source] = []
        for source, changed in reversed(self._changes.items()):
            if changed <= seq:
                break
            found.append(source)
        return found

    # Trackers that come and go.

    def _tell_lives(self, statuses: dict[int, bool], garage: Garage, beyond: Garage | None) -> None:
        before, self.statuses = self.statuses, statuses
        if before is None:
            return
        told: dict[int, str] = {}
        for source_id, blocked in statuses.items():
            if before.get(source_id, blocked) != blocked:
                told[source_id] = "block" if blocked else "unblock"
        gone = before.keys() - statuses.keys()
        if gone:
            # What has merely lost a tag, or is no longer shown to this sub-user, is not gone.
            there = {row.source_id for row in garage.trackers}
            if beyond is not None:
                there.update(row.source_id for row in beyond.trackers)
            told.update((source_id, "corrupt") for source_id in sorted(gone - there))
        for source_id, event in told.items():
            self.life_seq += 1
            self._lives.pop(source_id, None)
            self._lives[source_id] = (self.life_seq, event)
        while len(self._lives) > LIVES:
            del self._lives[next(iter(self._lives))]
        if told:
            for member in self.members:
                self.events.ready(member.subscriber)

    def lives_since(self, seq: int) -> dict[int, str]:
        """What became of trackers after number ``seq``."""
        return {source_id: event for source_id, (at, event) in self._lives.items() if at > seq}

    # Messages for many.

    def shared(self, key: Any) -> tuple[bytes, int] | None:
        """A frame that was made a moment ago for somebody who had been told the same and sees
        alike, and up to which number it tells."""
        found = self._shared.get(key)
        if found is None or self.events.time() - found[2] > SHARED_FOR:
            return None
        return found[:2]

    def share(self, key: Any, frame: bytes, seq: int) -> None:
        now = self.events.time()
        if len(self._shared) >= SHARED or any(
            now - made > SHARED_FOR for _, _, made in self._shared.values()
        ):
            self._shared.clear()
        self._shared[key] = (frame, seq, now)
