"""Tracks of a source over a period, read from the store page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import msgspec

from waypost.catalog import vocabulary
from waypost.fleet.rows import TrackerRow
from waypost.refusal import Refused, invalid
from waypost.store.points import BUFFERED, FUTURE, PAGE, VALID, Point, Points
from waypost.telemetry.folding import Folding
from waypost.telemetry.message import GNSS
from waypost.telemetry.sensors import ignition_on
from waypost.telemetry.trips import Spot, Trip, TripFinder

DAY = 86_400_000

#: Positions of one reply at most: what is more takes more memory than a call may.
MOST = 250_000

#: Events of this group only say that there is a position.
_TRACK_EVENTS = "track information"


class Period(msgspec.Struct, frozen=True):
    """What of a period may be shown; ms."""

    start: int
    end: int
    #: It begins before what is kept of the source.
    limit_exceeded: bool


class Found(msgspec.Struct):
    """Trips in the order of time, and the positions between them."""

    trips: list[Trip]
    parked: list[Spot]


def period(row: TrackerRow, start: int, end: int, now: int, longest_days: int) -> Period:
    """Raises :class:`Refused`: 7 where the end is before the start, 211 where it is too long."""
    if end < start:
        raise invalid("to", "must not be earlier than from")
    if end - start > longest_days * DAY:
        raise Refused(211)
    kept_from = now - row.retention_days * DAY if row.retention_days else start
    return Period(max(start, kept_from), end, start < kept_from)


async def find_tracks(
    points: Points, row: TrackerRow, span: Period, *, lbs: bool, collect: bool
) -> Found:
    """All trips of a period; with ``collect``, with their positions. ``lbs``: positions by the
    mobile network too. Raises :class:`Refused` 211 where there are too many to collect."""
    finder = trip_finder(row.folding, collect=collect)
    spots = Spots(row.folding, lbs=lbs)
    trips: list[Trip] = []
    count = 0
    async for page in pages(points, row.source_id, span):
        for spot in spots.of(page):
            trips += finder.add(spot)
        count += len(page)
        if collect and count > MOST:
            raise Refused(211)
    trips += finder.finish()
    return Found(trips, finder.parked)


def trip_finder(folding: Folding, *, collect: bool) -> TripFinder:
    """Finds trips the way a source's trip detection is set."""
    return TripFinder(idle_ms=folding.idle_ms, min_speed=folding.min_speed, collect=collect)


class Spots:
    """Positions of a source, one page of points after the other, with what its trip detection
    heeds besides the speed."""

    def __init__(self, folding: Folding, *, lbs: bool) -> None:
        self._folding = folding
        self._lbs = lbs
        #: As told last.
        self._ignition: bool | None = None
        self._motion: bool | None = None

    def of(self, page: Iterable[Point]) -> Iterator[Spot]:
        folding = self._folding
        for point in page:
            spot = spot_of(point)
            if spot is None:
                continue
            if spot.lbs:
                if not self._lbs or not folding.believes(spot.precision):
                    continue
            elif folding.aware:
                self._judge(spot, point.values())
            yield spot

    def _judge(self, spot: Spot, values: dict[str, Any]) -> None:
        ignition = ignition_on(self._folding.ignition, values)
        if ignition is not None:
            self._ignition = ignition
        motion = values.get("is_moving")
        if motion is not None:
            self._motion = bool(motion)
        spot.still, spot.kept = self._folding.judge(self._ignition, self._motion)


async def pages(points: Points, source_id: int, span: Period) -> AsyncIterator[list[Point]]:
    """The located points of a period, page by page in the order of time."""
    moment, skip = span.start, 0
    while True:
        page = await points.page(source_id, moment, span.end, limit=PAGE, skip=skip, located=True)
        yield page
        if len(page) < PAGE:
            return
        last = page[-1].time
        same = sum(1 for point in page if point.time == last)
        skip = same + (skip if last == moment else 0)
        moment = last


def spot_of(point: Point) -> Spot | None:
    """The position that a stored point tells; None where it tells none that can be believed."""
    flags = point.flags
    latitude, longitude = point.latitude, point.longitude
    if latitude is None or longitude is None or not flags & VALID or flags & FUTURE:
        return None
    event_id = point.event_id
    return Spot(
        point.time,
        latitude,
        longitude,
        point.altitude,
        point.speed,
        point.heading,
        point.satellites,
        point.precision,
        point.found_by != GNSS,
        bool(flags & BUFFERED),
        event_id if event_id and _counts(event_id) else None,
    )


def _counts(event_id: int) -> bool:
    event = vocabulary.event(event_id)
    return event is not None and event.group != _TRACK_EVENTS
