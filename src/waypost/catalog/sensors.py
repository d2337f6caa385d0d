"""Sensor inputs and states: names, groups, units, and the enums of sensor objects.

An *input* is a number that a sensor can be made from (``get_fuel``, ``get_readings``,
``get_diagnostics``), a *state* any other value a device reports. A name that ends in ``_`` stands
for a family with an index (``raw_can_`` for ``raw_can_1``, ``raw_can_2`` ...).
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeVar

import msgspec

from waypost.catalog._data import load
from waypost.catalog.fields import Field

Group = Literal["fuel", "readings", "diagnostics"]

Kind = Literal["metering", "discrete", "virtual"]

Index = tuple[int, int | None]
"""First and last index of a family; last None: without end."""


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensor input. ``groups`` says which replies show it, ``sensor_type`` which type a sensor on
    it usually has."""

    name: str
    label: str
    groups: tuple[Group, ...]
    sensor_type: str
    unit: str | None = None
    type: Literal["float", "integer"] = "float"
    index: Index | None = None


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state. ``values``: what the numbers mean. ``diagnostics``: ``get_diagnostics`` shows it."""

    name: str
    type: Literal["string", "boolean", "integer", "float"]
    unit: str | None = None
    values: dict[str, str] = {}
    diagnostics: bool = False
    index: Index | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the sensor actions."""

    sensor_batch_list_max_trackers: int
    sensor_data_max_days: int


class Sensors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    inputs: tuple[Input, ...]
    states: tuple[State, ...]
    #: Fields of a sensor of each kind beside ``id`` and ``type``; the latter is the kind.
    objects: dict[Kind, dict[str, Field]]
    #: What a digital input may mean (``get_inputs``), and how many inputs there are.
    semantic_input_types: tuple[str, ...]
    discrete_inputs: int
    #: Sensor types that a tracker may have one sensor of.
    single_per_tracker: tuple[str, ...]
    measurement_systems: tuple[str, ...]
    counter_types: tuple[str, ...]
    limits: Limits


Named = TypeVar("Named", Input, State)


@cache
def sensors() -> Sensors:
    """The table of inputs, states and sensor enums."""
    return load("sensors.json", Sensors)


@cache
def inputs() -> dict[str, Input]:
    """Every input by its name, families under their name with ``_`` at the end."""
    return {row.name: row for row in sensors().inputs}


@cache
def states() -> dict[str, State]:
    """Every state by its name, families under their name with ``_`` at the end."""
    return {row.name: row for row in sensors().states}


def sensor_types(kind: Kind) -> tuple[str | int, ...]:
    """What ``sensor_type`` of a sensor of this kind may be."""
    return sensors().objects[kind]["sensor_type"].enum


def input_named(name: str) -> Input | None:
    """The input that ``name`` is (``raw_can_3`` finds the family ``raw_can_``)."""
    return _find(inputs(), name)


def state_named(name: str) -> State | None:
    """The state that ``name`` is (``door_state_2`` finds the family ``door_state_``)."""
    return _find(states(), name)


def _find(rows: dict[str, Named], name: str) -> Named | None:
    row = rows.get(name)
    if row is not None:
        return None if row.index else row
    stem, number = split_index(name)
    if number is None:
        return None
    row = rows.get(stem + "_")
    if row is None or row.index is None:
        return None
    first, last = row.index
    return row if number >= first and (last is None or number <= last) else None


def split_index(name: str) -> tuple[str, int | None]:
    """``("raw_can", 3)`` of ``raw_can_3``; the number is None where the name ends in none (a
    number does not begin with 0 and has at most nine digits)."""
    stem, _, digits = name.rpartition("_")
    if not stem or not digits.isascii() or not digits.isdigit():
        return name, None
    if digits[0] == "0" or len(digits) > 9:
        return name, None
    return stem, int(digits)
