"""What AVL ids mean: ``avl.toml``, resolved for a model.

The same id means different things in different families of models, and with different sizes; a
:class:`Table` answers for one family. Where the model is not known, it answers with what all
families agree on, or with the FMB platform's meaning where the codec says that it is one of those.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

Kind = Literal[
    "number",
    "bool",
    "line",
    "signal",
    "text",
    "ibutton",
    "hex",
    "hdop",
    "lac",
    "cell",
    "operator",
    "flags",
    "speed",
    "vin_part",
    "neighbour_lac",
    "neighbour_cell",
    "neighbour_signal",
    "neighbour_network",
]

#: Size of an element of variable length.
VARIABLE = -1

GH = 0x07
CODEC_8 = 0x08
CODEC_8E = 0x8E
CODEC_16 = 0x10


class Element(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One AVL id of some sizes; the fields are explained at the head of ``avl.toml``."""

    id: int
    size: tuple[int, ...] = ()
    kind: Kind = "number"
    name: str = ""
    bit: int = 0
    signed: bool = False
    div: int = 1
    min: int | None = None
    max: int | None = None
    not_: tuple[int, ...] = msgspec.field(default=(), name="not")
    flags: dict[str, int] = {}
    sure: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            msgspec.structs.force_setattr(self, "name", f"avl_io_{self.id}")

    def measured(self, raw: int) -> bool:
        """Is ``raw`` a measurement, not one of the codes for "there is none"?"""
        return not (
            (self.min is not None and raw < self.min)
            or (self.max is not None and raw > self.max)
            or raw in self.not_
        )

    def same(self, other: Element) -> bool:
        """Do both say the same of a value?"""
        return _meaning(self) == _meaning(other)


def _meaning(element: Element) -> dict[str, Any]:
    fields = msgspec.structs.asdict(element)
    return {name: value for name, value in fields.items() if name not in ("size", "sure")}


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The events of records that the element ``io`` caused."""

    io: int
    values: dict[int, int] = {}
    any: int | None = None


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    elements: list[Element]
    events: list[Trigger]
    base: list[str] = []
    models: str = ""


#: In the order in which a model's name is tried.
_FAMILIES = ("obd", "professional", "asset", "handheld", "fmb", "legacy")


@cache
def families() -> dict[str, Family]:
    """The sections of ``avl.toml``."""
    raw = files(__package__).joinpath("avl.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, Family])


class Table:
    """The meanings for one family. ``plans`` is where compiled readers of its records are kept."""

    def __init__(
        self, name: str, elements: dict[tuple[int, int], Element], events: dict[int, Trigger]
    ) -> None:
        self.name = name
        self._elements = elements
        self._events = events
        self.plans: dict[Any, Any] = {}
        self.seen: dict[Any, int] = {}

    def element(self, avl_id: int, size: int) -> Element:
        """What ``avl_id`` means with a value of ``size`` bytes (:data:`VARIABLE`: any)."""
        return self._elements.get((avl_id, size)) or _unnamed(avl_id)

    def event(self, avl_id: int, raw: int | None) -> int | None:
        """The event id of a record that the element ``avl_id``, now ``raw``, caused."""
        trigger = self._events.get(avl_id)
        if trigger is None:
            return None
        if trigger.any is not None:
            return trigger.any
        return None if raw is None else trigger.values.get(raw)


@lru_cache(8192)
def _unnamed(avl_id: int) -> Element:
    return Element(avl_id)


def _collect(name: str) -> tuple[dict[tuple[int, int], Element], dict[int, Trigger]]:
    family = families()[name]
    elements: dict[tuple[int, int], Element] = {}
    events: dict[int, Trigger] = {}
    for base in family.base:
        more, triggers = _collect(base)
        elements |= more
        events |= triggers
    for element in family.elements:
        elements.update(((element.id, size), element) for size in element.size)
    events |= {trigger.io: trigger for trigger in family.events}
    return elements, events


@cache
def family_table(name: str) -> Table:
    return Table(name, *_collect(name))


@cache
def _agreed() -> Table:
    """What all families that have an element say of it, and what is ``sure``."""
    collected = [_collect(name) for name in _FAMILIES if name not in ("obd", "handheld")]
    elements: dict[tuple[int, int], Element] = {}
    events: dict[int, Trigger] = {}
    for key in dict.fromkeys(key for found, _ in collected for key in found):
        said = [found[key] for found, _ in collected if key in found]
        sure = [element for element in said if element.sure]
        if sure or all(element.same(said[0]) for element in said):
            elements[key] = (sure or said)[0]
    for io in dict.fromkeys(io for _, found in collected for io in found):
        told = [found[io] for _, found in collected if io in found]
        if all(trigger == told[0] for trigger in told):
            events[io] = told[0]
    return Table("unknown", elements, events)


@cache
def _platform() -> Table:
    """For a model that is not known but speaks as the FMB platform does: its meanings first. Which
    of two speeds is the vehicle's cannot be told then."""
    elements, events = _collect("fmb")
    elements = {key: element for key, element in elements.items() if element.kind != "speed"}
    others = [_collect(name)[0] for name in ("asset", "professional")]
    for key in dict.fromkeys(key for found in others for key in found):
        said = [found[key] for found in others if key in found]
        if key not in elements and all(element.same(said[0]) for element in said):
            elements[key] = said[0]
    return Table("unknown platform", elements, events)


def family_of(model: str | None) -> str | None:
    """The family of a model, given as its name (``FMB920``) or a catalog code (``telfmb920``)."""
    if not model:
        return None
    name = re.sub(r"^(TELTONIKA|TEL)[ _-]*", "", model.strip().upper())
    for family in _FAMILIES:
        if re.match(families()[family].models, name):
            return family
    return None


@lru_cache(1024)
def table_for(model: str | None, codec: int) -> Table:
    """The meanings in the packets of ``model`` (None: not known) by ``codec``."""
    family = family_of(model)
    if codec == GH:
        return family_table("handheld")
    if family is not None:
        return family_table(family)
    if codec == CODEC_16:
        return family_table("professional")
    return _platform() if codec == CODEC_8E else _agreed()
