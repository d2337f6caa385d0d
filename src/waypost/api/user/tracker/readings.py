"""``tracker/get_readings``, ``get_fuel``, ``get_diagnostics``, ``readings/*``: what devices
measure."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.catalog.sensors import Group
from waypost.fleet.counters import counters_of, settled_counters
from waypost.fleet.diagnostics import StateValue, diagnostic_value, states_of
from waypost.fleet.readings import SensorValue, readings
from waypost.fleet.readings_view import ReadingsForm, TrackerReadings
from waypost.fleet.rows import TrackerRow
from waypost.fleet.sensor_rows import KnownSensor, sensors_of
from waypost.fleet.sensors import list_sensors
from waypost.fleet.state_view import Clock
from waypost.telemetry.state import State


class Readings(msgspec.Struct):
    """Readings; ``update_time`` is that of the newest."""

    user_time: str
    inputs: list[SensorValue]
    update_time: str | None


class Diagnostics(msgspec.Struct):
    """Values of the vehicle's buses; ``states`` is null where there are none."""

    user_time: str
    inputs: list[SensorValue]
    states: dict[str, StateValue] | None
    update_time: str | None


class ManyReadings(msgspec.Struct):
    """Readings by tracker id."""

    result: dict[str, TrackerReadings]


@user_action("tracker/get_readings", tracker=Own(live=True))
async def get_readings(call: UserCall, tracker: TrackerRow) -> Readings:
    """What the tracker measures that is neither fuel nor from the vehicle's buses."""
    return await _group(call, tracker, "readings")


@user_action("tracker/get_fuel", tracker=Own(live=True))
async def get_fuel(call: UserCall, tracker: TrackerRow) -> Readings:
    """What the tracker measures of fuel."""
    return await _group(call, tracker, "fuel")


async def _group(call: UserCall, tracker: TrackerRow, group: Group) -> Readings:
    state, known = await _known(call, tracker)
    shown = [
        one for one in readings(known, state, call.user.measurement_system) if one.group == group
    ]
    return Readings(
        call.time(call.now),
        [one.value for one in shown],
        call.time_or_none(max((one.time for one in shown), default=None)),
    )


@user_action("tracker/get_diagnostics", tracker=Own(live=True))
async def get_diagnostics(call: UserCall, tracker: TrackerRow) -> Diagnostics:
    """The newest values from the vehicle's CAN and OBD buses."""
    state, known = await _known(call, tracker)
    shown = [
        one
        for one in readings(known, state, call.user.measurement_system)
        if one.group == "diagnostics"
    ]
    states = [one for one in states_of(state) if one.row.diagnostics]
    times = [one.time for one in shown] + [one.time for one in states]
    return Diagnostics(
        call.time(call.now),
        [one.value for one in shown],
        {one.name: diagnostic_value(one) for one in states} or None,
        call.time_or_none(max(times, default=None)),
    )


async def _known(call: UserCall, tracker: TrackerRow) -> tuple[State | None, list[KnownSensor]]:
    fleet = call.services.fleet
    known = await fleet.states.one(tracker.source_id)
    async with fleet.database.read() as connection:
        return known.state, await list_sensors(connection, tracker.source_id)


@user_action("tracker/readings/list", tracker=Own(missing=204, live=True))
async def list_(
    call: UserCall,
    tracker: TrackerRow,
    sensor_type: str | None = None,
    include_components: bool = True,
) -> TrackerReadings:
    """Everything that a tracker reads: sensors, states, virtual sensors, counters. With
    ``sensor_type`` only sensors of this type. ``include_components`` false: without sensors that
    are parts of composite ones."""
    form = _form(call, sensor_type, include_components)
    state, known = await _known(call, tracker)
    counters = await settled_counters(call.services.fleet, tracker) if form.all else []
    return form.show(state, known, counters)


@user_action("tracker/readings/batch_list", errors=[217])
async def batch_list(
    call: UserCall,
    trackers: TrackerIds,
    sensor_type: str | None = None,
    include_components: bool = True,
) -> ManyReadings:
    """The same of several trackers."""
    form = _form(call, sensor_type, include_components)
    fleet = call.services.fleet
    rows = await named_trackers(call, trackers, most=None)
    source_ids = [row.source_id for row in rows]
    states = await fleet.states.get(source_ids)
    async with fleet.database.read() as connection:
        known = await sensors_of(connection, source_ids)
        counters = await counters_of(connection, source_ids) if form.all else {}
    return ManyReadings(
        {
            str(row.id): form.show(
                states[row.source_id].state,
                known.get(row.source_id, []),
                counters.get(row.source_id, []),
            )
            for row in rows
        }
    )


def _form(call: UserCall, sensor_type: str | None, components: bool) -> ReadingsForm:
    user = call.user
    clock = Clock(user.zone, call.iso)
    return ReadingsForm(clock, user.measurement_system, sensor_type, components=components)
