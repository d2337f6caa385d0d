"""``track/list`` and ``track/read``: trips, and the positions they are made of."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.params import Moment
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import Clock
from waypost.fleet.track_view import (
    POINTS,
    Track,
    TrackForm,
    TrackPoint,
    cluster,
    merged_track,
    regular,
    single_report,
    track_points,
)
from waypost.fleet.tracks import find_tracks, period
from waypost.telemetry.simplify import simplified
from waypost.telemetry.trips import Trip, clusters, merged

PointLimit = Annotated[int, msgspec.Meta(ge=2, le=3000)]


class Tracks(msgspec.Struct):
    """``limit_exceeded``: the period begins before what is kept of the tracker."""

    limit_exceeded: bool
    items: list[Track] = msgspec.field(name="list")


class TrackPoints(msgspec.Struct):
    """``limit_exceeded``: the period begins before what is kept of the tracker."""

    limit_exceeded: bool
    items: list[TrackPoint] = msgspec.field(name="list")


@user_action("track/list", tracker=Own(live=True), errors=[211])
async def list_(
    call: UserCall,
    tracker: TrackerRow,
    from_: Moment,
    to: Moment,
    filter: bool = True,
    split: bool = True,
    include_gsm_lbs: bool = True,
    cluster_single_reports: bool = False,
    count_events: bool = False,
    omit_addresses: bool = False,
    with_points: bool = False,
    point_limit: PointLimit | None = None,
) -> Tracks:
    """Trips of a tracker in a period. ``filter``: without those that are too short to be trips.
    ``split`` false: all as one. Addresses are empty without a geocoder."""
    span = period(tracker, from_, to, call.now, call.services.settings.track_days)
    found = await find_tracks(
        call.services.points, tracker, span, lbs=include_gsm_lbs, collect=with_points
    )
    trips = [trip for trip in found.trips if not (filter and trip.short)]
    form = TrackForm(Clock(call.user.zone, call.iso), count_events, with_points, point_limit)
    return Tracks(
        span.limit_exceeded, _tracks(trips, form, split=split, clustered=cluster_single_reports)
    )


def _tracks(trips: list[Trip], form: TrackForm, *, split: bool, clustered: bool) -> list[Track]:
    if not split:
        whole = merged(trips)
        return [] if whole is None else [merged_track(whole, form)]
    groups = clusters(trips) if clustered else ([trip] for trip in trips)
    return [_track(group, form) for group in groups]


def _track(group: list[Trip], form: TrackForm) -> Track:
    if len(group) > 1:
        return cluster(group, form)
    trip = group[0]
    return single_report(trip, form) if trip.single else regular(trip, form)


@user_action("track/read", tracker=Own(live=True), errors=[211])
async def read(
    call: UserCall,
    tracker: TrackerRow,
    from_: Moment,
    to: Moment,
    track_id: int | None = None,
    include_gsm_lbs: bool = True,
    simplify: bool = True,
    point_limit: PointLimit | None = None,
    filter: bool | None = None,
) -> TrackPoints:
    """Positions of a tracker in a period, or of one track in it. ``filter`` true: only those that
    belong to trips. ``simplify``: no more than ``point_limit`` (3000), the line being the same."""
    span = period(tracker, from_, to, call.now, call.services.settings.track_days)
    lbs = include_gsm_lbs or track_id is not None
    found = await find_tracks(call.services.points, tracker, span, lbs=lbs, collect=True)
    if track_id is not None:
        spots = [spot for trip in found.trips if trip.id == track_id for spot in trip.spots]
    else:
        spots = [spot for trip in found.trips for spot in trip.spots]
        if not filter:
            spots = sorted([*spots, *found.parked], key=lambda spot: spot.time)
    if simplify:
        spots = simplified(spots, point_limit or POINTS)
    return TrackPoints(span.limit_exceeded, track_points(spots, Clock(call.user.zone, call.iso)))
