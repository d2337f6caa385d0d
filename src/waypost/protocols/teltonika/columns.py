"""Rows of many packets at once, column by column, in the binary form that the store takes.

What :mod:`~.packing` does record by record is done here with arrays, for all records of one plan
that wait for the same transaction: some hundred records cost little more than one. Whatever is
unusual is left to the messages here too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Container, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_digest

from waypost.protocols.teltonika.content import MOST_TEXTS, Content, Elements
from waypost.protocols.teltonika.fields import Fields
from waypost.protocols.teltonika.packing import Bend
from waypost.protocols.teltonika.plans import Alike, MakeBlocks
from waypost.telemetry.motion import MIN_SPEED
from waypost.telemetry.row import COLUMNS, Block, RowFormat

#: Formats of ``struct`` as arrays have them.
_CODES = {
    "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "q": "i8", "Q": "u8",
    "f": "f4", "d": "f8",
}  # fmt: skip
_Array = NDArray[Any]
#: Rows of one kind that arrays are worth it for.
WORTH = 80
#: Kinds of rows that a plan remembers how to pack.
MOST_KINDS = 256
#: The bit above those that tell which values there are: the length of texts and cells.
LENGTH_AT = 46
_WIDEST = np.dtype(">u8")


class Made(msgspec.Struct, gc=False):
    """The rows of these records; where ignition or movement is another one (see
    ``packing.Bend``); do all records have the same values?"""

    block: Block
    bends: list[Bend]
    same: bool


def compile_blocks(elements: Elements, unpack: struct.Struct, form: RowFormat) -> MakeBlocks:
    """What makes rows of records with ``elements``, which ``unpack`` unpacks."""
    content = Content(elements)
    wide = any(size == 8 and element.div != 1 for _, size, element in elements)
    many = len(content.conditions) > LENGTH_AT
    if content.unusual or many or wide:  # arrays divide wide numbers less exactly
        return lambda packets: [None] * len(packets)
    return _Columns(content, elements, unpack, form).make


class _Columns:
    def __init__(
        self, content: Content, elements: Elements, unpack: struct.Struct, form: RowFormat
    ) -> None:
        self._content, self._size, self._form = content, unpack.size, form
        names = ["time", "lon", "lat", "alt", "heading", "sats", "speed", "cause"]
        names += [f"v{index}" for index in range(len(elements))]
        self._names = names
        self._dtype = _dtype(names, unpack)
        self._guards = [_compiled(_for_arrays(test)) for test in content.guards]
        #: What texts and cells are made of.
        self._told = list(
            dict.fromkeys(
                name for _, names, _ in content.tails for name in names.split(", ") if name != "0"
            )
        )
        self._tails = lru_cache(MOST_TEXTS)(self._make_tails)
        self._speed = _compiled(content.speed)
        self._kinds: dict[int, _Kind] = {}

    def make(self, packets: Sequence[Alike]) -> list[Made | None]:
        size = self._size
        data = b"".join([packet.data for packet in packets])
        if len(data) < WORTH * size:
            return [None] * len(packets)
        counts = np.array([len(packet.data) // size for packet in packets])
        ends = counts.cumsum()
        starts = ends - counts
        records = np.frombuffer(data, self._dtype)
        given = _Variables(records)
        # Wild ones wrap around to before 1970.
        given["time"] = records["time"].astype(np.int64)
        of_packets = np.array([packet[1:] for packet in packets]).repeat(counts, axis=0)
        given["source_id"], given["retention"], given["received"] = of_packets.T
        # As ``ingest.rows`` identifies a message.
        digests = map(xxh3_64_digest, np.frombuffer(data, f"V{size}").tolist())
        given["identity"] = np.frombuffer(b"".join(digests), ">u8") >> 1
        lat, lon = given["lat"], given["lon"]
        located = (lat | lon != 0) & (abs(lat) <= 900_000_000) & (abs(lon) <= 1_800_000_000)
        sets = self._sets(given)
        rows = self._rows(given, sets << 1 | located)
        if rows is None:
            return [None] * len(packets)
        usual = self._usual(given, starts).tolist()
        there = sets & (1 << LENGTH_AT) - 1
        same = (np.maximum.reduceat(there, starts) == np.minimum.reduceat(there, starts)).tolist()
        bends, bent = self._bends(given, located, starts)
        time = given["time"]
        firsts, lasts = time[starts].tolist(), time[ends - 1].tolist()
        made: list[Made | None] = []
        begin = bend = 0
        for index, (packet, count) in enumerate(zip(packets, counts.tolist(), strict=True)):
            if usual[index]:
                block = Block(
                    rows(begin, begin + count), count, packet.retention, firsts[index], lasts[index]
                )
                own = [one - begin for one in bends[bend : bend + bent[index]]]
                made.append(Made(block, own, same[index]))
            else:
                made.append(None)
            begin += count
            bend += bent[index]
        return made

    def _usual(self, given: _Variables, starts: _Array) -> _Array:
        """Packets without events, impossible headings and times that do not rise."""
        time = given["time"]
        odd = (given["cause"] != 0) | (given["heading"] > 720)
        falls = np.empty(len(time), np.bool)
        falls[1:] = time[1:] <= time[:-1]
        falls[starts] = time[starts] < 0
        return ~np.logical_or.reduceat(odd | falls, starts)

    def _bends(
        self, given: _Variables, located: _Array, starts: _Array
    ) -> tuple[list[Bend], list[int]]:
        """The bends of all packets one after another, and how many each has."""
        speed = eval(self._speed, {}, given)  # noqa: S307
        pace = np.where(located & (given["sats"] != 0), np.minimum(speed, MIN_SPEED), -1)
        bent = np.empty(len(pace), np.bool)
        bent[1:] = pace[1:] != pace[:-1]
        for name in ("ignition", "is_moving"):
            if name in self._content.switches:
                raw = given[self._content.switches[name]]
                bent[1:] |= raw[1:] != raw[:-1]
        bent[starts] = True
        return bent.nonzero()[0].tolist(), np.add.reduceat(bent, starts, dtype=int).tolist()

    def _sets(self, given: _Variables) -> _Array:
        """The set of values that each record has (see ``Content.fields``), and above it how many
        bytes of texts and cells, which it adds to what is given."""
        sets = self._add_tails(given)
        for bit, condition in enumerate(self._guards):
            there = eval(condition, {}, given)  # noqa: S307
            sets |= there.astype(np.int64) << bit
        return sets

    def _add_tails(self, given: _Variables) -> _Array:
        """Texts and cells of the records. They hardly change from one record to the next."""
        count = len(given["time"])
        if not self._told:
            return np.zeros(count, np.int64)
        begins = np.zeros(count, np.bool)
        begins[0] = True
        for name in self._told:
            begins[1:] |= given[name][1:] != given[name][:-1]
        at = begins.nonzero()[0]
        made = map(self._tails, *(given[name][at].tolist() for name in self._told))
        whole, sets = zip(*made, strict=True)
        times = np.append(at[1:], count) - at
        longest = max(map(len, whole))
        given["tail"] = np.array(whole, f"S{longest or 1}").repeat(times)
        return np.array(sets).repeat(times)

    def _make_tails(self, *values: int) -> tuple[bytes, int]:
        """Texts and cells of a record with these ``_told``, and what they are in its set."""
        told = dict(zip(self._told, values, strict=True), **{"0": 0})
        tails, there = b"", 0
        for bit, (_, names, make) in enumerate(self._content.tails, len(self._content.guards)):
            tail = make(*(told[name] for name in names.split(", ")))
            tails += tail
            there |= bool(tail) << bit
        return tails, len(tails) << LENGTH_AT | there

    def _rows(self, given: _Variables, numbers: _Array) -> Callable[[int, int], bytes] | None:
        """What gives the rows of the records from one index up to another; ``numbers``: the kind
        of each. None: too few are alike."""
        first = int(numbers[0])
        if bool((numbers == first).all()):
            kind = self._kind(first)
            packed = kind.pack(given, len(numbers))
            return lambda begin, end: packed[begin * kind.size : end * kind.size]
        kinds = np.unique(numbers).tolist()
        if len(numbers) < WORTH * len(kinds):
            return None
        rows = [b""] * len(numbers)
        for number in kinds:
            kind = self._kind(number)
            where = (numbers == number).nonzero()[0]
            packed = kind.pack(_Some(given, where), len(where))
            for at, index in zip(range(0, len(packed), kind.size), where.tolist(), strict=True):
                rows[index] = packed[at : at + kind.size]
        return lambda begin, end: b"".join(rows[begin:end])

    def _kind(self, number: int) -> _Kind:
        """How rows are packed that have a position or not (the lowest bit), a set of values (the
        next ones), and so many bytes of texts and cells (the highest)."""
        kind = self._kinds.get(number)
        if kind is None:
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            columns = self._content.always | (self._content.located if number & 1 else {})
            length = number >> 1 >> LENGTH_AT
            content = self._content.fields(number >> 1 & (1 << LENGTH_AT) - 1)
            if length:
                content.expression(f"{length}s", "tail")
            kind = self._kinds[number] = _Kind(_row(columns, content, self._form), self._names)
        return kind


class _Kind:
    """Rows of the same literals."""

    def __init__(self, row: Fields, fields: Container[str]) -> None:
        self.size = row.size
        self._template = row.template
        places = list(row.places())
        #: What is copied as it is, and what is computed.
        self._copies: list[tuple[str, str]] = []
        self._sources: list[tuple[str, CodeType]] = []
        for place, _, source in places:
            if source in fields:
                self._copies.append((f"at{place}", source))
            else:
                self._sources.append((f"at{place}", _compiled(source)))
        self._dtype = np.dtype(
            {
                "names": [f"at{place}" for place, _, _ in places],
                "formats": [_format(form) for _, form, _ in places],
                "offsets": [place for place, _, _ in places],
                "itemsize": row.size,
            }
        )

    def pack(self, given: _Variables, count: int) -> bytes:
        rows = bytearray(self._template * count)
        out, records = np.frombuffer(rows, self._dtype), given.records
        for name, field in self._copies:
            out[name] = records[field]
        for name, source in self._sources:
            out[name] = eval(source, {}, given)  # noqa: S307
        return bytes(rows)


class _Variables(dict[str, _Array]):
    """What sources are made of: fields of the records as wide numbers, and what is set."""

    def __init__(self, records: _Array) -> None:
        super().__init__()
        self.records = records

    def __missing__(self, name: str) -> _Array:
        raw = self.records[name]
        value = self[name] = raw.astype(np.uint64 if raw.dtype == _WIDEST else np.int64)
        return value


class _Some(_Variables):
    """The same of some of the records."""

    def __init__(self, whole: _Variables, where: _Array) -> None:
        super().__init__(whole.records[where])
        self._whole, self._where = whole, where

    def __missing__(self, name: str) -> _Array:
        value = self[name] = self._whole[name][self._where]
        return value


def _row(columns: Mapping[str, str], content: Fields, form: RowFormat) -> Fields:
    """A row with ``columns`` (their sources; the rest is NULL) and ``content``."""
    row = Fields()
    row.literal(form.row)
    for column in COLUMNS[:-1]:
        source = "identity" if column == "digest" else columns.get(column)
        if source is None:
            row.literal(form.null)
        else:
            code = form.formats[column]
            row.literal(form.heads[code])
            row.expression(code, source)
    row.literal(form.content_head(content.size) if content else form.null)
    row.append(content)
    return row


def _format(form: str) -> str:
    """A format of ``struct`` as arrays have it."""
    return f"S{form[:-1]}" if form[-1] == "s" else f">{_CODES[form]}"


def _dtype(names: Sequence[str], unpack: struct.Struct) -> np.dtype[Any]:
    """What ``unpack`` unpacks, as arrays see it."""
    formats, offsets, at = [], [], 0
    for times, form in re.findall(r"(\d*)([a-zA-Z])", unpack.format):
        if form != "x":
            formats.append(_format(form))
            offsets.append(at)
        at += int(times or 1) * struct.calcsize(f">{form}")
    return np.dtype(
        {"names": list(names), "formats": formats, "offsets": offsets, "itemsize": unpack.size}
    )


def _compiled(source: str) -> CodeType:
    # Sources are made of numbers and of names in avl.toml, of nothing that a device sent.
    return compile(source, "<columns>", "eval")


def _for_arrays(condition: str) -> str:
    return "(" + condition.replace(" and ", ") & (") + ")"
