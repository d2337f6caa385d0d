"""What a device reports of its vehicle's CAN and OBD buses, as ``get_diagnostics`` shows it."""

from __future__ import annotations

import math

import msgspec

from waypost.catalog import sensors, vocabulary
from waypost.fleet.state_view import value_text
from waypost.telemetry.state import State

#: Which catalog units are units of measurement for the API; the rest are custom ones.
_UNITS_TYPES = {"L": "litre", "degC": "celsius", "km/h": "speed"}
#: How a unit is written for people.
_UNITS = {"degC": "°C"}

#: Measurement systems whose temperatures are in Fahrenheit.
_FAHRENHEIT = frozenset({"imperial", "us"})

#: States that the documentation gives in words: false, true.
_WORDS = {
    "external_power_state": ("disconnected", "connected"),
    "driver_ident_state": ("not identified", "identified"),
}

StateValue = str | int | float


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


class Diagnostics(msgspec.Struct):
    """Readings and states, and the time (ms) of the newest of them."""

    inputs: list[SensorValue]
    states: dict[str, StateValue]
    time: int | None


def diagnostics_of(state: State | None, measurement_system: str) -> Diagnostics:
    """Readings in the order of names, temperatures converted where ``measurement_system`` has
    others."""
    found = Diagnostics([], {}, None)
    if state is None:
        return found
    for name, (value, time) in sorted(state.values.items()):
        shown = vocabulary.shown_as(name)
        reading = _reading(shown, value, measurement_system)
        if reading is not None:
            found.inputs.append(reading)
        else:
            known = sensors.state_named(shown)
            if known is None or not known.diagnostics or value is None:
                continue
            found.states[shown] = _state_value(known, value)
        found.time = time if found.time is None else max(found.time, time)
    return found


def _reading(name: str, value: object, measurement_system: str) -> SensorValue | None:
    """The reading of an input of the diagnostics group, or None."""
    row = sensors.input_named(name)
    if row is None or "diagnostics" not in row.groups:
        return None
    number = _number(value)
    if number is None:
        return None
    unit = row.unit or ""
    converted = unit == "degC" and measurement_system in _FAHRENHEIT
    index = sensors.split_index(name)[1] if row.index else None
    return SensorValue(
        label=row.label if index is None else f"{row.label} {index}",
        name=name,
        type=row.sensor_type,
        value=number,
        units_type=_UNITS_TYPES.get(unit, "custom"),
        units=_UNITS.get(unit, unit),
        converted_units_type="fahrenheit" if converted else None,
        converted_value=round(number * 9 / 5 + 32, 2) if converted else None,
    )


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _state_value(row: sensors.State, value: object) -> StateValue:
    """Numbers stay numbers where the documentation says so; everything else is text."""
    if row.type == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if row.type == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    words = _WORDS.get(row.name)
    if words is not None and isinstance(value, bool | int):
        return words[bool(value)]
    return value_text(value)
