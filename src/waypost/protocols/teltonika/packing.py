"""Rows straight from the bytes of records that have a plan, without messages between.

Generated functions, two per plan, unpack the records and make what the points stores keep: tuples,
or what PostgreSQL's binary COPY has in their place. The content, MessagePack of the values, is one
``struct`` per set of values that are there (a guard such as "at most 5" may leave some out); texts
and cells follow from small caches. Whatever is unusual (an event, a time that does not rise, an
impossible heading) is left to the messages.

Formats: MessagePack specification, "Formats" (map, str, bool, int, float families); PostgreSQL
manual, COPY, "Binary Format", "Tuples".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from waypost.protocols.teltonika.avl import Element
from waypost.protocols.teltonika.expressions import expression, guard
from waypost.protocols.teltonika.records import known, network
from waypost.telemetry.message import GNSS, Cell
from waypost.telemetry.motion import MIN_SPEED
from waypost.telemetry.row import COLUMNS, FORMATS, SOURCE_SHIFT, VALID

#: Sets of present values that a plan knows; records with further ones are read as messages.
MOST_PACKERS = 32
#: Texts, and cells, that each element remembers in MessagePack.
MOST_TEXTS = 256

#: Type codes of whole numbers by size: unsigned, signed; and as ``struct`` has them.
_CODES = {1: b"\xcc\xd0", 2: b"\xcd\xd1", 4: b"\xce\xd2", 8: b"\xcf\xd3"}
_FORMATS = {1: "Bb", 2: "Hh", 4: "Ii", 8: "Qq"}
#: The largest number that is its own type code.
_FIXINT = 127

_pack = msgspec.msgpack.encode

Bend = int
"""An index of a run's records: ignition or movement is another one from there on."""

ReadRows = Callable[
    [bytes, int, int, int, int, int, list[Any], list[Bend]], tuple[int, int | None] | None
]
"""``rows(data, source_id, retention, received, newest, limit, out, bends)`` puts the rows of the
records in ``data`` into ``out`` (as tuples, or as pieces of binary ones), and into ``bends`` those
from which ignition, motion, validity or speed (as far as movement is concerned) is another. Gives
back the newest time and the set of values (None: not all have the same); None where messages must
be made."""

Elements = list[tuple[int, int, Element]]


class _Value:
    """A value in the content: how it is packed (type code, format, expression) and when it is
    there."""

    __slots__ = ("code", "condition", "form", "name", "source")

    def __init__(self, name: str, code: bytes, form: str, source: str, condition: str) -> None:
        self.name, self.code, self.form, self.source = name, code, form, source
        self.condition = condition


class _Content:
    """The content that the elements of a plan make."""

    def __init__(self, elements: Elements) -> None:
        self.values: list[_Value] = []
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
            self.values.append(_Value(name, b"\xcd", "H", source, ""))
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
            self.values.append(
                _Value(element.name, code, form, expression(element, raw), condition)
            )
        elif element.div != 1:
            self.values.append(
                _Value(element.name, b"\xcb", "d", expression(element, raw), condition)
            )
        else:
            self._whole(element, size, raw, condition)

    def _bool(self, name: str, test: str, condition: str) -> None:
        self.values.append(_Value(name, b"", "B", f"195 if {test} else 194", condition))

    def _whole(self, element: Element, size: int, raw: str, condition: str) -> None:
        if condition and not element.signed and (element.max or _FIXINT + 1) <= _FIXINT:
            self.values.append(_Value(element.name, b"", "B", raw, condition))
            return
        signed = element.signed
        code, form = _CODES[size][signed : signed + 1], _FORMATS[size][signed]
        self.values.append(_Value(element.name, code, form, raw, condition))


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


class _Packers:
    """Compiled packers of a plan's values, by the set of those that are there."""

    def __init__(self, content: _Content, arguments: str) -> None:
        self._content, self._arguments = content, arguments
        self._made: dict[int, Callable[..., bytes | None]] = {}
        #: Everything that is not always there, a bit each.
        self.conditions = list(dict.fromkeys(v.condition for v in content.values if v.condition))
        self.conditions += [f"t{index}" for index in range(len(content.tails))]

    @property
    def mask(self) -> str:
        """The set of values that are there, as an expression."""
        bits = [f"({1 << bit} if {test} else 0)" for bit, test in enumerate(self.conditions)]
        return " | ".join(bits) or "0"

    def get(self, mask: int) -> Callable[..., bytes | None] | None:
        """Packs the head of the map and all of its values but texts and cells; None: too many
        sets have been seen."""
        made = self._made.get(mask)
        if made is None and len(self._made) < MOST_PACKERS:
            made = self._made[mask] = self._compile(mask)
        return made

    def _compile(self, mask: int) -> Callable[..., bytes | None]:
        there = {test for bit, test in enumerate(self.conditions) if mask >> bit & 1}
        values = [v for v in self._content.values if not v.condition or v.condition in there]
        count = len(values) + sum(f"t{n}" in there for n in range(len(self._content.tails)))
        if not count:
            return lambda *_: None
        literal = bytes((0x80 | count,)) if count < 16 else b"\xde" + count.to_bytes(2, "big")
        form, sources = ">", []
        for value in values:
            literal += _pack(value.name) + value.code
            form += f"{len(literal)}s{value.form}"
            sources += [repr(literal), value.source]
            literal = b""
        if literal:
            form, sources = f">{len(literal)}s", [repr(literal)]
        namespace = {"pack": struct.Struct(form).pack}
        packer: Callable[..., bytes] = eval(  # noqa: S307  (nothing in it comes from a device)
            f"lambda {self._arguments}: pack({', '.join(sources)})", namespace
        )
        return packer


