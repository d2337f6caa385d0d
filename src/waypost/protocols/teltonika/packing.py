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
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from waypost.protocols.teltonika.content import Content, Elements, Value
from waypost.telemetry.message import GNSS
from waypost.telemetry.motion import MIN_SPEED
from waypost.telemetry.row import COLUMNS, FORMATS, SOURCE_SHIFT, VALID

#: Sets of present values that a plan knows; records with further ones are read as messages.
MOST_PACKERS = 32
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


class _Packers:
    """Compiled packers of a plan's values, by the set of those that are there."""

    def __init__(self, content: Content, arguments: str) -> None:
        self._content, self._arguments = content, arguments
        self._made: dict[int, Any] = {}
        #: Everything that is not always there, a bit each.
        self.conditions = list(dict.fromkeys(v.condition for v in content.values if v.condition))
        self.conditions += [f"t{index}" for index in range(len(content.tails))]

    @property
    def mask(self) -> str:
        """The set of values that are there, as an expression."""
        bits = [f"({1 << bit} if {test} else 0)" for bit, test in enumerate(self.conditions)]
        return " | ".join(bits) or "0"

    def get(self, mask: int) -> Any:
        """What packs the head of the map and all of its values but texts and cells; None: too
        many sets have been seen."""
        made = self._made.get(mask)
        if made is None and len(self._made) < MOST_PACKERS:
            there = {test for bit, test in enumerate(self.conditions) if mask >> bit & 1}
            values = [v for v in self._content.values if not v.condition or v.condition in there]
            count = len(values) + sum(f"t{n}" in there for n in range(len(self._content.tails)))
            made = self._made[mask] = self._compile(_Fields(values, count))
        return made

    def _compile(self, fields: _Fields) -> Any:
        """``f(values) -> bytes or None``."""
        if not fields.count:
            return lambda *_: None
        return fields.function(self._arguments)


class _Fields:
    """What goes into one ``struct``: literal bytes and expressions in turn."""

    def __init__(self, values: list[Value], count: int) -> None:
        self.count = count
        self._form, self._sources, self._literal = ">", list[str](), b""
        if count:
            small = count < 16
            self._literal = bytes((0x80 | count,)) if small else b"\xde" + count.to_bytes(2, "big")
        for value in values:
            self.literal(_pack(value.name) + value.code)
            self.expression(value.form, value.source)

    @property
    def size(self) -> int:
        return struct.calcsize(self._form) + len(self._literal)

    def literal(self, data: bytes) -> None:
        self._literal += data

    def expression(self, form: str, source: str) -> None:
        if self._literal:
            self._form += f"{len(self._literal)}s"
            self._sources.append(repr(self._literal))
            self._literal = b""
        self._form += form
        self._sources.append(source)

    def append(self, other: _Fields) -> None:
        """``other`` follows."""
        if self._literal:
            self.expression("", "")
            self._sources.pop()
        self._form += other._form[1:]
        self._sources += other._sources
        self._literal = other._literal

    def function(self, arguments: str) -> Callable[..., bytes]:
        """Packs it, the expressions being of ``arguments``."""
        if self._literal:
            self.expression("", "")
            self._sources.pop()
        # Nothing in it comes from a device.
        source = f"lambda {arguments}: pack({', '.join(self._sources)})"
        packer: Callable[..., bytes] = eval(source, {"pack": struct.Struct(self._form).pack})  # noqa: S307
        return packer


#: Columns that are the same for all records of a packet, in binary: names of variables.
_OF_PACKET = {"source_id": "head", "received": "when", "retention": "class_"}
#: Other variables that a binary row is made of.
_OF_RECORD = "time, identity, lat, lon, alt, heading, sats, speed, more"
_NULL = b"\xff\xff\xff\xff"


class _RowPackers(_Packers):
    """The same for whole rows, as PostgreSQL's binary COPY has them."""

    def _compile(self, fields: _Fields) -> Any:
        """Two functions: of a record with a position, and of one without."""
        arguments = ", ".join((*_OF_PACKET.values(), _OF_RECORD))
        if self._arguments:
            arguments += f", {self._arguments}"
        return tuple(
            self._row(columns, fields).function(arguments) for columns in _columns(self._content)
        )

    def _row(self, columns: dict[str, str], content: _Fields) -> _Fields:
        row = _Fields([], 0)
        row.literal(len(COLUMNS).to_bytes(2, "big"))
        for column, code in FORMATS.items():
            source = columns.get(column, "None")
            size = struct.calcsize(f">{code}")
            if source == "None":
                row.literal(_NULL)
                continue
            row.literal(size.to_bytes(4, "big"))
            if column in _OF_PACKET:
                row.expression(f"{size}s", _OF_PACKET[column])
            else:
                row.expression(code, "identity" if column == "digest" else source)
        if content.count:
            row.expression("i", f"{content.size} + more")
        else:
            row.literal(_NULL)
        row.append(content)
        return row


