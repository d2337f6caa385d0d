"""What a device did in a period, from its stored points: kilometres by day, hours of its engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo

from waypost.fleet.counters import points_after
from waypost.fleet.rows import TrackerRow
from waypost.fleet.tracks import Period, Spots, pages, trip_finder
from waypost.store.points import Points
from waypost.telemetry.counters import HOUR_MS, SILENCE_MS
from waypost.telemetry.sensors import ignition_on
from waypost.telemetry.trips import Spot, Trip, distance


async def mileage_by_day(
    points: Points, row: TrackerRow, span: Period, zone: tzinfo
) -> dict[date, float]:
    """Kilometres of the trips on every day of the period, as ``zone`` has days."""
    first, last = _day(span.start, zone), _day(span.end, zone)
    found = {first + timedelta(days=number): 0.0 for number in range((last - first).days + 1)}
    finder = trip_finder(row.folding, collect=True)
    spots = Spots(row.folding, lbs=False)
    async for page in pages(points, row.source_id, span):
        for spot in spots.of(page):
            for trip in finder.add(spot):
                _add(found, trip, zone)
        finder.parked.clear()
    for trip in finder.finish():
        _add(found, trip, zone)
    return found


def _add(found: dict[date, float], trip: Trip, zone: tzinfo) -> None:
    if trip.short:
        return
    for earlier, later in _legs(trip):
        found[_day(later.time, zone)] += distance(earlier, later)


def _legs(trip: Trip) -> Iterator[tuple[Spot, Spot]]:
    earlier: Spot | None = None
    for spot in trip.spots:
        if spot.lbs:
            continue
        if earlier is not None:
            yield earlier, spot
        earlier = spot


#: Seconds a day inside what a calendar can write, so that it can in every zone.
_FIRST, _LAST = -62_135_500_000, 253_402_200_000


def _day(ms: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(min(max(ms // 1000, _FIRST), _LAST), zone).date()


async def engine_hours(points: Points, row: TrackerRow, span: Period) -> float:
    """Hours of the period in which the ignition was on. A device that was silent for longer than
    half an hour is not known to have run meanwhile."""
    source = row.folding.ignition
    on = False
    previous: int | None = None
    total = 0
    async for point in points_after(
        points, row.source_id, span.start - SILENCE_MS - 1, span.end + SILENCE_MS
    ):
        if on and previous is not None and point.time - previous <= SILENCE_MS:
            total += max(0, min(point.time, span.end) - max(previous, span.start))
        previous = point.time
        told = ignition_on(source, point.values())
        if told is not None:
            on = told
    return total / HOUR_MS
