"""Tracks of a source over a period, read from the store page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from waypost.catalog import vocabulary
from waypost.fleet.rows import TrackerRow
from waypost.refusal import Refused, invalid
from waypost.store.points import BUFFERED, FUTURE, PAGE, VALID, Point, Points
from waypost.telemetry.message import GNSS
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
    points: Points, source_id: int, span: Period, *, lbs: bool, collect: bool
) -> Found:
    """All trips of a period; with ``collect``, with their positions. ``lbs``: positions by the
    mobile network too. Raises :class:`Refused` 211 where there are too many to collect."""
    finder = TripFinder(collect=collect)
    trips: list[Trip] = []
    count = 0
    async for page in _pages(points, source_id, span):
        for point in page:
            spot = spot_of(point)
            if spot is not None and (lbs or not spot.lbs):
                trips += finder.add(spot)
        count += len(page)
        if collect and count > MOST:
            raise Refused(211)
    trips += finder.finish()
    return Found(trips, finder.parked)


async def _pages(points: Points, source_id: int, span: Period) -> AsyncIterator[list[Point]]:
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
