"""Sensors: what a device's inputs measure and mean. Pure.

A *metering* sensor turns a number into a measurement: within the acceptable raw range, through its
calibration table if it has one, then divided. A *discrete* one names a digital input. A *virtual*
one makes a state of any value: is it in a range, which bit is set, or what it says.

The objects are the API's (user API, ``tracker/sensor``); what their ``parameters`` may hold is in
the catalog (``catalog.sensors``).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from waypost.catalog import vocabulary
from waypost.telemetry.units import CUSTOM, number_of, tidy

#: Input name of a sensor that adds up others.
COMPOSITE = "composite"

IGNITION = "ignition"
VIRTUAL_IGNITION = "virtual_ignition"

#: Raw value and what it means, rising by the first.
Table = tuple[tuple[float, float], ...]

_NONE: dict[str, Any] = {}


class Metering(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="metering"):
    """A measurement. ``accuracy`` in per cent is for whoever looks for leaps of its values."""

    id: int
    sensor_type: str
    name: str
    input_name: str
    divider: float = 1.0
    accuracy: float = 0.0
    units: str = ""
    units_type: str = CUSTOM
    group_type: Any = msgspec.UNSET
    parameters: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    def parameter(self, name: str) -> Any:
        """One of ``parameters``, or None."""
        return (self.parameters or _NONE).get(name)

    @property
    def composite(self) -> bool:
        return self.input_name == COMPOSITE

    @property
    def parent_ids(self) -> tuple[int, ...]:
        """The sensors that a composite one adds up."""
        return tuple(self.parameter("parent_ids") or ()) if self.composite else ()


class Discrete(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="discrete"):
    """What a digital input (1 to 8) is connected to."""

    id: int
    sensor_type: str
    name: str
    input_number: int


class Virtual(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="virtual"):
    """A state made of any value that the device reports."""

    id: int
    sensor_type: str
    name: str
    input_name: str
    custom_field_name: bool = False
    parameters: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    def parameter(self, name: str) -> Any:
        """One of ``parameters``, or None."""
        return (self.parameters or _NONE).get(name)


Sensor = Metering | Discrete | Virtual


class Ignition(msgspec.Struct, frozen=True):
    """Where the ignition's state comes from, where it is not the device's own word: a digital
    input, or a virtual sensor."""

    line: int | None = None
    virtual: Virtual | None = None

    @property
    def key(self) -> str:
        """Tells one source from another."""
        return f"line {self.line}" if self.virtual is None else f"sensor {self.virtual.id}"


def raw_value(values: Mapping[str, Any], input_name: str) -> Any:
    """What a message's ``values`` say of an input, by its own name or by the vocabulary's other
    name for it; None: nothing."""
    value = values.get(input_name)
    if value is None:
        other = vocabulary.said_as(input_name)
        if other is not None:
            value = values.get(other)
    return value


def calibrated(table: Table, raw: float, *, bounded: bool) -> float:
    """``raw`` through a calibration table of two points at least: on the line between the points
    around it. Beyond the ends the line goes on, or (``bounded``) the end's value holds."""
    if bounded:
        if raw <= table[0][0]:
            return table[0][1]
        if raw >= table[-1][0]:
            return table[-1][1]
    at = bisect_left(table, raw, 1, len(table) - 1, key=lambda point: point[0])
    (low, below), (high, above) = table[at - 1], table[at]
    if raw == high:
        return above
    return below + (raw - low) * (above - below) / (high - low)


def measured(sensor: Metering, table: Table, raw: Any) -> float | None:
    """The measurement that ``raw`` makes; None where it is no number or not acceptable. A tank is
    never fuller than full: readings of fuel keep to the ends of their table."""
    number = number_of(raw)
    if number is None:
        return None
    low, high = sensor.parameter("min"), sensor.parameter("max")
    if (low is not None and number < low) or (high is not None and number > high):
        return None
    if table:
        number = calibrated(table, number, bounded=sensor.sensor_type == "fuel")
    number /= sensor.divider
    return tidy(number) if math.isfinite(number) else None


def scale(sensor: Metering, table: Table) -> tuple[float, float] | None:
    """The least and the greatest that a calibrated sensor measures within its table."""
    if not table:
        return None
    ends = [tidy(meaning / sensor.divider) for _, meaning in table]
    return min(ends), max(ends)


def composed(parts: Sequence[float | None]) -> float | None:
    """What a composite sensor measures: its parts together; None while one is not known."""
    known = [part for part in parts if part is not None]
    return tidy(sum(known)) if known and len(known) == len(parts) else None


def virtual_value(sensor: Virtual, raw: Any) -> int | float | str | None:
    """The state that ``raw`` makes: 1 or 0 (in the range? is the bit, counted from 1 on the right,
    set?), or ``raw`` itself. None where there is none."""
    method = sensor.parameter("calc_method")
    if method not in ("in_range", "bit_index"):
        if isinstance(raw, bool):
            return int(raw)
        return raw if isinstance(raw, int | float | str) else None
    number = number_of(raw)
    if number is None:
        return None
    if method == "bit_index":
        return int(number) >> (int(sensor.parameter("bit_index")) - 1) & 1
    low, high = sensor.parameter("range_from"), sensor.parameter("range_to")
    return int((low is None or number >= low) and (high is None or number <= high))


def titled(sensor: Virtual, value: int | float | str) -> int | float | str:
    """The title that the sensor gives to a state, or the state where it gives none."""
    text = value_key(value)
    for row in sensor.parameter("value_titles") or ():
        if row["value"] == text:
            title: str = row["title"]
            return title
    return value


def value_key(value: int | float | str) -> str:
    """A state as people write it: ``1``, not ``1.0``."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return str(value)


_OFF = frozenset({"", "0", "false", "off", "no"})


def ignition_on(source: Ignition | None, values: Mapping[str, Any]) -> bool | None:
    """Is the ignition on, as a message's ``values`` say; None where they do not."""
    if source is None:
        told = values.get("ignition")
        return None if told is None else bool(told)
    if source.line is not None:
        return line_on(values.get("input_status"), source.line)
    if source.virtual is None:
        return None
    state = virtual_value(source.virtual, raw_value(values, source.virtual.input_name))
    return None if state is None else value_key(state).strip().lower() not in _OFF


def line_on(mask: Any, number: int) -> bool | None:
    """Is digital line ``number`` (from 1) of a bit mask on; None without a mask."""
    return bool(mask >> (number - 1) & 1) if isinstance(mask, int) else None
