"""The names that ``Message.values`` may use: the message vocabulary.

It holds the attributes of the generic protocol, a few of our own (``ignition``, ``engine_hours``),
and every sensor input and state. Where an attribute and an input mean the same
(``temperature_1``, ``ext_temp_sensor_1``) decoders write the attribute and :func:`shown_as` gives
the input or state under which the API shows it.
"""

from __future__ import annotations

from functools import cache, lru_cache

import msgspec

from waypost.catalog import ngp, sensors
from waypost.catalog._data import load
from waypost.catalog.ngp import Attribute, Event
from waypost.catalog.sensors import Input, State, split_index

CUSTOM = "custom_"
"""Names that begin so belong to whoever sends them."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    attributes: list[Attribute]
    #: attribute -> sensor input or state.
    shown_as: dict[str, str]
    #: What has a place of its own in a message and is therefore no value.
    message_fields: list[str]


@cache
def _file() -> _File:
    return load("vocabulary.json", _File)


@cache
def all_attributes() -> dict[str, Attribute]:
    """Every name of the vocabulary, families under their name with ``_n`` at the end."""
    found: dict[str, Attribute] = {}
    fields = set(_file().message_fields)
    for place in ("Root", "location"):
        for name, row in ngp.attributes(place).items():
            if name not in fields and not name.endswith("*"):
                found[name] = row
    for row in _file().attributes:
        found[row.name] = row
    table = sensors.sensors()
    listed: list[Input | State] = [*table.inputs, *table.states]
    for item in listed:
        name = item.name + "n" if item.index else item.name
        known = found.get(name)
        if name in fields:
            continue
        if known is None:
            found[name] = Attribute(name, item.type, item.unit, index=item.index)
        elif known.index and item.index:
            lasts = (known.index[1], item.index[1])
            last = None if None in lasts else max(n for n in lasts if n)
            found[name] = msgspec.structs.replace(known, index=(known.index[0], last))
    return found


@cache
def _plain() -> frozenset[str]:
    return frozenset(name for name, row in all_attributes().items() if row.index is None)


@cache
def _families() -> dict[str, tuple[int, int]]:
    """Stem (``temperature``) -> first and last index."""
    return {
        name.removesuffix("_n"): (row.index[0], row.index[1] or 999_999_999)
        for name, row in all_attributes().items()
        if row.index is not None
    }


def is_standard(name: str) -> bool:
    """May ``Message.values`` use this name without a protocol's prefix?"""
    if name in _plain():
        return True
    stem, number = split_index(name)
    if number is not None:
        bounds = _families().get(stem)
        if bounds is not None and bounds[0] <= number <= bounds[1]:
            return True
    return name.startswith(CUSTOM) and len(name) > len(CUSTOM)


def attribute(name: str) -> Attribute | None:
    """Type, unit and range of a standard name (``temperature_3`` gives the row ``temperature_n``);
    None for any other."""
    if not is_standard(name):
        return None
    rows = all_attributes()
    if name in _plain():
        return rows[name]
    stem, number = split_index(name)
    if number is not None and stem + "_n" in rows:
        return rows[stem + "_n"]
    return Attribute(name, "mixed")


def shown_as(name: str) -> str:
    """The sensor input or state under which the API shows a value (``hardware_mileage`` ->
    ``hw_mileage``); the name itself where it has no other."""
    table = _file().shown_as
    stem, number = split_index(name)
    if number is None:
        return table.get(name, name)
    other = table.get(stem + "_n")
    return f"{other.removesuffix('n')}{number}" if other else name


@cache
def _said_as() -> dict[str, str]:
    return {shown: said for said, shown in _file().shown_as.items()}


@lru_cache(5000)
def said_as(name: str) -> str | None:
    """The other way round: what decoders call a sensor input or state (``hw_mileage`` ->
    ``hardware_mileage``); None where it has no other name."""
    table = _said_as()
    stem, number = split_index(name)
    if number is None:
        return table.get(name)
    other = table.get(stem + "_n")
    return f"{other.removesuffix('n')}{number}" if other else None


def event(event_id: int) -> Event | None:
    """The standard event ``event_id``; None where there is none (from
    ``ngp().custom_events_from`` on they are the device's own)."""
    return ngp.events().get(event_id)
