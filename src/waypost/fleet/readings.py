"""What a device measures now, by its sensors.

What a device reports of an input that no sensor reads is shown too, under the catalog's label: a
device is of use before anybody has described its wiring. Registers without a meaning of their own
(``avl_io_78``) are shown only where a sensor gives them one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from waypost.catalog import sensors as catalog
from waypost.catalog import vocabulary
from waypost.catalog.sensors import Group, Input
from waypost.fleet.sensor_rows import KnownSensor
from waypost.telemetry.sensors import (
    Discrete,
    Metering,
    Virtual,
    composed,
    line_on,
    measured,
    scale,
    titled,
    virtual_value,
)
from waypost.telemetry.state import State, known_value
from waypost.telemetry.units import CUSTOM, converted, number_of, tidy

#: Which catalog units are units of measurement for the API; the rest are custom ones.
_UNITS_TYPES = {"L": "litre", "degC": "celsius", "km/h": "speed"}
#: How a unit is written for people.
_UNITS = {"degC": "°C"}

#: Inputs of the vehicle's buses, whatever the catalog knows of them.
_BUSES = ("can_", "obd_", "raw_can_", "raw_obd_")

Composites = dict[int, list[int]]
"""Sensor -> the composite sensors that it is part of."""


class SensorValue(msgspec.Struct, frozen=True):
    """A reading. ``units`` are for people, ``units_type`` for programs; both ``converted`` fields
    are null where no conversion is needed."""

    label: str
    name: str
    type: str
    value: float
    units_type: str
    units: str
    converted_units_type: str | None
    converted_value: float | None


class Reading(msgspec.Struct, frozen=True):
    """What a sensor (or, without one, an input) measured at ``time`` (ms), and the least and the
    greatest that it can."""

    value: SensorValue
    time: int
    group: Group
    sensor_id: int | None = None
    scale: tuple[float, float] | None = None


class VirtualReading(msgspec.Struct, frozen=True):
    """What a virtual sensor says: a title, or the state itself."""

    sensor: Virtual
    value: int | float | str
    time: int


class DiscreteState(msgspec.Struct, frozen=True):
    """What a digital input means, and whether it is on."""

    type: str
    name: str | None
    status: bool
    input_number: int


def group_of(input_name: str, sensor_type: str) -> Group:
    """Which of ``get_fuel``, ``get_diagnostics`` and ``get_readings`` shows a sensor: what the
    catalog says of its input; where that leaves it open, fuel by its type."""
    row = catalog.input_named(input_name)
    groups = row.groups if row is not None else ("readings",)
    if len(groups) == 1 and groups[0] != "readings":
        return groups[0]
    if row is None and input_name.startswith(_BUSES):
        return "diagnostics"
    return "fuel" if sensor_type == "fuel" else "readings"


def readings(known: Sequence[KnownSensor], state: State | None, system: str) -> list[Reading]:
    """All readings that there are, for a user of measurement system ``system``: of sensors in the
    order they were made, then of inputs that no sensor reads, by name."""
    if state is None:
        return []
    found: list[Reading] = []
    measurements: dict[int, tuple[float, int]] = {}
    for one in known:
        sensor = one.sensor
        if isinstance(sensor, Metering) and not sensor.composite:
            told = known_value(state, sensor.input_name)
            value = measured(sensor, one.table, told[0]) if told is not None else None
            if told is not None and value is not None:
                measurements[sensor.id] = value, told[1]
    scales = {
        one.id: scale(one.sensor, one.table) for one in known if isinstance(one.sensor, Metering)
    }
    for one in known:
        sensor = one.sensor
        if not isinstance(sensor, Metering):
            continue
        if sensor.composite:
            parts = [measurements.get(part) for part in sensor.parent_ids]
            total = composed([part[0] if part else None for part in parts])
            if total is None:
                continue
            time = max(part[1] for part in parts if part)
            measurements[sensor.id] = total, time
            scales[sensor.id] = _composite_scale(sensor, [scales.get(p) for p in sensor.parent_ids])
        if sensor.id in measurements:
            number, time = measurements[sensor.id]
            found.append(
                Reading(
                    _sensor_value(sensor, number, system),
                    time,
                    group_of(sensor.input_name, sensor.sensor_type),
                    sensor.id,
                    scales.get(sensor.id),
                )
            )
    read = {one.sensor.input_name for one in known if isinstance(one.sensor, Metering)}
    found += _unread(state, read, system)
    return found


def _composite_scale(
    sensor: Metering, parts: Sequence[tuple[float, float] | None]
) -> tuple[float, float] | None:
    volume = sensor.parameter("volume")
    if volume is not None:
        return 0.0, float(volume)
    ends = [part for part in parts if part is not None]
    if not ends or len(ends) < len(parts):
        return None
    return tidy(sum(low for low, _ in ends)), tidy(sum(high for _, high in ends))


def _sensor_value(sensor: Metering, number: float, system: str) -> SensorValue:
    units_type, value = converted(number, sensor.units_type, system)
    return SensorValue(
        label=sensor.name,
        name=sensor.input_name,
        type=sensor.sensor_type,
        value=number,
        units_type=sensor.units_type,
        units=sensor.units,
        converted_units_type=units_type,
        converted_value=value,
    )


def _unread(state: State, read: set[str], system: str) -> list[Reading]:
    """Readings of inputs that no sensor reads."""
    found: list[Reading] = []
    for name in sorted({vocabulary.shown_as(said) for said in (*state.values, *_GROUPED)}):
        row = catalog.input_named(name)
        told = known_value(state, name)
        if row is None or told is None or name in read or _is_register(row):
            continue
        number = number_of(told[0])
        if number is not None:
            value = _input_value(row, name, tidy(number), system)
            found.append(Reading(value, told[1], group_of(name, row.sensor_type)))
    return found


#: Inputs whose values the state keeps apart from the others.
_GROUPED = ("battery_level", "battery_voltage")


def _is_register(row: Input) -> bool:
    """A number that the maker, or whoever installed the device, gives its meaning."""
    return row.index is not None and row.index[1] is None and row.unit is None


def _input_value(row: Input, name: str, number: float, system: str) -> SensorValue:
    unit = row.unit or ""
    units_type = _UNITS_TYPES.get(unit, CUSTOM)
    converted_type, value = converted(number, units_type, system)
    index = catalog.split_index(name)[1] if row.index else None
    return SensorValue(
        label=row.label if index is None else f"{row.label} {index}",
        name=name,
        type=row.sensor_type,
        value=number,
        units_type=units_type,
        units=_UNITS.get(unit, unit),
        converted_units_type=converted_type,
        converted_value=value,
    )


def composites(known: Iterable[KnownSensor]) -> Composites:
    """Which sensors are parts of which."""
    found: Composites = {}
    for one in known:
        if isinstance(one.sensor, Metering):
            for part in one.sensor.parent_ids:
                found.setdefault(part, []).append(one.id)
    return found


def virtual_readings(known: Iterable[KnownSensor], state: State | None) -> list[VirtualReading]:
    """What virtual sensors say now."""
    found: list[VirtualReading] = []
    for one in known:
        sensor = one.sensor
        told = None
        if isinstance(sensor, Virtual) and state is not None:
            told = known_value(state, sensor.input_name)
        if told is None or not isinstance(sensor, Virtual):
            continue
        value = virtual_value(sensor, told[0])
        if value is not None:
            found.append(VirtualReading(sensor, titled(sensor, value), told[1]))
    return found


def discrete_states(known: Iterable[KnownSensor], state: State | None) -> list[DiscreteState]:
    """What digital inputs mean, in the order of their numbers; one that was never heard of is
    off. A type of sensor that is none of the documented input types is shown as ``custom``."""
    mask: Any = state.inputs.mask if state is not None and state.inputs is not None else 0
    semantic = catalog.sensors().semantic_input_types
    found = [
        DiscreteState(
            type=sensor.sensor_type if sensor.sensor_type in semantic else CUSTOM,
            name=sensor.name or None,
            status=bool(line_on(mask, sensor.input_number)),
            input_number=sensor.input_number,
        )
        for sensor in (one.sensor for one in known)
        if isinstance(sensor, Discrete)
    ]
    return sorted(found, key=lambda one: one.input_number)
