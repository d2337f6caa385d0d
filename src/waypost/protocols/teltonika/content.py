"""The row of a record, as sources of its columns, and its content, MessagePack of the record's
values: which values a combination of elements makes, when each is there, and how it is written.
The sources are the same for numbers and for arrays of them.

Format: MessagePack specification, "Formats" (map, str, bool, int, float families).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from waypost.protocols.teltonika.avl import Element
from waypost.protocols.teltonika.expressions import expression, guard
from waypost.protocols.teltonika.fields import Fields
from waypost.protocols.teltonika.records import known, network
from waypost.telemetry.message import GNSS, Cell
from waypost.telemetry.row import SOURCE_SHIFT, VALID

#: Texts, and cells, that each element remembers in MessagePack.
MOST_TEXTS = 256

#: Type codes of whole numbers by size: unsigned, signed; and as ``struct`` has them.
_CODES = {1: b"\xcc\xd0", 2: b"\xcd\xd1", 4: b"\xce\xd2", 8: b"\xcf\xd3"}
_FORMATS = {1: "Bb", 2: "Hh", 4: "Ii", 8: "Qq"}
#: The largest number that is its own type code.
_FIXINT = 127

_pack = msgspec.msgpack.encode

_ALWAYS = {
    "source_id": "source_id",
    "time": "time",
    "received": "received",
    "retention": "retention",
    "satellites": "sats",
    "flags": str(GNSS << SOURCE_SHIFT),
}
_LOCATED = {
    "latitude": "lat / 10000000",
    "longitude": "lon / 10000000",
    "altitude": "alt",
    "heading": "heading",
    "flags": f"{GNSS << SOURCE_SHIFT} + (sats != 0) * {VALID}",
}

#: Id, size and meaning of each element.
Elements = list[tuple[int, int, Element]]


class Value:
    """A value in the content: how it is packed (type code, format, expression) and when it is
    there."""

    __slots__ = ("code", "condition", "form", "name", "source")

    def __init__(self, name: str, code: bytes, form: str, source: str, condition: str) -> None:
        self.name, self.code, self.form, self.source = name, code, form, source
        self.condition = condition


class Content:
    """The content that the elements of a plan make."""

    def __init__(self, elements: Elements) -> None:
        self.values: list[Value] = []
        #: Texts and cells: name, arguments, and what makes MessagePack of them (empty: not there).
        self.tails: list[tuple[str, str, Callable[..., bytes]]] = []
        self.hdop: str | None = None
        self.speed = "speed"
        #: Raw values of what is simply on or off.
        self.switches: dict[str, str] = {}
        #: Only messages can say what these elements mean.
        self.unusual = False
        lines: dict[str, list[tuple[str, int]]] = {}
        lac: int | None = None
        cells: list[int] = []
        operator = "0"
        for index, (_, size, element) in enumerate(elements):
            raw, kind = f"v{index}", element.kind
            if kind in ("hdop", "speed"):
                self.unusual |= element.signed
                if kind == "hdop":
                    self.hdop = f"{raw} / 10"
                else:
                    self.speed = raw
            elif kind == "line":
                lines.setdefault(element.name, []).append((raw, element.bit))
            elif kind == "lac":
                lac = index
            elif kind == "cell":
                cells.append(index)
            elif kind in ("ibutton", "hex", "operator"):
                self.tails.append((element.name, raw, _text_maker(element)))
                operator = raw if kind == "operator" else operator
            else:
                self._add(element, size, raw)
        for name, terms in lines.items():
            self.unusual |= max(bit for _, bit in terms) > 15
            source = " | ".join(f"({raw} != 0) * {1 << bit}" for raw, bit in terms)
            self.values.append(Value(name, b"\xcd", "H", source, ""))
        if lac is None or not cells:
            for index in cells if lac is None else [lac]:
                _, size, element = elements[index]
                self._whole(element, size, f"v{index}", "")
        else:
            raws = ", ".join(f"v{index}" for index in reversed(cells))
            self.tails.append(("mobile_cells", f"v{lac}, {operator}, {raws}", _cells_maker()))
        names = [value.name for value in self.values] + [name for name, _, _ in self.tails]
        # What decides on movement must be a plain switch, and there must be one of each name.
        told = {"ignition", "is_moving"} & set(names)
        self.unusual |= len(set(names)) < len(names) or not told <= self.switches.keys()
        #: When the values are there that are not always.
        self.guards = list(dict.fromkeys(v.condition for v in self.values if v.condition))
        #: Everything that is not always there, a bit each in the set of what is.
        self.conditions = self.guards + [f"t{index}" for index in range(len(self.tails))]

    @property
    def always(self) -> dict[str, str]:
        """Sources of the columns of every record, but for the digest and the content; those that
        are missing are not there."""
        return _ALWAYS | ({} if self.hdop is None else {"hdop": self.hdop})

    @property
    def located(self) -> dict[str, str]:
        """Sources of the columns that a record with a position has besides, or has otherwise."""
        return _LOCATED | {"speed": self.speed}

    def fields(self, mask: int) -> Fields:
        """The head of the map and all of its values but texts and cells, of the set ``mask`` of
        what is there; empty where nothing is."""
        there = {test for bit, test in enumerate(self.conditions) if mask >> bit & 1}
        values = [v for v in self.values if not v.condition or v.condition in there]
        count = len(values) + sum(f"t{index}" in there for index in range(len(self.tails)))
        fields = Fields()
        if count:
            small = count < 16
            fields.literal(bytes((0x80 | count,)) if small else b"\xde" + count.to_bytes(2, "big"))
        for value in values:
            fields.literal(_pack(value.name) + value.code)
            fields.expression(value.form, value.source)
        return fields

    def _add(self, element: Element, size: int, raw: str) -> None:
        condition = guard(element, raw)
        if element.kind == "bool":
            self._bool(element.name, raw, condition)
            if not condition:
                self.switches[element.name] = raw
        elif element.kind == "flags":
            for name, mask in element.flags.items():
                self._bool(name, f"({raw} & {mask})", condition)
        elif element.kind == "signal":
            code, form = (b"\xd1", "h") if element.signed else (b"", "B")
            self.values.append(Value(element.name, code, form, expression(element, raw), condition))
        elif element.div != 1:
            self.values.append(
                Value(element.name, b"\xcb", "d", expression(element, raw), condition)
            )
        else:
            self._whole(element, size, raw, condition)

    def _bool(self, name: str, test: str, condition: str) -> None:
        self.values.append(Value(name, b"", "B", f"194 + ({test} != 0)", condition))

    def _whole(self, element: Element, size: int, raw: str, condition: str) -> None:
        if condition and not element.signed and (element.max or _FIXINT + 1) <= _FIXINT:
            self.values.append(Value(element.name, b"", "B", raw, condition))
            return
        signed = element.signed
        code, form = _CODES[size][signed : signed + 1], _FORMATS[size][signed]
        self.values.append(Value(element.name, code, form, raw, condition))


def _text_maker(element: Element) -> Callable[..., bytes]:
    make = eval(  # noqa: S307  (made of nothing that a device sent)
        f"lambda raw: {expression(element, 'raw')} if {guard(element, 'raw') or True} else None"
    )
    key = _pack(element.name)

    @lru_cache(MOST_TEXTS)
    def packed(raw: int) -> bytes:
        value = make(raw)
        return b"" if value is None else key + _pack(value)

    return packed


def _cells_maker() -> Callable[..., bytes]:
    key = _pack("mobile_cells")

    @lru_cache(MOST_TEXTS)
    def packed(lac: int, operator: int, *cells: int) -> bytes:
        for cell in cells:
            if known(lac) and known(cell):
                return key + _pack([Cell(lac, cell, *network(operator))])
        return b""

    return packed
