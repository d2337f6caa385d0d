"""Times, fixes and cells as all packets write them.

Sources: Concox, "GT06 GPS Tracker Communication Protocol" v1.8.1, 5.2.1 (date and time, quantity of
satellites, latitude and longitude in 1/1,800,000 degree, speed, course and status); "JM-VL03 GPS
Tracker Communication Protocol" V1.1.2, "GPS Location Packet" and "GPS Location Packet 4G" (MCC bit
15: the MNC has two bytes).
"""

from __future__ import annotations

from typing import NamedTuple

from waypost.protocols.base import ProtocolError
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Cell, Message, utc_ms

#: Units in a degree.
_DEGREE = 1_800_000
_MAX_LATITUDE, _MAX_LONGITUDE = 90 * _DEGREE, 180 * _DEGREE
#: Course and status: what its bits say above the course.
_COURSE, _NORTH, _WEST, _FIXED, _HAS_ACC, _ACC = 0x3FF, 0x400, 0x800, 0x1000, 0x4000, 0x8000
_LONG_MNC = 0x8000


class Fix(NamedTuple):
    """How a packet writes its fix: width of the speed (0: none), whether satellites are there, and
    whether course and status precede the speed."""

    speed: int = 1
    satellites: bool = True
    course_first: bool = False


PLAIN = Fix()


def read_time(reader: Reader, offset: int = 0) -> int | None:
    """Six bytes of calendar time, ms UTC; ``offset``: ms that the device's clock is ahead of UTC.
    None where there is no month or day: the clock was never set."""
    fields = reader.take(6, "time")
    if not fields[1] or not fields[2]:
        return None
    try:
        return utc_ms(2000 + fields[0], *fields[1:]) - offset
    except ValueError:
        raise ProtocolError(f"no such time: {fields.hex()}") from None


def read_decimal_time(reader: Reader) -> int:
    """Six bytes that hold two decimal digits each, ms UTC."""
    digits = reader.take(6, "time").hex()
    try:
        year, *others = (int(digits[at : at + 2]) for at in range(0, 12, 2))
        return utc_ms(2000 + year, *others)
    except ValueError:
        raise ProtocolError(f"no such time: {digits}") from None


def read_fix(reader: Reader, message: Message, form: Fix = PLAIN) -> None:
    """A fix, from after its time on. Zeros that are no current fix are no place."""
    if form.satellites:
        message.satellites = reader.number(1, "satellites") & 15
    latitude = reader.number(4, "latitude")
    longitude = reader.number(4, "longitude")
    course = reader.number(2, "course") if form.course_first else 0
    speed = reader.number(form.speed, "speed") if form.speed else None
    if not form.course_first:
        course = reader.number(2, "course")
    put_place(message, latitude, longitude, course)
    if message.latitude is not None and speed is not None:
        message.speed = float(speed)


def put_place(message: Message, latitude: int, longitude: int, course: int) -> None:
    """A place in units of the device, with what course and status say of it."""
    if latitude > _MAX_LATITUDE or longitude > _MAX_LONGITUDE:
        raise ProtocolError(f"no such place: {latitude / _DEGREE:.6f}, {longitude / _DEGREE:.6f}")
    message.valid = bool(course & _FIXED)
    if message.valid or latitude or longitude:
        message.latitude = latitude / (_DEGREE if course & _NORTH else -_DEGREE) + 0.0  # no -0.0
        message.longitude = longitude / (-_DEGREE if course & _WEST else _DEGREE) + 0.0
        message.heading = float(course & _COURSE)
    if course & _HAS_ACC:
        message.values["ignition"] = bool(course & _ACC)


class Widths(NamedTuple):
    """Bytes of a cell's codes; ``mnc`` is 2 wherever bit 15 of the MCC says so."""

    lac: int = 2
    cell_id: int = 3
    mnc: int = 1

    @property
    def total(self) -> int:
        return 2 + sum(self)


NARROW = Widths()
#: Packets for fourth-generation networks.
WIDE = Widths(4, 8)
#: Packets of clones that leave four bytes to the cell.
LONG_CELL = Widths(2, 4)
LONG_CODES = Widths(2, 4, 2)


def read_network(reader: Reader, widths: Widths) -> tuple[int | None, int | None]:
    """MCC and MNC; None where the device does not say them."""
    mcc = reader.number(2, "MCC")
    mnc = reader.number(2 if mcc & _LONG_MNC else widths.mnc, "MNC")
    mcc &= _LONG_MNC - 1
    return (mcc, mnc) if mcc else (None, None)


def read_cell(reader: Reader, widths: Widths) -> Cell:
    """The serving cell: codes of the network, area, cell."""
    mcc, mnc = read_network(reader, widths)
    lac = reader.number(widths.lac, "LAC")
    return Cell(lac, reader.number(widths.cell_id, "cell id"), mcc, mnc)


def read_counted_cell(reader: Reader, tail: int, kind: str = "") -> Cell | None:
    """The serving cell behind its length, which decides the widths; None where there is none.

    The length counts itself, except in packets of the SL48 family (``kind`` is ``sl``), which write
    two bytes of MNC, and in those of clones that leave it at 8. What follows the cell within the
    length is passed over. ``tail``: bytes that come after; a length of 0 may stand before zeros.
    """
    length = reader.number(1, "length of the cell")
    if length == 0:
        spare = reader.left - tail
        if spare > 0 and not any(reader.peek(spare)):
            reader.take(spare, "zeros")
        return None
    size = length if kind == "sl" or length == NARROW.total else length - 1
    codes = Reader(reader.take(size, "cell"))
    if kind == "sl":
        return read_cell(codes, LONG_CODES)
    mnc = 2 if int.from_bytes(codes.peek(2), "big") & _LONG_MNC else 1
    lac_and_cell = size - 2 - mnc
    if lac_and_cell == LONG_CELL.lac + LONG_CELL.cell_id:
        return read_cell(codes, LONG_CELL)
    return read_cell(codes, WIDE if lac_and_cell == WIDE.lac + WIDE.cell_id else NARROW)
