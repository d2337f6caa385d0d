"""``iot_monitor``: the attributes of a few trackers' newest messages, as they came.

Source: the vendor's page "Websocket access to Data Stream Analyzer". For each attribute there are
its values in the newest messages that have it, and its values in the newest messages of all, with
null where a message has it not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from waypost import tasks
from waypost.live.feed import Feed
from waypost.live.messages import Wanted
from waypost.live.sources import RETRY, Source
from waypost.live.subscription import Subscription
from waypost.store.points import Point, Points
from waypost.telemetry.message import iso_time

if TYPE_CHECKING:
    from waypost.live.subscriber import Subscriber

log = structlog.get_logger(__name__)

#: Values of each attribute that are shown.
SHOWN = 12
#: Messages among which those are looked for.
READ = 60
#: Seconds between two messages at least: each costs a look into the store.
SHORTEST = 1.0

_COLUMNS = (
    "latitude",
    "longitude",
    "altitude",
    "speed",
    "heading",
    "satellites",
    "hdop",
    "event_id",
)

_encode = msgspec.json.Encoder().encode


class Recent:
    """The newest messages of watched sources."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._wanted: dict[int, set[tuple[Monitor, Source]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        await tasks.end([self._reading])

    def read(self, source: Source, monitor: Monitor) -> None:
        """``monitor.take`` gets them."""
        self._wanted.setdefault(source.id, set()).add((monitor, source))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="live: newest messages")

    async def _read(self) -> None:
        try:
            while self._wanted:
                source_id = next(iter(self._wanted))
                pairs = self._wanted.pop(source_id)
                try:
                    points = await self._points.latest(source_id, READ)
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    log.warning("live_points_unavailable", error=str(error))
                    self._wanted.setdefault(source_id, set()).update(pairs)
                    await asyncio.sleep(RETRY)
                    continue
                fields = _encode(attributes(points))
                for monitor, source in pairs:
                    monitor.take(source, fields)
        finally:
            self._reading = None


class Monitor(Subscription):
    """The subscription."""

    lifecycle = False

    def __init__(self, subscriber: Subscriber, feed: Feed, wanted: Wanted) -> None:
        self._bodies: dict[Source, bytes] = {}
        super().__init__(subscriber, feed, wanted)

    def style(self, wanted: Wanted) -> None:
        self.interval = max(self.interval, SHORTEST)

    def forget(self, source: Source) -> None:
        super().forget(source)
        self._bodies.pop(source, None)

    def pending(self) -> bool:
        return bool(self._bodies) or super().pending()

    def take(self, source: Source, fields: bytes) -> None:
        """The attributes of a source's newest messages were read."""
        row = self.feed.rows.get(source)
        if row is not None:
            self._bodies[source] = b'{"tracker_id":%d,%b' % (row.id, fields[1:])
            self.wake()

    def flush(self, now: int, end: float) -> bool:
        for source in self.news():
            self.subscriber.events.recent.read(source, self)
        if self._bodies:
            bodies, self._bodies = self._bodies, {}
            body = b'{"iot_last_values":[%b]}' % b",".join(bodies.values())
            self.subscriber.send_event("iot_monitor", body)
            self.told()
        return True


def attributes(points: Sequence[Point]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """``nonnull_fields`` and ``all_fields`` of messages, which are given newest first. Numbers with
    a fraction are text, as the documentation shows them."""
    told: list[tuple[dict[str, Any], dict[str, Any]]] = []
    names: set[str] = set()
    for point in points:
        stamp = {"msg_time": iso_time(point.time), "srv_time": iso_time(point.received)}
        values = {
            name: getattr(point, name) for name in _COLUMNS if getattr(point, name) is not None
        }
        for name, value in point.values().items():
            if isinstance(value, bool | int | float | str):
                values.setdefault(name, value)
        names |= values.keys()
        told.append((stamp, values))
    present: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted(names)}
    every: dict[str, list[dict[str, Any]]] = {name: [] for name in present}
    for at, (stamp, values) in enumerate(told):
        for name, found in present.items():
            shown = {**stamp, "value": _shown(values.get(name))}
            if name in values and len(found) < SHOWN:
                found.append(shown)
            if at < SHOWN:
                every[name].append(shown)
    return {"nonnull_fields": present, "all_fields": every}


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value
