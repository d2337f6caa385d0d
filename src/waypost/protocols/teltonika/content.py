"""The content of a row, MessagePack of a record's values, as the source of a ``struct``: which
values a combination of elements makes, when each is there, and how it is written.

Format: MessagePack specification, "Formats" (map, str, bool, int, float families).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec

from waypost.protocols.teltonika.avl import Element
from waypost.protocols.teltonika.expressions import expression, guard
from waypost.protocols.teltonika.records import known, network
from waypost.telemetry.message import Cell

#: Texts, and cells, that each element remembers in MessagePack.
MOST_TEXTS = 256

#: Type codes of whole numbers by size: unsigned, signed; and as ``struct`` has them.
_CODES = {1: b"\xcc\xd0", 2: b"\xcd\xd1", 4: b"\xce\xd2", 8: b"\xcf\xd3"}
_FORMATS = {1: "Bb", 2: "Hh", 4: "Ii", 8: "Qq"}
#: The largest number that is its own type code.
_FIXINT = 127

_pack = msgspec.msgpack.encode

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
        self.hdop, self.speed = "None", "speed"
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
            source = " | ".join(f"({1 << bit} if {raw} else 0)" for raw, bit in terms)
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

    def _add(self, element: Element, size: int, raw: str) -> None:
        condition = guard(element, raw)
        if element.kind == "bool":
            self._bool(element.name, raw, condition)
            if not condition:
                self.switches[element.name] = raw
        elif element.kind == "flags":
            for name, mask in element.flags.items():
                self._bool(name, f"{raw} & {mask}", condition)
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
        self.values.append(Value(name, b"", "B", f"195 if {test} else 194", condition))

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
