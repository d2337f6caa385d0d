"""What the panel's list of a large dealer is searched and sorted by, kept in memory.

A database reads a hundred thousand trackers for every page that is sorted or searched; here that is
a pass over a list. Only the ids of a page come from here: what is shown of it is read anew. Small
dealers have none of this, and neither has a large one until it has been read, in the background.

What changes is read again before the next page (``fleet.source.*``, ``fleet.user.*``). Two orders
change by themselves, ``last_connection`` and ``status``: they are at most :data:`OLD` seconds old.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import date
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement, Select, func, or_, select

from waypost import tasks
from waypost.bus.base import Bus, Subscription, id_in
from waypost.fleet.changes import Changes
from waypost.store.engine import Database, is_unavailable
from waypost.store.tables import sources, trackers, users

log = structlog.get_logger()

#: From so many trackers on a dealer's list is kept; over all dealers at most so many.
MANY = 3000
KEPT = 1_000_000
#: Trackers read, or looked at, in one go.
STEP = 5000
#: More changes than this, and all is read again.
FEW = 2000
#: Seconds after which all is read again, in case a change went unheard.
WHOLE = 600.0
#: Seconds after which it is asked again whether a dealer has become large.
ASK = 60.0
#: Seconds: younger, an order that changes by itself is taken as it is; older, it is made anew while
#: the old one serves; and from then on nobody is served it.
YOUNG, OLD = 5.0, 20.0

_full_name = func.trim(users.c.first_name + " " + users.c.last_name)
#: The person behind an account, or how it logs in.
OWNER_NAME: ColumnElement[Any] = func.coalesce(func.nullif(_full_name, ""), users.c.login)


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a tracker is found and sorted by, named as the orders are."""

    id: int
    user_id: int
    source_id: int
    tariff_id: int | None
    group_id: int
    clone: bool
    deleted: bool
    blocked: bool
    label: str
    device_id: str
    model: str
    phone: str | None
    comment: str
    creation_date: date
    tariff_end_date: date | None
    owner_name: str
    legal_name: str
    registered_at: int
    replaced_at: int | None
    business_status: tuple[bool, bool, bool]
    #: All that a filter is looked for in, a line each, in small letters.
    text: str


Value = Callable[[Entry], Any]
#: Order -> what it sorts by; None sorts last, either way.
VALUES: Mapping[str, Value] = {
    "id": attrgetter("id"),
    "dealer_id": lambda _: 0,
    **{
        name: attrgetter(name)
        for name in (
            *("label", "model", "device_id", "phone", "creation_date", "user_id", "comment"),
            *("tariff_id", "business_status", "tariff_end_date", "group_id", "source_id"),
            *("clone", "deleted", "blocked", "owner_name", "legal_name"),
        )
    },
}


class Sorted(msgspec.Struct, frozen=True, gc=False):
    """Trackers in an order, and those without what it sorts by; both upwards."""

    valued: list[Entry]
    without: list[Entry]

    @classmethod
    def by(cls, entries: Iterable[Entry], value: Value) -> Sorted:
        """``entries`` come by their ids, which decides between equals."""
        every = list(entries)
        valued = [entry for entry in every if value(entry) is not None]
        valued.sort(key=value)
        without = [entry for entry in every if value(entry) is None]
        return cls(valued, without)

    def run(self, ascending: bool) -> list[Entry]:
        if ascending:
            return self.valued + self.without if self.without else self.valued
        return [*reversed(self.valued), *reversed(self.without)]


class Snapshot:
    """A dealer's trackers at one moment."""

    def __init__(self, entries: Mapping[int, Entry]) -> None:
        self.entries = entries
        self._sorted: dict[str, Sorted] = {}

    def page(
        self,
        keep: Callable[[Entry], bool] | None,
        order: str | Sorted,
        *,
        ascending: bool,
        offset: int,
        limit: int,
    ) -> tuple[list[int], int]:
        """Ids of a page of those that ``keep`` keeps, and how many there are in all. ``order`` is a
        name of :data:`VALUES`, or an order made by :meth:`sort`. For a thread."""
        if isinstance(order, str):
            kept = self._sorted.get(order)
            if kept is None:
                kept = self._sorted[order] = self.sort(VALUES[order])
            order = kept
        found = order.run(ascending)
        if keep is not None:
            found = list(filter(keep, found))
        return [entry.id for entry in found[offset : offset + limit]], len(found)

    def sort(self, value: Value) -> Sorted:
        return Sorted.by(self.entries.values(), value)

    def changed(self, gone: Collection[int], entries: Iterable[Entry]) -> Snapshot:
        """One without ``gone`` and with ``entries``."""
        made = {key: entry for key, entry in self.entries.items() if key not in gone}
        made.update((entry.id, entry) for entry in entries)
        return Snapshot(dict(sorted(made.items())))


