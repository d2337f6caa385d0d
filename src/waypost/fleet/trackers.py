"""Finding trackers: those of an account, kept in memory, and those of a dealer, asked for."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import not_, or_, select

from waypost import tasks
from waypost.accounts.model import User
from waypost.bus.base import Bus, Subscription, id_in
from waypost.fleet.changes import Changes
from waypost.fleet.rows import TrackerRow, fetch_row, fetch_rows, rows_query
from waypost.fleet.state_view import StateViews
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import sources, trackers, user_trackers, users

#: Trackers kept in memory, over all accounts.
KEPT = 250_000
#: Zones and forms in which an account's encoded states are kept.
FORMS = 4
#: More changed sources than this, and an account's trackers are all read again.
FEW = 200
#: Seconds that an account's trackers are believed where other processes write too: their word
#: may get lost on the way.
BELIEVED = 15.0


class Garage:
    """The trackers that one user sees, in the order of ids. What is derived from them (the encoded
    list, encoded states) is kept with them."""

    __slots__ = ("_views", "by_id", "corrupted", "list_body", "made", "trackers")

    def __init__(self, rows: Iterable[TrackerRow]) -> None:
        self.trackers: list[TrackerRow] = []
        #: Those whose device id was given up; they are not in ``trackers``.
        self.corrupted: dict[int, TrackerRow] = {}
        for row in rows:
            if row.corrupted:
                self.corrupted[row.id] = row
            else:
                self.trackers.append(row)
        self.by_id = {row.id: row for row in self.trackers}
        #: The whole list as a reply, once somebody asked for it.
        self.list_body: bytes | None = None
        self.made = time.monotonic()
        self._views: dict[tuple[str, bool], StateViews] = {}

    def views(self, zone: ZoneInfo, iso: bool) -> StateViews:
        """Encoded states in a zone and form."""
        key = (zone.key, iso)
        views = self._views.get(key)
        if views is None:
            if len(self._views) >= FORMS:
                self._views.clear()
            views = self._views[key] = StateViews(zone, iso)
        return views

    def refreshed(self, source_ids: set[int], rows: Iterable[TrackerRow]) -> Garage:
        """One in which ``rows`` are all there is of these sources."""
        old = (row for row in (*self.trackers, *self.corrupted.values()))
        kept = [row for row in old if row.source_id not in source_ids]
        garage = Garage(sorted([*kept, *rows], key=lambda row: row.id))
        garage.made = self.made
        garage._views = self._views
        return garage


class _Kept:
    """A garage in memory, and which of its sources changed since."""

    __slots__ = ("changed", "garage", "master_id")

    def __init__(self, garage: Garage, master_id: int | None) -> None:
        self.garage = garage
        self.master_id = master_id
        self.changed: set[int] = set()


class Trackers:
    """Where the API finds trackers. Make it with :meth:`open`."""

    def __init__(self, database: Database, bus: Bus, settings: Settings) -> None:
        self._database = database
        self._bus = bus
        self._lasting = settings.single_process
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        #: Loads under way; one that is taken out meanwhile is not kept.
        self._loading: dict[int, asyncio.Task[Garage]] = {}
        self._holders: dict[int, set[int]] = {}
        self._size = 0
        self._subscriptions: list[Subscription] = []

    @classmethod
    async def open(cls, database: Database, bus: Bus, settings: Settings) -> Trackers:
        self = cls(database, bus, settings)
        self._subscriptions = [
            await bus.subscribe("fleet.user.*", self._user_changed),
            await bus.subscribe("fleet.source.*", self._source_changed),
        ]
        return self

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()
        await tasks.end(self._loading.values())

    def announce(self, changes: Changes) -> None:
        """Forgets what ``changes`` touched, here at once and elsewhere by the bus. Call it after
        the commit."""
        for user_id in changes.users:
            self._forget_user(user_id)
        for source_id in changes.sources:
            self._forget_source(source_id)
        changes.publish(self._bus)

    # What a user sees.

    async def of_user(self, user: User) -> Garage:
        """All that ``user`` sees: a sub-user only what is bound to it."""
        return await self._garage(user.id, user.master_id)

    async def user_tracker(self, user: User, tracker_id: int) -> TrackerRow | None:
        """A tracker that ``user`` sees, or one that it saw until it was corrupted (marked so)."""
        garage = await self.of_user(user)
        return garage.by_id.get(tracker_id) or garage.corrupted.get(tracker_id)

    async def user_device(self, user: User, device_id: str) -> TrackerRow | None:
        """The same by the id of its device."""
        garage = await self.of_user(user)
        for row in garage.trackers:
            if row.device_id == device_id:
                return row
        return None

    # What a dealer has: all trackers of its users, deleted and corrupted ones too.

    async def dealer_tracker(self, dealer_id: int, tracker_id: int) -> TrackerRow | None:
        query = rows_query().where(trackers.c.id == tracker_id, users.c.dealer_id == dealer_id)
        async with self._database.read() as connection:
            return await fetch_row(connection, query)

    async def dealer_device(self, dealer_id: int, device_id: str) -> TrackerRow | None:
        """The tracker (no clone) of this device id; where it was given up, the one that had it
        last."""
        query = (
            rows_query()
            .where(
                users.c.dealer_id == dealer_id,
                not_(trackers.c.clone),
                or_(sources.c.device_id == device_id, sources.c.former_device_id == device_id),
            )
            .order_by(sources.c.corrupted, sources.c.id.desc())
        )
        async with self._database.read() as connection:
            return await fetch_row(connection, query)

    # Keeping.

    async def _garage(self, user_id: int, master_id: int | None) -> Garage:
        kept = self._kept.get(user_id)
        if (
            kept is not None
            and not kept.changed
            and (self._lasting or time.monotonic() - kept.garage.made < BELIEVED)
        ):
            self._kept.move_to_end(user_id)
            return kept.garage
        task = self._loading.get(user_id)
        if task is None:
            task = asyncio.create_task(self._load(user_id, master_id))
            self._loading[user_id] = task
            task.add_done_callback(lambda done: self._loaded(user_id, done))
        return await asyncio.shield(task)

    def _loaded(self, user_id: int, task: asyncio.Task[Garage]) -> None:
        if self._loading.get(user_id) is task:
            del self._loading[user_id]
        if not task.cancelled():
            task.exception()  # those who wait have it; perhaps nobody does any more

    async def _load(self, user_id: int, master_id: int | None) -> Garage:
        query = (
            rows_query()
            .where(trackers.c.user_id == (user_id if master_id is None else master_id))
            .where(or_(not_(trackers.c.deleted), sources.c.corrupted))
            .order_by(trackers.c.id)
        )
        if master_id is not None:
            bound = select(user_trackers.c.tracker_id).where(user_trackers.c.user_id == user_id)
            query = query.where(trackers.c.id.in_(bound))
        kept = self._kept.get(user_id)
        changed = set(kept.changed) if kept is not None else set()
        part = (
            kept is not None
            and 0 < len(changed) <= FEW
            and (self._lasting or time.monotonic() - kept.garage.made < BELIEVED)
        )
        if part:
            query = query.where(sources.c.id.in_(changed))
        async with self._database.read() as connection:
            rows = await fetch_rows(connection, query, many=not part)
        garage = kept.garage.refreshed(changed, rows) if part and kept else Garage(rows)
        if self._loading.get(user_id) is asyncio.current_task():
            self._keep(user_id, master_id, garage)
        return garage

    def _keep(self, user_id: int, master_id: int | None, garage: Garage) -> None:
        self._drop(user_id)
        self._kept[user_id] = _Kept(garage, master_id)
        self._size += len(garage.trackers)
        for row in garage.trackers:
            self._holders.setdefault(row.source_id, set()).add(user_id)
        while self._size > KEPT and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, user_id: int) -> None:
        kept = self._kept.pop(user_id, None)
        if kept is None:
            return
        self._size -= len(kept.garage.trackers)
        for row in kept.garage.trackers:
            holders = self._holders.get(row.source_id)
            if holders is not None:
                holders.discard(user_id)
                if not holders:
                    del self._holders[row.source_id]

    def _forget_user(self, user_id: int) -> None:
        """The account's trackers changed: they, and what its sub-users see, are read again."""
        # Whose sub-user a load is for is not known here; not keeping it is never wrong.
        self._loading.clear()
        for one in [one for one, kept in self._kept.items() if kept.master_id == user_id]:
            self._drop(one)
        self._drop(user_id)

    def _forget_source(self, source_id: int) -> None:
        """Whoever sees this source reads it again."""
        self._loading.clear()
        for user_id in self._holders.get(source_id, ()):
            self._kept[user_id].changed.add(source_id)

    def _user_changed(self, subject: str, payload: bytes) -> None:
        self._forget_user(id_in(subject))

    def _source_changed(self, subject: str, payload: bytes) -> None:
        self._forget_source(id_in(subject))