def compile_rows(elements: Elements, unpack: struct.Struct, *, binary: bool = False) -> ReadRows:
    """The function that makes rows of records with ``elements``, which ``unpack`` unpacks: tuples,
    or (``binary``) bytes that are to be joined."""
    content = Content(elements)
    if content.unusual:
        return _no_rows
    arguments = ", ".join(f"v{index}" for index in range(len(elements)))
    packers = (_RowPackers if binary else _Packers)(content, arguments)
    namespace: dict[str, Any] = {
        "digest": xxh3_64_intdigest,
        "packer": packers.get,
        "unpack": unpack.iter_unpack,
        "pack_long": struct.Struct(">q").pack,
        "pack_short": struct.Struct(">h").pack,
    }
    namespace |= {f"tail{n}": make for n, (_, _, make) in enumerate(content.tails)}
    making = (_binary_rows if binary else _tuple_rows)(content, arguments)
    # The source is made of numbers and of names in avl.toml, of nothing that a device sent.
    exec(_source(content, arguments, packers.mask, unpack.size, making), namespace)  # noqa: S102
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


def _columns(content: Content) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of a record with a position, and of one without."""
    always = _ALWAYS | {"hdop": content.hdop}
    return always | _LOCATED | {"speed": content.speed}, always


class _Making(msgspec.Struct):
    """Where the two kinds of rows differ: statements before the first record, when the set of
    values is another one, for every record, for one with a position, for one without."""

    before: list[str]
    packer: str
    record: list[str]
    located: str
    always: str


def _tuple_rows(content: Content, arguments: str) -> _Making:
    located, always = (
        f"out.append(({', '.join(columns.get(name, 'None') for name in COLUMNS)}))"
        for columns in _columns(content)
    )
    tails = [f"if t{n}: content += t{n}" for n in range(len(content.tails))]
    return _Making([], "pack = found", [f"content = pack({arguments})", *tails], located, always)


def _binary_rows(content: Content, arguments: str) -> _Making:
    before = [
        "head, when = pack_long(source_id), pack_long(received)",
        "class_ = pack_short(retention)",
        "more = 0",
    ]
    record = [f"identity = {_ALWAYS['digest']}"]
    add = ""
    if content.tails:
        record += [
            f"tail = {' + '.join(f't{n}' for n in range(len(content.tails)))}",
            "more = len(tail)",
        ]
        add = "; out.append(tail)"
    given = ", ".join((*_OF_PACKET.values(), _OF_RECORD))
    if arguments:
        given += f", {arguments}"
    located, always = (f"out.append(pack_{kind}({given})){add}" for kind in ("located", "always"))
    return _Making(before, "pack_located, pack_always = found", record, located, always)


def _source(content: Content, arguments: str, mask: str, size: int, making: _Making) -> str:
    on, moving = (content.switches.get(name) for name in ("ignition", "is_moving"))
    pace = f"{content.speed} if {content.speed} < {MIN_SPEED} else {MIN_SPEED}"
    changed = "pace != now" + (f" or on != {on}" if on else "")
    changed += f" or moving != {moving}" if moving else ""
    names = f", {arguments}" if arguments else ""
    tails = [(f"t{n}", f"tail{n}({given})") for n, (_, given, _) in enumerate(content.tails)]
    return f"""
def rows(data, source_id, retention, received, newest, limit, out, bends):
    end = 0
    kind = pace = on = moving = None
    mixed = False
{_lines(4, making.before)}
    for time, lon, lat, alt, heading, sats, speed, cause{names} in unpack(data):
        if cause or not newest < time <= limit or heading > 720:
            return None
        newest = time
        start = end
        end += {size}
{_lines(8, (f"{name} = {source}" for name, source in tails))}
        mask = {mask}
        if mask != kind:
            found = packer(mask)
            if found is None:
                return None
            {making.packer}
            mixed = mixed or kind is not None
            kind = mask
{_lines(8, making.record)}
        if (lat or lon) and -900000000 <= lat <= 900000000 and -1800000000 <= lon <= 1800000000:
            now = ({pace}) if sats else -1
            {making.located}
        else:
            now = -1
            {making.always}
        if {changed}:
            pace, on, moving = now, {on}, {moving}
            bends.append(start // {size})
    return newest, None if mixed else kind
"""


def _lines(indent: int, statements: Iterable[str]) -> str:
    return "\n".join(" " * indent + statement for statement in statements)