def compile_rows(elements: Elements, unpack: struct.Struct, *, binary: bool = False) -> ReadRows:
    """The function that makes rows of records with ``elements``, which ``unpack`` unpacks."""
    content = _Content(elements)
    if content.unusual:
        return _no_rows
    arguments = ", ".join(f"v{index}" for index in range(len(elements)))
    packers = _Packers(content, arguments)
    namespace: dict[str, Any] = {
        "digest": xxh3_64_intdigest,
        "packer": packers.get,
        "unpack": unpack.iter_unpack,
    }
    namespace |= {f"tail{n}": make for n, (_, _, make) in enumerate(content.tails)}
    # The source is made of numbers and of names in avl.toml, of nothing that a device sent.
    exec(_source(content, arguments, packers.mask, unpack.size, binary, namespace), namespace)  # noqa: S102
    rows: ReadRows = namespace["rows"]
    return rows


def _no_rows(*_: Any) -> None:
    return None


#: What a row has of a record, by column; the rest comes with the packet, or is not there.
_ALWAYS = {
    "source_id": "source_id",
    "time": "time",
    # As ``ingest.rows`` identifies a message.
    "digest": "digest(data[start:end]) >> 1",
    "received": "received",
    "retention": "retention",
    "satellites": "sats",
    "flags": str(GNSS << SOURCE_SHIFT),
    "content": "content",
}
_LOCATED = {
    "latitude": "lat / 10000000",
    "longitude": "lon / 10000000",
    "altitude": "alt",
    "heading": "heading",
    "flags": f"{GNSS << SOURCE_SHIFT | VALID} if sats else {GNSS << SOURCE_SHIFT}",
}


def _source(
    content: _Content,
    arguments: str,
    mask: str,
    size: int,
    binary: bool,
    namespace: dict[str, Any],
) -> str:
    always = _ALWAYS | {"hdop": content.hdop}
    located = always | _LOCATED | {"speed": content.speed}
    on, moving = (content.switches.get(name) for name in ("ignition", "is_moving"))
    pace = f"{content.speed} if {content.speed} < {MIN_SPEED} else {MIN_SPEED}"
    changed = "pace != now" + (f" or on != {on}" if on else "")
    changed += f" or moving != {moving}" if moving else ""
    names = f", {arguments}" if arguments else ""
    tails = [(f"t{n}", f"tail{n}({given})") for n, (_, given, _) in enumerate(content.tails)]
    if binary:
        rows = _Binary("a", located, namespace), _Binary("b", always, namespace)
        before = [line for row in rows for line in row.constants]
        put_located, put_always = (row.statement for row in rows)
        after = "if content: out.append(content)"
    else:
        before, after = [], "out.append(row)"
        put_located, put_always = f"row = {_row(located)}", f"row = {_row(always)}"
    return f"""
def rows(data, source_id, retention, received, newest, limit, out, bends):
    end = 0
{_lines(4, before)}
    kind = pace = on = moving = None
    mixed = False
    for time, lon, lat, alt, heading, sats, speed, cause{names} in unpack(data):
        if cause or not newest < time <= limit or heading > 720:
            return None
        newest = time
        start = end
        end += {size}
{_lines(8, (f"{name} = {source}" for name, source in tails))}
        mask = {mask}
        if mask != kind:
            pack = packer(mask)
            if pack is None:
                return None
            mixed = mixed or kind is not None
            kind = mask
        content = pack({arguments})
{_lines(8, (f"if {name}: content += {name}" for name, _ in tails))}
        if (lat or lon) and -900000000 <= lat <= 900000000 and -1800000000 <= lon <= 1800000000:
            now = ({pace}) if sats else -1
            {put_located}
        else:
            now = -1
            {put_always}
        if {changed}:
            pace, on, moving = now, {on}, {moving}
            bends.append(start // {size})
        {after}
    return newest, None if mixed else kind
"""


#: Columns that are the same for all records of a packet.
_OF_PACKET = ("source_id", "received", "retention")
_NULL = b"\xff\xff\xff\xff"


class _Binary:
    """How a row with ``columns`` is packed but for its content. What does not change within a
    packet is put together once for it (``constants``)."""

    def __init__(self, name: str, columns: dict[str, str], namespace: dict[str, Any]) -> None:
        form, self._values, self.constants = ">", list[str](), list[str]()
        parts: list[str] = [repr(len(COLUMNS).to_bytes(2, "big"))]
        length = 2

        def constant() -> None:
            nonlocal form, length
            form += f"{length}s"
            word = f"{name}{len(self.constants)}"
            self.constants.append(f"{word} = {' + '.join(parts)}")
            self._values.append(word)
            parts.clear()
            length = 0

        for column, code in FORMATS.items():
            source = columns.get(column, "None")
            if source == "None":
                parts.append(repr(_NULL))
                length += len(_NULL)
                continue
            size = struct.calcsize(f">{code}")
            parts.append(repr(size.to_bytes(4, "big")))
            length += 4
            if column in _OF_PACKET:
                namespace[f"pack_{code}"] = struct.Struct(f">{code}").pack
                parts.append(f"pack_{code}({source})")
                length += size
            else:
                constant()
                form += code
                self._values.append(source)
        if parts:
            constant()
        namespace[f"pack_{name}"] = struct.Struct(form + "i").pack
        self._name = name

    @property
    def statement(self) -> str:
        given = ", ".join(self._values)
        return f"out.append(pack_{self._name}({given}, -1 if content is None else len(content)))"


def _row(columns: dict[str, str]) -> str:
    return f"({', '.join(columns.get(name, 'None') for name in COLUMNS)})"


def _lines(indent: int, statements: Iterable[str]) -> str:
    return "\n".join(" " * indent + statement for statement in statements)
