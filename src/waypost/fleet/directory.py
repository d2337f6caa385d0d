"""Which source a device is: for the gateway, which asks with what the device says of itself.

Answers are kept in memory and dropped by what the bus tells of sources and device ids. Look-ups of
one moment (a thousand devices that reconnect) share one query.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import not_, select

from waypost import tasks
from waypost.bus.base import Bus, Subscription, id_in
from waypost.fleet.changes import device_of
from waypost.fleet.device_ids import LONGEST, spellings
from waypost.protocols.base import Device
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.sql import chunks
from waypost.store.tables import sources

#: Seconds that a device id which nobody registered is believed to be unknown. Registering it ends
#: that at once; this bounds what a lost word costs.
UNKNOWN = 5.0
#: The same for a known one, where other processes register.
KNOWN = 60.0
#: Ids remembered; beyond, the oldest are forgotten.
KEPT = 300_000
#: Ids in one query.
QUERY = 1000

Callback = Callable[[], None]


class DeviceRecord(msgspec.Struct, frozen=True):
    """What the gateway needs of a registered device."""

    source_id: int
    device: Device
    #: Its data is stored and acknowledged, and hidden by the API.
    blocked: bool
    retention_days: int


class Directory:
    """Finds devices. Make it with :meth:`open`."""

    def __init__(self, database: Database, bus: Bus, settings: Settings) -> None:
        self._database = database
        self._bus = bus
        self._known_for = float("inf") if settings.single_process else KNOWN
        #: Registered id (or one that is not registered) -> its record, and until when to believe.
        self._kept: dict[str, tuple[DeviceRecord | None, float]] = {}
        self._ids_of_source: dict[int, str] = {}
        #: Asked for in this turn of the loop, and in queries under way.
        self._next: dict[str, asyncio.Future[DeviceRecord | None]] = {}
        self._asked: dict[str, asyncio.Future[DeviceRecord | None]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._source_watchers: dict[int, list[Callback]] = {}
        self._device_watchers: dict[str, list[Callback]] = {}
        self._subscriptions: list[Subscription] = []

    @classmethod
    async def open(cls, database: Database, bus: Bus, settings: Settings) -> Directory:
        self = cls(database, bus, settings)
        self._subscriptions = [
            await bus.subscribe("fleet.device.*", self._device_changed),
            await bus.subscribe("fleet.source.*", self._source_changed),
        ]
        return self

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()
        await tasks.end(self._asking)

    async def find(self, device_ids: Iterable[str]) -> DeviceRecord | None:
        """The device that calls itself so; of several ids the first that is registered counts.
        Raises the engine's own errors where the database is away."""
        names: dict[str, None] = {}
        for told in device_ids:
            # Nothing else can be registered; and what the database refuses would fail all who ask.
            if told and len(told) <= LONGEST and told.isascii() and told.isprintable():
                names.update(dict.fromkeys(spellings(told)))
        now = time.monotonic()
        waiting: list[asyncio.Future[DeviceRecord | None]] = []
        for name in names:
            kept = self._kept.get(name)
            if kept is None or kept[1] < now:
                waiting.append(self._want(name))
            elif kept[0] is not None:
                if not waiting:
                    return kept[0]
                waiting.append(_done(kept[0]))
        for future in waiting:
            # Shielded: another connection may wait for the same answer.
            found = await asyncio.shield(future)
            if found is not None:
                return found
        return None

    # Being told.

    def watch_source(self, source_id: int, callback: Callback) -> Callback:
        """Calls back whenever the source changed (blocked, given up, replaced, settings ...); ask
        :meth:`find` what it is now. Returns how to stop."""
        return _watch(self._source_watchers, source_id, callback)

    def watch_devices(self, device_ids: Iterable[str], callback: Callback) -> Callback:
        """Calls back whenever a device that calls itself so was registered or given up. Returns how
        to stop."""
        names = {name for told in device_ids for name in spellings(told)}
        stops = [_watch(self._device_watchers, name, callback) for name in names]

        def stop() -> None:
            for one in stops:
                one()

        return stop

    def _device_changed(self, subject: str, payload: bytes) -> None:
        device_id = device_of(subject)
        self._forget(device_id)
        for callback in tuple(self._device_watchers.get(device_id, ())):
            callback()

    def _source_changed(self, subject: str, payload: bytes) -> None:
        source_id = id_in(subject)
        device_id = self._ids_of_source.get(source_id)
        if device_id is not None:
            self._forget(device_id)
        else:
            # It may be among the answers on their way: none of them is kept.
            self._asked.clear()
        for callback in tuple(self._source_watchers.get(source_id, ())):
            callback()

    # Keeping and asking.

    def _forget(self, name: str) -> None:
        # An answer on its way is given to those who asked before, but not kept.
        self._asked.pop(name, None)
        kept = self._kept.pop(name, None)
        if kept is not None and kept[0] is not None:
            self._ids_of_source.pop(kept[0].source_id, None)

    def _keep(self, name: str, record: DeviceRecord | None) -> None:
        self._forget(name)
        life = UNKNOWN if record is None else self._known_for
        self._kept[name] = (record, time.monotonic() + life)
        if record is not None:
            self._ids_of_source[record.source_id] = name
        while len(self._kept) > KEPT:
            self._forget(next(iter(self._kept)))

    def _want(self, name: str) -> asyncio.Future[DeviceRecord | None]:
        future = self._next.get(name) or self._asked.get(name)
        if future is None:
            loop = asyncio.get_running_loop()
            if not self._next:
                loop.call_soon(self._ask)
            future = self._next[name] = loop.create_future()
        return future

    def _ask(self) -> None:
        """Sends off what was asked for since the last time."""
        wanted, self._next = self._next, {}
        self._asked.update(wanted)
        task = asyncio.create_task(self._answer(wanted))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, wanted: dict[str, asyncio.Future[DeviceRecord | None]]) -> None:
        try:
            found: dict[str, DeviceRecord] = {}
            async with self._database.read() as connection:
                for some in chunks(wanted, QUERY):
                    query = _QUERY.where(sources.c.device_id.in_(some))
                    for row in await connection.execute(query):
                        found[row.device_id] = _record(row)
        except BaseException as error:
            for name, future in wanted.items():
                if self._asked.get(name) is future:
                    del self._asked[name]
                if isinstance(error, Exception):
                    future.set_exception(error)
                    future.exception()  # perhaps nobody waits any more
                else:
                    future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for name, future in wanted.items():
            record = found.get(name)
            if self._asked.get(name) is future:
                self._keep(name, record)
            future.set_result(record)


_QUERY = select(
    sources.c.id,
    sources.c.device_id,
    sources.c.model,
    sources.c.setup,
    sources.c.password,
    sources.c.blocked,
    sources.c.retention_days,
).where(not_(sources.c.corrupted))


def _record(row: Any) -> DeviceRecord:
    device = Device(
        device_id=row.device_id, model=row.model, setup=dict(row.setup), password=row.password
    )
    return DeviceRecord(row.id, device, row.blocked, row.retention_days)


def _done(record: DeviceRecord) -> asyncio.Future[DeviceRecord | None]:
    future: asyncio.Future[DeviceRecord | None] = asyncio.get_running_loop().create_future()
    future.set_result(record)
    return future


Key = TypeVar("Key")


def _watch(watchers: dict[Key, list[Callback]], key: Key, callback: Callback) -> Callback:
    watchers.setdefault(key, []).append(callback)

    def stop() -> None:
        callbacks = watchers.get(key)
        if callbacks is not None and callback in callbacks:
            callbacks.remove(callback)
            if not callbacks:
                del watchers[key]

    return stop
