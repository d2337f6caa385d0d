"""AVL records of codecs 8, 8 Extended, 16 and 7, read field by field.

Source: the maker's public wiki, page "Teltonika Data Sending Protocols" (codecs 8, 8E, 16), and
the manual "GH3000 protocol" (codec 7). This is the whole truth about a record; :mod:`.plans` reads
the common ones faster, to the same result.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

from waypost.protocols.base import ProtocolError
from waypost.protocols.teltonika.avl import (
    CODEC_8,
    CODEC_8E,
    CODEC_16,
    VARIABLE,
    Element,
    Table,
)
from waypost.protocols.teltonika.beacons import STRUCTURES
from waypost.telemetry.message import Cell, Message

#: Codec 7 counts seconds from 2007 in the lower 30 bits; above them is the priority.
_GH_EPOCH = 1_167_609_600

_LATITUDE = 900_000_000
_LONGITUDE = 1_800_000_000

_HEAD = struct.Struct(">QxiihHBH")
_SIZES = (1, 2, 4, 8)


class Layout:
    """How a codec writes its counts and ids: bytes of the event id, of the counts, of the ids, and
    what stands between event id and total count."""

    def __init__(self, event: int, count: int, ids: int, between: int, variable: bool) -> None:
        self.event, self.count, self.ids = event, count, ids
        self.between, self.variable = between, variable
        #: From the record's beginning to the first group.
        self.head = _HEAD.size + event + between + count


LAYOUTS = {
    CODEC_8: Layout(1, 1, 1, 0, False),
    CODEC_8E: Layout(2, 2, 2, 0, True),
    # One more byte: why the record was made (generation type).
    CODEC_16: Layout(2, 1, 2, 1, False),
}


class Reader:
    """Reads numbers off ``data`` up to ``end``."""

    def __init__(self, data: bytes, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, end

    def take(self, size: int, what: str) -> bytes:
        start = self.position
        if size > self.end - start:
            raise ProtocolError(
                f"cut short: {what} of {size} bytes at {start}, {max(0, self.end - start)} left"
            )
        self.position = start + size
        return self.data[start : self.position]

    def number(self, size: int, what: str, signed: bool = False) -> int:
        return int.from_bytes(self.take(size, what), "big", signed=signed)


class Draft:
    """What the elements of a record add up to."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.values: dict[str, Any] = {}
        #: As read, for the event.
        self.raw: dict[int, int] = {}
        self.hdop: float | None = None
        self.speed: int | None = None
        self.operator = 0
        self.lac: Element | None = None
        self.cells: list[Element] = []
        self.neighbours: dict[int, dict[str, int]] = {}
        self.vin: dict[int, bytes] = {}

    def put(self, avl_id: int, data: bytes) -> None:
        """An element of fixed size."""
        element = self.table.element(avl_id, len(data))
        raw = int.from_bytes(data, "big", signed=element.signed)
        self.raw[avl_id] = raw
        if element.measured(raw):
            _PUT[element.kind](self, element, raw)

    def put_variable(self, avl_id: int, data: bytes) -> None:
        """An element of variable length."""
        structure = STRUCTURES.get(avl_id)
        if structure is not None:
            self.values[f"avl_io_{avl_id}"] = structure(data)
            return
        element = self.table.element(avl_id, VARIABLE)
        if element.kind == "text":
            text = printable(data)
            if text:
                self.values[element.name] = text
            elif text is None:
                self.values[f"avl_io_{avl_id}"] = data.hex()
        else:
            self.values[element.name] = data.hex()

    def finish(self) -> list[Cell] | None:
        """Puts together what several elements say; the cells."""
        if len(self.vin) == 3:
            text = printable(b"".join(part for _, part in sorted(self.vin.items())))
            if text:
                self.values["vin"] = text
        mcc, mnc = network(self.operator)
        cells: list[Cell] = []
        if self.lac is not None and self.cells:
            lac = self.raw[self.lac.id]
            # The last one is the wider: 636 beside 205.
            for element in reversed(self.cells):
                cell = self.raw[element.id]
                if known(lac) and known(cell):
                    cells.append(Cell(lac, cell, mcc, mnc))
                    break
        else:
            alone = self.cells if self.lac is None else [self.lac]
            self.values |= {element.name: self.raw[element.id] for element in alone}
        for _, parts in sorted(self.neighbours.items()):
            lac, cell = parts.get("lac", 0), parts.get("cell", 0)
            if known(lac) and known(cell):
                signal = parts.get("signal")
                strength = None if signal is None else -signal
                cells.append(Cell(lac, cell, mcc, parts.get("network", mnc), strength))
        return cells or None


