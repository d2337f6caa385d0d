"""``readings_batch`` and ``readings``: what trackers measure.

The first message about a tracker has all of its readings, those that follow only what differs from
what this client was told before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
import structlog

from waypost import tasks
from waypost.fleet.counters import CounterRow, counters_of
from waypost.fleet.readings_view import ReadingsForm, TrackerReadings
from waypost.fleet.sensor_rows import KnownSensor, sensors_of
from waypost.live.feed import Feed
from waypost.live.messages import Wanted
from waypost.live.sources import RETRY, Source
from waypost.live.subscription import Subscription

if TYPE_CHECKING:
    from waypost.live.subscriber import Subscriber
    from waypost.store.engine import Database

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode

Snapshot = dict[tuple[str, object], bytes]
"""Readings, encoded, by their list and what tells them apart in it."""

LISTS = ("inputs", "states", "virtual_sensors", "counters")


class Instruments(msgspec.Struct, frozen=True, eq=False):
    """What a device's values are read with. Equal only to itself."""

    sensors: list[KnownSensor]
    counters: list[CounterRow]


class Cabinet:
    """The instruments of watched sources, read when they are first needed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, Instruments] = {}
        self._wanted: dict[int, set[tuple[Subscription, Source]]] = {}
        #: Forgotten while they were being read.
        self._outdated: set[int] = set()
        self._reading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        await tasks.end([self._reading])

    def get(self, source: Source, subscription: Subscription) -> Instruments | None:
        """None: they are being read, and the source is marked once more when they were."""
        found = self._known.get(source.id)
        if found is None:
            self._wanted.setdefault(source.id, set()).add((subscription, source))
            if self._reading is None:
                self._reading = asyncio.create_task(self._read(), name="live: instruments")
        return found

    def forget(self, source_id: int) -> None:
        """They may be others now."""
        self._known.pop(source_id, None)
        self._outdated.add(source_id)

    def keep(self, watched: Iterable[int]) -> None:
        """Forgets those of all other sources."""
        for source_id in self._known.keys() - set(watched):
            del self._known[source_id]

    async def _read(self) -> None:
        try:
            while self._wanted:
                ids = list(self._wanted)[:1000]
                self._outdated.clear()
                waiting = [self._wanted.pop(source_id) for source_id in ids]
                try:
                    async with self._database.read() as connection:
                        sensors = await sensors_of(connection, ids)
                        counters = await counters_of(connection, ids)
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    log.warning("live_sensors_unavailable", error=str(error))
                    for source_id, pairs in zip(ids, waiting, strict=True):
                        self._wanted.setdefault(source_id, set()).update(pairs)
                    await asyncio.sleep(RETRY)
                    continue
                for source_id, pairs in zip(ids, waiting, strict=True):
                    if source_id not in self._outdated:
                        self._known[source_id] = Instruments(
                            sensors.get(source_id, []), counters.get(source_id, [])
                        )
                    for subscription, source in pairs:
                        if source in subscription.feed.rows:
                            subscription.tell((source,))
        finally:
            self._reading = None


class Readings(Subscription):
    """Both: in one message every now and then, or each tracker's in its own, at once."""

    def __init__(self, subscriber: Subscriber, feed: Feed, wanted: Wanted) -> None:
        #: What the client was told.
        self._told: dict[Source, Snapshot] = {}
        #: What is being told, the next one last; and what is in the message that is being made.
        self._todo: list[Source] = []
        self._bodies: list[bytes] = []
        super().__init__(subscriber, feed, wanted)

    def style(self, wanted: Wanted) -> None:
        self._key, self._form = self.subscriber.readings_form(
            wanted.sensor_type, components=wanted.components
        )
        self._told.clear()

    def forget(self, source: Source) -> None:
        super().forget(source)
        self._told.pop(source, None)
        if source in self._todo:
            self._todo.remove(source)

    def pending(self) -> bool:
        return bool(self._todo or self._bodies) or super().pending()

    def flush(self, now: int, end: float) -> bool:
        subscriber, events = self.subscriber, self.subscriber.events
        written = subscriber.form(compact=False).clock.write(now)
        if not self._todo:
            self._todo = self.news()
            self._todo.reverse()
        while self._todo:
            body = self._body(self._todo.pop())
            if body is not None and self.event == "readings_batch":
                self._bodies.append(body)
            elif body is not None:
                subscriber.send_event("readings", body, written)
                if subscriber.socket.paused:
                    return True
            if self._todo and events.time() >= end:
                return False
        if self._bodies:
            bodies, self._bodies = self._bodies, []
            subscriber.send_event("readings_batch", b"[%b]" % b",".join(bodies), written)
            self.told()
        return True

    def _body(self, source: Source) -> bytes | None:
        """What is new of a source; None: nothing, or it cannot be said yet."""
        instruments = self.subscriber.events.cabinet.get(source, self)
        row = self.feed.rows.get(source)
        if instruments is None or row is None:
            return None
        told = self._told.get(source)
        snapshot = source.keep(
            ("readings", self._key, instruments),
            lambda: snapshot_of(self._form, source, instruments),
        )
        self._told[source] = snapshot
        if told is snapshot:
            return None
        news = {
            key: body for key, body in snapshot.items() if told is None or told.get(key) != body
        }
        if told is not None and not news:
            return None
        parts = [
            b',"%b":[%b]'
            % (name.encode(), b",".join(body for key, body in news.items() if key[0] == name))
            for name in LISTS
        ]
        return b'{"tracker_id":%d,"source_id":%d%b}' % (row.id, source.id, b"".join(parts))


def snapshot_of(form: ReadingsForm, source: Source, instruments: Instruments) -> Snapshot:
    """All readings of a source as it is now."""
    counters = instruments.counters if form.all else []
    view: TrackerReadings = form.show(source.state, instruments.sensors, counters)
    found: Snapshot = {}
    for one in view.inputs:
        found["inputs", one.sensor_id or one.name] = _encode(one)
    for state in view.states:
        found["states", state.field] = _encode(state)
    for virtual in view.virtual_sensors:
        found["virtual_sensors", virtual.sensor_id] = _encode(virtual)
    for counter in view.counters:
        found["counters", counter.type] = _encode(counter)
    return found
