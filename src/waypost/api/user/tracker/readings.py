"""``tracker/get_readings``, ``get_fuel``, ``get_diagnostics``, ``readings/*``: what devices
measure."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import invalid
from waypost.catalog import sensors as catalog
from waypost.catalog.sensors import Group
from waypost.fleet.counters import CounterRow, counters_of, settled_counters
from waypost.fleet.diagnostics import StateValue, diagnostic_value, states_of
from waypost.fleet.readings import (
    Reading,
    SensorValue,
    composites,
    readings,
    virtual_readings,
)
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


class InputReading(msgspec.Struct, kw_only=True):
    """What a sensor measured. ``sensor_id`` is missing where the device reports something that no
    sensor reads; least and greatest value are known where the sensor is calibrated."""

    sensor_id: int | msgspec.UnsetType = msgspec.UNSET
    label: str
    units: str
    name: str
    type: str
    min_value: float | msgspec.UnsetType = msgspec.UNSET
    max_value: float | msgspec.UnsetType = msgspec.UNSET
    value: float
    units_type: str
    converted_units_type: str | None
    converted_value: float | None
    update_time: str
    #: The composite sensors that it is part of.
    composite_sensor_ids: list[int] | msgspec.UnsetType = msgspec.UNSET


class StateReading(msgspec.Struct):
    """A state that the device reports."""

    field: str
    value: str | int | float | bool
    update_time: str


class VirtualSensorReading(msgspec.Struct):
    """What a virtual sensor says."""

    sensor_id: int
    label: str
    value: str | int | float
    type: str
    update_time: str


class CounterReading(msgspec.Struct):
    """What a counter shows."""

    type: str
    value: float
    update_time: str


class TrackerReadings(msgspec.Struct):
    """Everything that a tracker reads."""

    inputs: list[InputReading]
    states: list[StateReading]
    virtual_sensors: list[VirtualSensorReading]
    counters: list[CounterReading]


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
    known = (await fleet.states.get([tracker.source_id]))[tracker.source_id]
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
    form = _Form(call, sensor_type, include_components)
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
    form = _Form(call, sensor_type, include_components)
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


class _Form:
    """What a caller wants to see of readings, and how."""

    def __init__(self, call: UserCall, sensor_type: str | None, components: bool) -> None:
        types = (*catalog.sensor_types("metering"), *catalog.sensor_types("virtual"))
        if sensor_type is not None and sensor_type not in types:
            raise invalid("sensor_type", f"must be one of {', '.join(map(str, types))}")
        self._type = sensor_type
        self._components = components
        self._system = call.user.measurement_system
        self._clock = Clock(call.user.zone, call.iso)

    @property
    def all(self) -> bool:
        """States and counters too."""
        return self._type is None

    def show(
        self, state: State | None, known: list[KnownSensor], counters: list[CounterRow]
    ) -> TrackerReadings:
        write = self._clock.write
        parts = composites(known)
        return TrackerReadings(
            inputs=[
                self._input(one, parts.get(one.sensor_id or 0, []))
                for one in readings(known, state, self._system)
                if self._wanted(one.value.type) and (self._components or one.sensor_id not in parts)
            ],
            states=[
                StateReading(one.name, one.value, write(one.time))
                for one in (states_of(state) if self.all else ())
            ],
            virtual_sensors=[
                VirtualSensorReading(
                    one.sensor.id,
                    one.sensor.name,
                    one.value,
                    one.sensor.sensor_type,
                    write(one.time),
                )
                for one in virtual_readings(known, state)
                if self._wanted(one.sensor.sensor_type)
            ],
            counters=[
                CounterReading(counter.type, shown[0], write(shown[1]))
                for counter, shown in ((one, one.shown(state)) for one in counters)
                if shown is not None
            ],
        )

    def _wanted(self, sensor_type: str) -> bool:
        return self._type is None or sensor_type == self._type

    def _input(self, reading: Reading, parts: list[int]) -> InputReading:
        value = reading.value
        ends = reading.scale
        return InputReading(
            sensor_id=reading.sensor_id if reading.sensor_id is not None else msgspec.UNSET,
            label=value.label,
            units=value.units,
            name=value.name,
            type=value.type,
            min_value=ends[0] if ends else msgspec.UNSET,
            max_value=ends[1] if ends else msgspec.UNSET,
            value=value.value,
            units_type=value.units_type,
            converted_units_type=value.converted_units_type,
            converted_value=value.converted_value,
            update_time=self._clock.write(reading.time),
            composite_sensor_ids=parts or msgspec.UNSET,
        )