def known(number: int) -> bool:
    """Is it an area or a cell, and not one of the codes for "unknown"?"""
    return number not in (0, 0xFFFF, 0xFFFFFFFF)


def network(operator: int) -> tuple[int | None, int | None]:
    """Country and network code of an operator, which is both as one decimal number (24602)."""
    if operator >= 100_000:
        return divmod(operator, 1000) if operator < 1_000_000 else (None, None)
    return divmod(operator, 100) if operator >= 10_000 else (None, None)


def printable(data: bytes) -> str | None:
    """``data`` as text, without what pads it; None if it is no text."""
    text = data.strip(b"\x00 \r\n\t")
    if not text.isascii():
        return None
    decoded = text.decode("ascii")
    return decoded if all(mark.isprintable() or mark in "\r\n\t" for mark in decoded) else None


def located(latitude: int, longitude: int) -> bool:
    """Are these coordinates (1e-7 degrees) a place? Zeros stand for "never had a fix"."""
    return (
        bool(latitude or longitude)
        and -_LATITUDE <= latitude <= _LATITUDE
        and -_LONGITUDE <= longitude <= _LONGITUDE
    )


def scaled(element: Element, raw: int) -> float:
    """``raw`` in the vocabulary's unit."""
    return raw if element.div == 1 else raw / element.div


def _number(draft: Draft, element: Element, raw: int) -> None:
    draft.values[element.name] = scaled(element, raw)


def _bool(draft: Draft, element: Element, raw: int) -> None:
    draft.values[element.name] = raw != 0


def _line(draft: Draft, element: Element, raw: int) -> None:
    mask = draft.values.get(element.name, 0)
    draft.values[element.name] = mask | ((raw != 0) << element.bit)


def _signal(draft: Draft, element: Element, raw: int) -> None:
    if raw <= 5:
        draft.values[element.name] = raw * 20


def _ibutton(draft: Draft, element: Element, raw: int) -> None:
    if raw:
        draft.values[element.name] = raw.to_bytes(8, "little").hex().upper()


def _hex(draft: Draft, element: Element, raw: int) -> None:
    if raw:
        draft.values[element.name] = f"{raw:016X}"


def _hdop(draft: Draft, element: Element, raw: int) -> None:
    draft.hdop = raw / 10


def _speed(draft: Draft, element: Element, raw: int) -> None:
    draft.speed = raw


def _operator(draft: Draft, element: Element, raw: int) -> None:
    draft.operator = raw
    if raw:
        draft.values[element.name] = str(raw)


def _lac(draft: Draft, element: Element, raw: int) -> None:
    draft.lac = element


def _cell(draft: Draft, element: Element, raw: int) -> None:
    draft.cells.append(element)


def _flags(draft: Draft, element: Element, raw: int) -> None:
    for name, mask in element.flags.items():
        draft.values[name] = raw & mask != 0


def _vin_part(draft: Draft, element: Element, raw: int) -> None:
    draft.vin[element.bit] = raw.to_bytes(max(element.size), "big")


def _neighbour(part: str) -> Callable[[Draft, Element, int], None]:
    def put(draft: Draft, element: Element, raw: int) -> None:
        draft.neighbours.setdefault(element.bit, {})[part] = raw

    return put


_PUT: dict[str, Callable[[Draft, Element, int], None]] = {
    "number": _number,
    "text": _number,
    "bool": _bool,
    "line": _line,
    "signal": _signal,
    "ibutton": _ibutton,
    "hex": _hex,
    "hdop": _hdop,
    "speed": _speed,
    "operator": _operator,
    "lac": _lac,
    "cell": _cell,
    "flags": _flags,
    "vin_part": _vin_part,
    "neighbour_lac": _neighbour("lac"),
    "neighbour_cell": _neighbour("cell"),
    "neighbour_signal": _neighbour("signal"),
    "neighbour_network": _neighbour("network"),
}


def note_event(table: Table, values: dict[str, Any], avl_id: int, raw: int | None) -> int | None:
    """The event of a record that the element ``avl_id``, now ``raw``, caused; ``values`` gets what
    the device itself calls it."""
    values["event_code"] = str(avl_id)
    if raw is not None:
        values["sub_event_code"] = str(raw)
    return table.event(avl_id, raw)


