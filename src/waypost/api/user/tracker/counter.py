"""``tracker/counter/*`` and ``get_counters``: odometers and the like."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Moment
from waypost.api.reply import Listed, Value
from waypost.fleet.counters import (
    CounterRow,
    change_counter,
    counters_of,
    find_counter,
    history,
    set_value,
    settle,
    settled_counters,
    state_of,
)
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import Clock

Kind = Literal["odometer", "engine_hours", "fuel_consumed"]

Multiplier = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Shown = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
SensorId = Annotated[int, msgspec.Meta(ge=0)]

DAY_MS = 86_400_000
#: Longest period of ``data/read``, days.
LONGEST = 31


class CounterObject(msgspec.Struct):
    """A counter; ``sensor_id`` is the sensor that counts, where one is chosen."""

    id: int
    type: Kind
    multiplier: float
    sensor_id: int | msgspec.UnsetType = msgspec.UNSET


class CounterDatum(msgspec.Struct):
    """What a counter showed."""

    value: float
    update_time: str


class TypedValue(msgspec.Struct):
    """What a counter shows: km, hours or litres, as somebody set it."""

    type: str
    value: float
    update_time: str


class Counters(msgspec.Struct):
    """``user_time``: the time now."""

    user_time: str
    items: list[TypedValue] = msgspec.field(name="list")


@user_action("tracker/counter/read", tracker=Own(missing=204, live=True, clone=False), errors=[204])
async def read(call: UserCall, tracker: TrackerRow, type: Kind) -> Value[CounterObject]:
    """How a counter counts."""
    async with call.services.database.read() as connection:
        found = await find_counter(connection, tracker.source_id, type)
    if found is None:
        raise ApiError(204)
    return Value(
        CounterObject(
            found.id,
            type,
            found.multiplier,
            found.sensor_id if found.sensor_id is not None else msgspec.UNSET,
        )
    )


@user_action(
    "tracker/counter/update",
    right="tracker_update",
    tracker=Own(missing=204, live=True, clone=False),
)
async def update(
    call: UserCall,
    tracker: TrackerRow,
    type: Kind,
    multiplier: Multiplier,
    sensor_id: SensorId | None = None,
) -> None:
    """What a counter counts from now on is worth ``multiplier`` times as much; an odometer may
    count by a metering sensor."""
    if sensor_id is not None and type != "odometer":
        raise invalid("sensor_id", "must be null where type is not odometer")
    fleet = call.services.fleet
    await settled_counters(fleet, tracker)
    state = await state_of(fleet, tracker.source_id)
    async with fleet.write() as write:
        row = await call.locked(write, tracker)
        await change_counter(write, row, type, multiplier, sensor_id, state, call.now)


@user_action("tracker/get_counters", tracker=Own(missing=204, live=True))
async def get_counters(call: UserCall, tracker: TrackerRow) -> Counters:
    """What the counters of a tracker show."""
    fleet = call.services.fleet
    counters = await settled_counters(fleet, tracker)
    state = await state_of(fleet, tracker.source_id)
    shown = [(one.type, one.shown(state)) for one in counters]
    return Counters(
        call.time(call.now),
        [TypedValue(kind, told[0], call.time(told[1])) for kind, told in shown if told is not None],
    )


@user_action("tracker/counter/value/get", tracker=Own(missing=204, live=True), errors=[204])
async def value_get(call: UserCall, tracker: TrackerRow, type: Kind) -> Value[float]:
    """What a counter shows; 204 where there is none, or nobody set it and it has not counted."""
    fleet = call.services.fleet
    counter = await _need(call, tracker, type)
    state = await state_of(fleet, tracker.source_id)
    shown = (await settle(fleet, counter, state)).shown(state)
    if shown is None:
        raise ApiError(204)
    return Value(shown[0])


@user_action("tracker/counter/value/list", errors=[204, 217])
async def value_list(call: UserCall, trackers: TrackerIds, type: Kind) -> Value[dict[str, float]]:
    """What the counters of several trackers show; 204 where one shows nothing."""
    fleet = call.services.fleet
    rows = await named_trackers(call, trackers, most=None)
    source_ids = [row.source_id for row in rows]
    async with fleet.database.read() as connection:
        counters = await counters_of(connection, source_ids, type)
    states = await fleet.states.get(source_ids)
    found: dict[str, float] = {}
    for row in rows:
        mine = counters.get(row.source_id)
        shown = mine[0].shown(states[row.source_id].state) if mine else None
        if shown is None:
            raise ApiError(204)
        found[str(row.id)] = shown[0]
    return Value(found)


@user_action("tracker/counter/value/set", tracker=Own(missing=204, live=True, clone=False))
async def value_set(call: UserCall, tracker: TrackerRow, type: Kind, value: Shown) -> None:
    """A counter shows ``value`` and counts on from there. Makes it where there was none."""
    fleet = call.services.fleet
    await settled_counters(fleet, tracker)
    state = await state_of(fleet, tracker.source_id)
    async with fleet.write() as write:
        row = await call.locked(write, tracker)
        await set_value(write, row, type, value, state, call.now)


@user_action("tracker/counter/data/read", tracker=Own(missing=204, live=True), errors=[204, 211])
async def data_read(
    call: UserCall, tracker: TrackerRow, type: Kind, from_: Moment, to: Moment
) -> Listed[CounterDatum]:
    """What a counter showed in a period of 31 days at most, a value a minute at most."""
    if to < from_:
        raise invalid("to", "must not be earlier than from")
    if to - from_ > LONGEST * DAY_MS:
        raise invalid("to", f"must not be more than {LONGEST} days after from")
    if to - from_ > call.services.settings.track_days * DAY_MS:
        raise ApiError(211)
    counter = await _need(call, tracker, type)
    write = Clock(call.user.zone, call.iso).write
    found = await history(call.services.fleet, counter, from_, to)
    return Listed([CounterDatum(one.value, write(one.time)) for one in found])


async def _need(call: UserCall, tracker: TrackerRow, kind: str) -> CounterRow:
    async with call.services.database.read() as connection:
        found = await find_counter(connection, tracker.source_id, kind)
    if found is None:
        raise ApiError(204)
    return found
