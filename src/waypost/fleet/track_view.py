"""Tracks and their positions as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from waypost.fleet.state_view import Clock, Location
from waypost.telemetry.simplify import simplified
from waypost.telemetry.trips import Spot, Trip, distance

#: Positions of a track unless the call says how many.
POINTS = 3000


class TrackPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A position. Metres, km/h, degrees; ``mileage`` is km since the first position of the reply.
    ``parking``: it belongs to no trip."""

    lat: float
    lng: float
    alt: int
    satellites: int
    mileage: float
    get_time: str
    address: str = ""
    heading: int
    speed: int
    precision: int | msgspec.UnsetType = msgspec.UNSET
    gsm_lbs: bool | msgspec.UnsetType = msgspec.UNSET
    parking: bool | msgspec.UnsetType = msgspec.UNSET
    buffered: bool | msgspec.UnsetType = msgspec.UNSET


class Bounds(msgspec.Struct, frozen=True):
    """The box that holds all positions."""

    nw: Location
    se: Location


class MergedTrack(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="merged"):
    """All trips of the period as one. km, km/h."""

    start_date: str
    start_address: str = ""
    max_speed: int
    end_date: str
    end_address: str = ""
    length: float
    points: int
    avg_speed: int
    event_count: int | msgspec.UnsetType = msgspec.UNSET
    gsm_lbs: bool | msgspec.UnsetType = msgspec.UNSET
    points_list: list[TrackPoint] | msgspec.UnsetType = msgspec.UNSET
    bounds: Bounds


class RegularTrack(MergedTrack, frozen=True, kw_only=True, tag_field="type", tag="regular"):
    """A trip. km, km/h."""

    id: int


class SingleReport(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="single_report"
):
    """One position of a source that reports now and then only."""

    id: int
    start_date: str
    start_address: str = ""
    avg_speed: int
    gsm_lbs: bool | msgspec.UnsetType = msgspec.UNSET
    precision: int | msgspec.UnsetType = msgspec.UNSET
    points_list: list[TrackPoint] | msgspec.UnsetType = msgspec.UNSET


class Cluster(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="cluster"):
    """Single reports near each other."""

    start_date: str
    start_address: str = ""
    end_date: str
    precision: int | msgspec.UnsetType = msgspec.UNSET
    points: list[Location]
    bounds: Bounds
    gsm_lbs: bool | msgspec.UnsetType = msgspec.UNSET


Track = RegularTrack | SingleReport | MergedTrack | Cluster


class TrackForm(msgspec.Struct, frozen=True):
    """How tracks are to be shown."""

    clock: Clock
    count_events: bool = False
    with_points: bool = False
    point_limit: int | None = None


def track_points(spots: Sequence[Spot], clock: Clock) -> list[TrackPoint]:
    """Positions in the order given."""
    found: list[TrackPoint] = []
    mileage = 0.0
    previous: Spot | None = None
    for spot in spots:
        if not spot.lbs:
            if previous is not None:
                mileage += distance(previous, spot)
            previous = spot
        found.append(
            TrackPoint(
                lat=spot.latitude,
                lng=spot.longitude,
                alt=round(spot.altitude or 0),
                satellites=spot.satellites or 0,
                mileage=round(mileage, 2),
                get_time=clock.write(spot.time),
                heading=spot.heading or 0,
                speed=round(spot.speed or 0),
                precision=spot.precision or msgspec.UNSET,
                gsm_lbs=True if spot.lbs else msgspec.UNSET,
                parking=True if spot.parked else msgspec.UNSET,
                buffered=True if spot.buffered else msgspec.UNSET,
            )
        )
    return found


def regular(trip: Trip, form: TrackForm) -> RegularTrack:
    return RegularTrack(id=trip.id, **_whole(trip, form))


def merged_track(trip: Trip, form: TrackForm) -> MergedTrack:
    return MergedTrack(**_whole(trip, form))


def single_report(trip: Trip, form: TrackForm) -> SingleReport:
    return SingleReport(
        id=trip.id,
        start_date=form.clock.write(trip.first.time),
        avg_speed=round(trip.average_speed),
        gsm_lbs=msgspec.UNSET if trip.gnss else True,
        precision=trip.first.precision or msgspec.UNSET,
        points_list=_list(trip, form),
    )


def cluster(group: Sequence[Trip], form: TrackForm) -> Cluster:
    precision = max(trip.first.precision or 0 for trip in group)
    return Cluster(
        start_date=form.clock.write(group[0].first.time),
        end_date=form.clock.write(group[-1].first.time),
        precision=precision or msgspec.UNSET,
        points=[Location(trip.first.latitude, trip.first.longitude) for trip in group],
        bounds=Bounds(
            Location(max(trip.north for trip in group), min(trip.west for trip in group)),
            Location(min(trip.south for trip in group), max(trip.east for trip in group)),
        ),
        gsm_lbs=msgspec.UNSET if any(trip.gnss for trip in group) else True,
    )


def _whole(trip: Trip, form: TrackForm) -> dict[str, Any]:
    return {
        "start_date": form.clock.write(trip.first.time),
        "max_speed": round(trip.max_speed),
        "end_date": form.clock.write(trip.last.time),
        "length": round(trip.length, 2),
        "points": trip.points,
        "avg_speed": round(trip.average_speed),
        "event_count": trip.events if form.count_events else msgspec.UNSET,
        "gsm_lbs": msgspec.UNSET if trip.gnss else True,
        "points_list": _list(trip, form),
        "bounds": Bounds(Location(trip.north, trip.west), Location(trip.south, trip.east)),
    }


def _list(trip: Trip, form: TrackForm) -> list[TrackPoint] | msgspec.UnsetType:
    if not form.with_points:
        return msgspec.UNSET
    return track_points(simplified(trip.spots, form.point_limit or POINTS), form.clock)