def _group(reader: Reader, layout: Layout, size: int) -> Iterator[tuple[int, bytes]]:
    """Ids and values of the next group, whose values have ``size`` bytes."""
    count, ids = reader.number(layout.count, "count of a group"), layout.ids
    width = ids + size
    block = reader.take(count * width, f"{count} elements of {size} bytes")
    for at in range(0, len(block), width):
        yield int.from_bytes(block[at : at + ids], "big"), block[at + ids : at + width]


def read_record(reader: Reader, codec: int, table: Table, extended: bool = False) -> Message:
    """One record of codec 8, 8E or 16. ``extended``: codec 8 with a group of 16-byte elements, as
    some models send it. Raises :class:`ProtocolError` where the record is cut short."""
    layout = LAYOUTS[codec]
    start = reader.position
    time, longitude, latitude, altitude, heading, satellites, speed = _HEAD.unpack(
        reader.take(_HEAD.size, "a record's head")
    )
    event = reader.number(layout.event, "event id")
    # How many elements there are in all is said again group by group, and these counts decide.
    reader.take(layout.between + layout.count, "count of elements")
    draft = Draft(table)
    for size in _SIZES:
        for avl_id, data in _group(reader, layout, size):
            draft.put(avl_id, data)
    if extended:
        for avl_id, data in _group(reader, layout, 16):
            draft.values[f"avl_io_{avl_id}"] = data.hex()
    if layout.variable:
        for _ in range(reader.number(layout.count, "count of a group")):
            avl_id = reader.number(layout.ids, "id")
            length = reader.number(2, f"length of element {avl_id}")
            draft.put_variable(avl_id, reader.take(length, f"element {avl_id}"))
    cells = draft.finish()
    message = Message(
        time,
        reader.data[start : reader.position],
        satellites=satellites,
        hdop=draft.hdop,
        valid=False,
        values=draft.values,
        cells=cells,
    )
    if event:
        message.event_id = note_event(table, draft.values, event, draft.raw.get(event))
    if located(latitude, longitude):
        message.latitude, message.longitude = latitude / 10_000_000, longitude / 10_000_000
        message.altitude, message.heading = altitude, heading
        message.speed = speed if draft.speed is None else draft.speed
        message.valid = satellites != 0
    return message


def read_gh_record(reader: Reader, table: Table) -> Message:
    """One record of codec 7. Raises :class:`ProtocolError`."""
    start = reader.position
    time = (reader.number(4, "time") & 0x3FFFFFFF) + _GH_EPOCH
    parts = reader.number(1, "mask of a record")
    message = Message(time * 1000, b"", valid=False)
    draft = Draft(table)
    cells: list[Cell] | None = None
    if parts & 0x01:
        cells = _read_gh_place(reader, message, draft)
    for bit, size in ((0x02, 1), (0x04, 2), (0x08, 4)):
        if parts & bit:
            for avl_id, data in _group(reader, LAYOUTS[CODEC_8], size):
                draft.put(avl_id, data)
    message.hdop = draft.hdop
    message.cells = draft.finish() or cells
    message.values = draft.values
    message.digest_of = reader.data[start : reader.position]
    return message


def _read_gh_place(reader: Reader, message: Message, draft: Draft) -> list[Cell] | None:
    """The GPS element of codec 7 into ``message``; the cell."""
    parts = reader.number(1, "mask of a place")
    latitude = longitude = math.nan
    if parts & 0x01:
        latitude, longitude = struct.unpack(">ff", reader.take(8, "coordinates"))
    if parts & 0x02:
        message.altitude = reader.number(2, "altitude", signed=True)
    if parts & 0x04:
        message.heading = round(reader.number(1, "angle") * 360 / 256, 1)
    if parts & 0x08:
        message.speed = reader.number(1, "speed")
    if parts & 0x10:
        message.satellites = reader.number(1, "satellites")
    cell: Cell | None = None
    if parts & 0x20:
        cell = Cell(reader.number(2, "area"), reader.number(2, "cell"))
    if parts & 0x40:
        signal = reader.number(1, "signal")
        if signal <= 5:
            draft.values["gsm_level"] = signal * 20
    if parts & 0x80:
        operator = reader.number(4, "operator")
        if operator:
            draft.values["gsm_network"] = str(operator)
        if cell is not None:
            cell.mcc, cell.mnc = network(operator)
    if (latitude or longitude) and abs(latitude) <= 90 and abs(longitude) <= 180:
        message.latitude, message.longitude = round(latitude, 7), round(longitude, 7)
        message.valid = message.satellites != 0
    else:
        message.altitude = message.heading = message.speed = None
    return [cell] if cell is not None and known(cell.lac) and known(cell.cell_id) else None
