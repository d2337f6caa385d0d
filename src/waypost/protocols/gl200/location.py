"""Finds the position blocks in the columns of a text report.

A block is ``accuracy, speed, azimuth, altitude, longitude, latitude, GNSS UTC time`` and mostly
``MCC, MNC, LAC, Cell ID`` after it. What stands around it differs by report, device and firmware,
so blocks are found by what coordinates look like. Source: "Position Related Report" of the @Track
manuals; GL100 @Track manual, section 3.3, for the older order of columns.
"""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from waypost.protocols.gl200.columns import between, hexadecimal, is_moment, moment, whole
from waypost.telemetry.message import Cell, Message, Wifi

_DEGREES = re.compile(r"-?\d{1,3}\.\d{3,8}$")
_EXACT = re.compile(r"-?\d{1,3}\.\d{6}$")
_CODE = re.compile(r"\d{2,4}$")
_COUNTRY = re.compile(r"0?[2-7]\d{2}$")
_NETWORK = re.compile(r"0\d{3}$")
_HEX_ID = re.compile(r"[0-9A-Fa-f]{1,8}$")
_MAC = re.compile(r"[0-9A-Fa-f]{12}$")
_RSSI = re.compile(r"-\d{1,3}$")


class Point(msgspec.Struct):
    """One block: the columns from ``start`` to before ``end``, and what they say."""

    start: int
    end: int
    latitude: float | None = None
    longitude: float | None = None
    time: int | None = None
    altitude: float | None = None
    speed: float | None = None
    heading: float | None = None
    accuracy: float | None = None
    valid: bool = True
    cell: Cell | None = None

    def put(self, message: Message) -> None:
        """Puts the position into ``message``; its times stay."""
        message.latitude, message.longitude = self.latitude, self.longitude
        message.altitude, message.speed, message.heading = self.altitude, self.speed, self.heading
        message.hdop, message.valid = self.accuracy, self.valid
        if self.accuracy is not None:
            message.values["gps_status"] = self.valid
        if self.cell is not None:
            message.cells = [self.cell]


def is_current(accuracy: float | None) -> bool:
    """GNSS accuracy is the HDOP; 0: "the current GNSS fix fails and the last known GNSS position is
    used" (all manuals, "GNSS Accuracy")."""
    return accuracy is None or accuracy > 0


def find_points(columns: list[str], low: int, high: int) -> list[Point]:
    """The blocks among ``columns[low:high]`` that have coordinates, in order."""
    found = []
    at = low + 4
    while at + 2 < high:
        time = columns[at + 2]
        # Most columns are no coordinates: a look at the third tells it at little cost.
        point = _point(columns, low, at, high) if not time or len(time) == 14 else None
        if point is None:
            at += 1
        else:
            found.append(point)
            at = point.end
    return found


def _point(columns: list[str], low: int, at: int, high: int) -> Point | None:
    """The block whose longitude is column ``at``."""
    longitude, latitude, time = columns[at : at + 3]
    if not (_DEGREES.match(longitude) and _DEGREES.match(latitude)):
        return None
    if not is_moment(time) and (time or not (_EXACT.match(longitude) and _EXACT.match(latitude))):
        return None
    east, north = between(longitude, -180, 180), between(latitude, -90, 90)
    if east is None or north is None:
        return None
    point = Point(at - 4, at + 3, north, east, moment(time))
    accuracy, speed, heading, altitude = columns[at - 4 : at]
    if "." in accuracy and "." in heading and "." not in altitude and at - 5 >= low:
        # GL100 order: fix (1: successful), speed, heading, altitude, HDOP, longitude
        point.start = at - 5
        speed, heading, altitude, accuracy = columns[at - 4 : at]
        point.valid = columns[at - 5] != "0"
        point.accuracy = between(accuracy, 0, 99)
    else:
        point.accuracy = between(accuracy, 0, 99)
        point.valid = is_current(point.accuracy)
    point.speed = between(speed, 0, 2000)
    point.heading = between(heading, 0, 360)
    point.altitude = between(altitude, -20000, 100000)
    used, point.cell = read_cell(columns, point.end, high)
    point.end += used
    return point


def read_cell(columns: list[str], at: int, high: int) -> tuple[int, Cell | None]:
    """How many columns from ``at`` are a cell's (0 or 4), and the cell that they name."""
    if at + 4 > high:
        return 0, None
    mcc, mnc, lac, cell = columns[at : at + 4]
    if not (mcc or mnc or lac or cell):
        return 4, None
    if (mcc and not _CODE.match(mcc)) or (mnc and not whole(mnc) and not _CODE.match(mnc)):
        return 0, None
    if (lac and not _HEX_ID.match(lac)) or (cell and not _HEX_ID.match(cell)):
        return 0, None
    return 4, make_cell(mcc, mnc, lac, cell)


def make_cell(mcc: str, mnc: str, lac: str, cell: str, rssi: int | None = None) -> Cell | None:
    """Country and network are decimal, area and cell hex. None for a cell that is not known."""
    area, number = hexadecimal(lac), hexadecimal(cell)
    country, network = whole(mcc), whole(mnc)
    if area is None or number is None or (not area and not number):
        return None
    if set(cell.upper()) == {"F"} or (country or 0) > 999 or (network or 0) > 999:
        return None  # nothing found, or a CDMA network's system numbers
    return Cell(area, number, country or None, network if country else None, rssi)


def find_cells(columns: list[str]) -> list[Cell]:
    """Cells listed with their level: groups of ``MCC, MNC, LAC, Cell ID, Rx level``. The level is
    GSM's, 0 for -110 dBm and below (3GPP TS 45.008, 8.1.4)."""
    found = []
    at = 0
    while at + 4 < len(columns):
        mcc, mnc, lac, cell, level = columns[at : at + 5]
        made = None
        if _COUNTRY.match(mcc) and _CODE.match(mnc) and len(level) <= 2:
            rx = whole(level)
            made = make_cell(mcc, mnc, lac, cell, rx - 110 if rx is not None and rx < 99 else None)
        if made is not None:
            found.append(made)
        at += 5 if made is not None else 1
    return found


def find_wifi(columns: list[str]) -> list[Wifi]:
    """Access points: a hardware address followed by its level in dBm."""
    found = []
    for at, (mac, rssi) in enumerate(pairwise(columns)):
        if _MAC.match(mac) and _RSSI.match(rssi) and not (at and _MAC.match(columns[at - 1])):
            text = ":".join(mac[i : i + 2] for i in range(0, 12, 2)).lower()
            found.append(Wifi(text, int(rssi)))
    return found


def find_cell(columns: list[str], low: int, high: int) -> tuple[int, Cell] | None:
    """The first cell among ``columns[low:high]`` (for reports without a fix) and its column."""
    for at in range(low, high - 3):
        if _NETWORK.match(columns[at]) and _NETWORK.match(columns[at + 1]):
            used, cell = read_cell(columns, at, high)
            if used and cell is not None:
                return at, cell
    return None