class _Aging:
    """An order that changes by itself."""

    def __init__(self) -> None:
        self.value: Value | None = None
        self.made = 0.0
        #: The newest snapshot in this order.
        self.sorted: tuple[Snapshot, Sorted] | None = None
        self.making: asyncio.Task[None] | None = None


class LongList:
    """One large dealer's."""

    def __init__(self, database: Database, dealer_id: int) -> None:
        self._database = database
        self._dealer_id = dealer_id
        self._lock = asyncio.Lock()
        self._aging: dict[str, _Aging] = {}
        self.snapshot: Snapshot | None = None
        self.read_at = 0.0
        #: What changed since it was read.
        self.sources: set[int] = set()
        self.users: set[int] = set()

    async def read(self) -> None:
        """Reads all of it."""
        async with self._lock:
            if self.sources or self.users:
                self.snapshot = None  # it lacks what is forgotten here
            self.sources, self.users = set(), set()
            begun = time.monotonic()
            entries: dict[int, Entry] = {}
            last = 0
            while True:
                query = _query(self._dealer_id).where(trackers.c.id > last)
                made = await self._entries(query.order_by(trackers.c.id).limit(STEP))
                entries.update((entry.id, entry) for entry in made)
                if len(made) < STEP:
                    break
                last = made[-1].id
            self.snapshot = Snapshot(entries)
            self.read_at = begun

    async def current(self) -> Snapshot | None:
        """The snapshot, brought up to date; None: so much has changed that it has to be read."""
        async with self._lock:
            if self.snapshot is None or len(self.sources) + len(self.users) > FEW:
                return None
            if not self.sources and not self.users:
                return self.snapshot
            changed_sources, self.sources = self.sources, set()
            changed_users, self.users = self.users, set()
            try:
                touched = or_(
                    sources.c.id.in_(changed_sources), trackers.c.user_id.in_(changed_users)
                )
                made = await self._entries(_query(self._dealer_id).where(touched))
            except BaseException:
                self.sources |= changed_sources
                self.users |= changed_users
                raise
            gone = {
                key
                for key, entry in self.snapshot.entries.items()
                if entry.source_id in changed_sources or entry.user_id in changed_users
            }
            self.snapshot = self.snapshot.changed(gone, made)
            return self.snapshot

    async def aging(
        self, name: str, snapshot: Snapshot, make: Callable[[Snapshot], Awaitable[Value]]
    ) -> Sorted:
        """An order that changes by itself; ``make`` finds out what it sorts by."""
        kept = self._aging.setdefault(name, _Aging())
        age = time.monotonic() - kept.made
        if kept.value is None or age > YOUNG:
            if kept.making is None:
                kept.making = asyncio.create_task(_make(kept, snapshot, make))
                kept.making.add_done_callback(lambda done: _made(kept, done))
            if kept.value is None or age > OLD:
                await asyncio.shield(kept.making)
        if kept.sorted is not None and kept.sorted[0] is snapshot:
            return kept.sorted[1]
        assert kept.value is not None  # noqa: S101 - it was made, or that has failed
        made = await asyncio.to_thread(snapshot.sort, kept.value)
        kept.sorted = snapshot, made
        return made

    async def _entries(self, query: Select[Any]) -> list[Entry]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return await asyncio.to_thread(lambda: [_entry(*row) for row in rows])


