"""Packets that locate the device by its surroundings: cells (18, 24, 28, 2E, 34, A1), access points
beside them (2C, 33, A2, F3), and the bare scans of cheap trackers (17, 69).

Source: "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "LBS Multi-Base Extended Information
Packet" and its 4G form; access points, and what clones differ in, from recorded packets and
published decoders.
"""

from __future__ import annotations

from typing import NamedTuple

from waypost.protocols.gt06.position import (
    LONG_CELL,
    LONG_CODES,
    NARROW,
    WIDE,
    Widths,
    read_decimal_time,
    read_network,
    read_time,
)
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Cell, Message, Wifi

#: The serving cell and six neighbours.
_CELLS = 7
_LBS_REPORT = 402


class Kind(NamedTuple):
    """``advance_first``: the timing advance precedes the network's codes; ``counted``: so does,
    after them, the number of cells."""

    widths: Widths = NARROW
    cells: int = _CELLS
    points: bool = False
    local: bool = False
    advance_first: bool = False
    counted: bool = False


KINDS = {
    0x18: Kind(local=True),
    0x24: Kind(),
    0x28: Kind(),
    0x2C: Kind(points=True),
    0x2E: Kind(),
    0x33: Kind(LONG_CELL, 6, points=True),
    0x34: Kind(LONG_CODES, advance_first=True),
    0xA1: Kind(WIDE),
    0xA2: Kind(WIDE, points=True),
}
#: Packet 24 of S20 trackers, by its content's length.
_S20 = (0x24, 44)


def read_cells(kind: int, content: bytes, offset: int) -> Message:
    """The message of a packet of :data:`KINDS`. Raises :class:`ProtocolError`."""
    form = KINDS[kind]
    if (kind, len(content)) == _S20:
        form = Kind(advance_first=True, counted=True)
    reader = Reader(content)
    message = Message(read_time(reader, offset if form.local else 0), content, event_id=_LBS_REPORT)
    if form.advance_first:
        reader.take(1, "timing advance")
    mcc, mnc = read_network(reader, form.widths)
    count = reader.number(1, "number of cells") if form.counted else form.cells
    size = form.widths.lac + form.widths.cell_id + 1
    cells: dict[tuple[int, int], Cell] = {}
    for _ in range(count):
        if reader.left < size:
            break
        lac = reader.number(form.widths.lac, "LAC")
        cell_id = reader.number(form.widths.cell_id, "cell id")
        level = reader.number(1, "signal")
        if lac:
            cells.setdefault(
                (lac, cell_id), Cell(lac, cell_id, mcc, mnc, -level if level else None)
            )
    message.cells = list(cells.values()) or None
    if form.points and reader.left > 1:
        reader.take(1, "timing advance")
        message.wifi = _points(reader, reader.number(1, "number of access points"))
    return message


def read_scan(kind: int, content: bytes, points: int) -> Message:
    """A bare scan of so many access points: time in decimal digits, access points, number of cells,
    network, cells (LAC, cell id and level, 2 + 2 + 1 bytes)."""
    reader = Reader(content)
    message = Message(read_decimal_time(reader), content, event_id=_LBS_REPORT)
    message.wifi = _points(reader, points)
    count = reader.number(1, "number of cells")
    mcc, mnc = read_network(reader, NARROW)
    cells: dict[tuple[int, int], Cell] = {}
    for _ in range(count):
        lac = reader.number(2, "LAC")
        cell_id = reader.number(2, "cell id")
        level = reader.number(1, "signal")
        cells.setdefault((lac, cell_id), Cell(lac, cell_id, mcc, mnc, -level if level else None))
    message.cells = list(cells.values()) or None
    return message


def read_points(content: bytes) -> Message:
    """Packet F3: time in decimal digits, and access points without their signal."""
    reader = Reader(content)
    message = Message(read_decimal_time(reader), content, event_id=_LBS_REPORT)
    count = reader.number(1, "number of access points")
    found = []
    for _ in range(count):
        reader.take(2, "mark of an access point")
        found.append(Wifi(reader.take(6, "address").hex(":")))
    message.wifi = found or None
    return message


def _points(reader: Reader, count: int) -> list[Wifi] | None:
    points: dict[str, Wifi] = {}
    for _ in range(count):
        mac = reader.take(6, "address of an access point").hex(":")
        level = reader.number(1, "signal")
        points.setdefault(mac, Wifi(mac, -level if level else None))
    return list(points.values()) or None
