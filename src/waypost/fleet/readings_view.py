"""All that a tracker reads, as ``readings/*`` and live events show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from waypost.catalog import sensors as catalog
from waypost.fleet.counters import CounterRow
from waypost.fleet.diagnostics import states_of
from waypost.fleet.readings import Reading, composites, readings, virtual_readings
from waypost.fleet.sensor_rows import KnownSensor
from waypost.fleet.state_view import Clock
from waypost.refusal import invalid
from waypost.telemetry.state import State


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


def check_sensor_type(sensor_type: str | None) -> None:
    """Raises :class:`Refused` 7 for a type of which no sensor can be."""
    types = (*catalog.sensor_types("metering"), *catalog.sensor_types("virtual"))
    if sensor_type is not None and sensor_type not in types:
        raise invalid("sensor_type", f"must be one of {', '.join(map(str, types))}")


class ReadingsForm:
    """What somebody wants to see of readings, and how. Raises :class:`Refused` 7 for a type of
    sensors that there is not."""

    def __init__(
        self, clock: Clock, system: str, sensor_type: str | None = None, *, components: bool = True
    ) -> None:
        check_sensor_type(sensor_type)
        self._type = sensor_type
        self._components = components
        self._system = system
        self._clock = clock

    @property
    def all(self) -> bool:
        """States and counters too."""
        return self._type is None

    def show(
        self, state: State | None, known: Sequence[KnownSensor], counters: Iterable[CounterRow]
    ) -> TrackerReadings:
        """The readings that these sensors and counters make of a state."""
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