class LongLists:
    """Those of all large dealers. Make it with :meth:`open`."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._kept: OrderedDict[int, LongList] = OrderedDict()
        #: When it was found (monotonic seconds) that a dealer is not large.
        self._small: dict[int, float] = {}
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._subscriptions: list[Subscription] = []

    @classmethod
    async def open(cls, database: Database, bus: Bus) -> LongLists:
        self = cls(database, bus)
        self._subscriptions = [
            await bus.subscribe("fleet.user.*", self._user_changed),
            await bus.subscribe("fleet.source.*", self._source_changed),
        ]
        return self

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()
        await tasks.end(self._reading.values())

    def announce(self, changes: Changes) -> None:
        """What changed here is known at once."""
        for kept in self._kept.values():
            kept.users |= changes.users
            kept.sources |= changes.sources

    async def find(self, dealer_id: int) -> tuple[LongList, Snapshot] | None:
        """A large dealer's list, up to date; None: the dealer is not large, or not read yet."""
        kept = self._kept.get(dealer_id)
        if kept is None:
            asked = self._small.get(dealer_id)
            if asked is None or time.monotonic() - asked > ASK:
                self._read(dealer_id)
            return None
        self._kept.move_to_end(dealer_id)
        snapshot = await kept.current() if dealer_id not in self._reading else kept.snapshot
        if snapshot is None or time.monotonic() - kept.read_at > WHOLE:
            self._read(dealer_id)
        if snapshot is None or (dealer_id in self._reading and (kept.sources or kept.users)):
            return None
        return kept, snapshot

    async def settled(self) -> None:
        """For tests: what is being read has been read."""
        await asyncio.gather(*self._reading.values())

    def _read(self, dealer_id: int) -> None:
        if dealer_id not in self._reading:
            task = asyncio.create_task(self._load(dealer_id))
            self._reading[dealer_id] = task
            task.add_done_callback(partial(self._loaded, dealer_id))

    async def _load(self, dealer_id: int) -> None:
        count = select(func.count()).select_from(
            trackers.join(users, users.c.id == trackers.c.user_id)
        )
        async with self._database.read() as connection:
            size = await connection.scalar(count.where(users.c.dealer_id == dealer_id)) or 0
        if not MANY <= size <= KEPT:
            self._kept.pop(dealer_id, None)
            self._small[dealer_id] = time.monotonic()
            return
        self._small.pop(dealer_id, None)
        # There before it is read, so that it hears of changes meanwhile.
        kept = self._kept.setdefault(dealer_id, LongList(self._database, dealer_id))
        await kept.read()
        while sum(map(_size, self._kept.values())) > KEPT and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def _loaded(self, dealer_id: int, task: asyncio.Task[None]) -> None:
        del self._reading[dealer_id]
        error = None if task.cancelled() else task.exception()
        if error is not None and not is_unavailable(error):
            log.error("long_list_not_read", dealer=dealer_id, exc_info=error)

    def _user_changed(self, subject: str, payload: bytes) -> None:
        user_id = id_in(subject)
        for kept in self._kept.values():
            kept.users.add(user_id)

    def _source_changed(self, subject: str, payload: bytes) -> None:
        source_id = id_in(subject)
        for kept in self._kept.values():
            kept.sources.add(source_id)


def _size(kept: LongList) -> int:
    return len(kept.snapshot.entries) if kept.snapshot is not None else 0


async def _make(
    kept: _Aging, snapshot: Snapshot, make: Callable[[Snapshot], Awaitable[Value]]
) -> None:
    begun = time.monotonic()
    value = await make(snapshot)
    kept.sorted = snapshot, await asyncio.to_thread(snapshot.sort, value)
    kept.value, kept.made = value, begun


def _made(kept: _Aging, task: asyncio.Task[None]) -> None:
    kept.making = None
    if not task.cancelled():
        task.exception()  # those who wait have it; perhaps nobody does any more


def _query(dealer_id: int) -> Select[Any]:
    """The columns of :class:`Entry`, as far as they are columns."""
    return (
        select(
            trackers.c.id,
            trackers.c.user_id,
            trackers.c.source_id,
            sources.c.tariff_id,
            func.coalesce(trackers.c.group_id, 0),
            trackers.c.clone,
            trackers.c.deleted,
            sources.c.blocked,
            trackers.c.label,
            sources.c.device_id,
            sources.c.model,
            sources.c.phone,
            trackers.c.comment,
            trackers.c.creation_date,
            sources.c.tariff_end_date,
            OWNER_NAME,
            users.c.legal_name,
            sources.c.registered_at,
            sources.c.replaced_at,
            sources.c.corrupted,
        )
        .select_from(
            trackers.join(sources, sources.c.id == trackers.c.source_id).join(
                users, users.c.id == trackers.c.user_id
            )
        )
        .where(users.c.dealer_id == dealer_id)
    )


def _entry(*row: Any) -> Entry:
    id_, user_id, source_id, tariff_id, group_id, clone, deleted, blocked, label, *rest = row
    device_id, model, phone, comment, creation_date, tariff_end_date, owner, legal, *more = rest
    registered_at, replaced_at, corrupted = more
    searched = (str(id_), label, str(source_id), device_id, model, phone or "", str(user_id))
    return Entry(
        id=id_,
        user_id=user_id,
        source_id=source_id,
        tariff_id=tariff_id,
        group_id=group_id,
        clone=clone,
        deleted=deleted,
        blocked=blocked,
        label=label.lower(),
        device_id=device_id,
        model=model,
        phone=phone,
        comment=comment.lower(),
        creation_date=creation_date,
        tariff_end_date=tariff_end_date,
        owner_name=owner.lower(),
        legal_name=legal.lower(),
        registered_at=registered_at,
        replaced_at=replaced_at,
        business_status=(corrupted, deleted, blocked),
        text="\n".join(searched).lower(),
    )
