"""``tracker/get_state``, ``get_states``, ``get_last_gps_point``: where trackers are and how they
do."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.reply import Encoded, Value
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import TrackerState

TrackerIds = Annotated[list[int], msgspec.Meta(max_length=2000)]

_encode = msgspec.json.Encoder().encode


class OneState(msgspec.Struct):
    """``user_time``: the time now."""

    user_time: str
    state: TrackerState


class ManyStates(msgspec.Struct):
    """States by tracker id; ``blocked`` and ``not_exist`` where the call asks for them."""

    user_time: str
    states: dict[str, TrackerState]
    blocked: list[int] | msgspec.UnsetType = msgspec.UNSET
    not_exist: list[int] | msgspec.UnsetType = msgspec.UNSET


class LastGpsPoint(msgspec.Struct):
    """A position found by satellites. Degrees, km/h, metres."""

    get_time: str
    heading: int
    lat: float
    lng: float
    satellites: int
    speed: int
    precision: int | msgspec.UnsetType = msgspec.UNSET


@user_action("tracker/get_state", tracker=Own(live=True))
async def get_state(call: UserCall, tracker: TrackerRow) -> Encoded[OneState]:
    """The newest that is known of a tracker."""
    fleet = call.services.fleet
    garage = await fleet.trackers.of_user(call.user)
    known = await fleet.states.one(tracker.source_id)
    keyed = garage.views(call.user.zone, call.iso).encode(tracker, known, call.now)
    return Encoded([_opening(call), b',"state":', keyed[keyed.index(b":") + 1 :], b"}"])


@user_action("tracker/get_states", errors=[201, 208, 217])
async def get_states(
    call: UserCall, trackers: TrackerIds, list_blocked: bool = False, allow_not_exist: bool = False
) -> Encoded[ManyStates]:
    """The newest that is known of several trackers. Blocked and missing ones are refused (208; 217,
    or 201 where one was corrupted) unless the call wants them listed."""
    fleet = call.services.fleet
    garage = await fleet.trackers.of_user(call.user)
    views = garage.views(call.user.zone, call.iso)
    pieces, others = views.kept(
        dict.fromkeys(trackers), garage.by_id, fleet.states.believed_from, call.now
    )
    blocked: list[int] = []
    missing: list[int] = []
    if others:
        rows: list[TrackerRow] = []
        for tracker_id in others:
            row = garage.by_id.get(tracker_id)
            if row is None:
                missing.append(tracker_id)
            elif row.blocked:
                blocked.append(tracker_id)
            else:
                rows.append(row)
        if not allow_not_exist and any(one in garage.corrupted for one in missing):
            raise ApiError(201)
        if blocked and not list_blocked:
            raise ApiError(208)
        if missing and not allow_not_exist:
            raise ApiError(217)
        known = await fleet.states.get([row.source_id for row in rows])
        pieces += [views.encode(row, known[row.source_id], call.now) for row in rows]
    parts = [_opening(call), b',"states":{', b",".join(pieces), b"}"]
    if list_blocked:
        parts += (b',"blocked":', _encode(blocked))
    if allow_not_exist:
        parts += (b',"not_exist":', _encode(missing))
    parts.append(b"}")
    return Encoded(parts)


def _opening(call: UserCall) -> bytes:
    return b'{"success":true,"user_time":"%b"' % call.time(call.now).encode()


@user_action("tracker/get_last_gps_point", tracker=Own(live=True))
async def get_last_gps_point(call: UserCall, tracker: TrackerRow) -> Value[LastGpsPoint | None]:
    """The newest position found by satellites; null where there is none yet."""
    known = await call.services.fleet.states.one(tracker.source_id)
    fix = known.state.gnss if known.state is not None else None
    if fix is None:
        return Value(None)
    return Value(
        LastGpsPoint(
            get_time=call.time(fix.time),
            heading=round(fix.heading or 0),
            lat=fix.latitude,
            lng=fix.longitude,
            satellites=fix.satellites or 0,
            speed=round(fix.speed or 0),
            precision=fix.precision or msgspec.UNSET,
        )
    )
