"""A position from cells whose places are known. Pure.

Each cell says: the device is within my range. Cells that contradict the others (a cell that has
moved since it was measured, a wrong line in a table) are left out. The others' places are weighted
by how near the device seems to be: by signal, and by range, because a cell of small range can
only be heard from nearby.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from waypost.telemetry.earth import kilometres

#: Of the numbers of a cell: 36 bits (5G), 24 bits (tracking areas), and those of a network (CDMA:
#: the system's number).
GREATEST_CELL, GREATEST_AREA, GREATEST_NET = 2**36 - 1, 2**24 - 1, 0x7FFF
#: Metres. A table's range is that of the measurements it was made of, so that a few of them make
#: a range that is too small; no cell reaches further than the other.
LEAST_RANGE, GREATEST_RANGE = 200, 100_000
#: Two cells that are heard at once are no further apart than this many times their ranges.
SLACK = 2.0
#: A signal that was not told, and the weakest and strongest that there are, dBm.
USUAL_SIGNAL = -95
_SIGNALS = (-140, -20)
#: Cells of one place that are looked at.
MOST = 32


class KnownCell(msgspec.Struct, frozen=True):
    """A cell that was heard and whose place is known: degrees, metres, dBm."""

    latitude: float
    longitude: float
    range: float
    rssi: int | None = None


class Place(msgspec.Struct, frozen=True):
    """Where something is, and the radius of uncertainty in metres."""

    latitude: float
    longitude: float
    precision: int


def place(known: Sequence[KnownCell]) -> Place | None:
    """Where a device is that hears all of these; None: there are none. Where it is within range of
    each cell that agrees with the others, it is within ``precision`` of the result."""
    cells = sorted(known, key=_order, reverse=True)[:MOST]
    if not cells:
        return None
    agreeing = max(([a for a in cells if _agree(a, b)] for b in cells), key=len)
    latitude, longitude = _middle(agreeing)
    precision = min(_range(cell) + _metres(cell, latitude, longitude) for cell in agreeing)
    return Place(latitude, longitude, math.ceil(precision))


def _order(cell: KnownCell) -> tuple[float, float, float]:
    """The heaviest is the first that others are compared with."""
    return _weight(cell), cell.latitude, cell.longitude


def _range(cell: KnownCell) -> float:
    return min(max(cell.range, LEAST_RANGE), GREATEST_RANGE)


def _weight(cell: KnownCell) -> float:
    rssi = cell.rssi
    weakest, strongest = _SIGNALS
    signal = rssi if rssi is not None and weakest <= rssi <= strongest else USUAL_SIGNAL
    # In free space the field falls with the distance: 20 dB are a tenth of it.
    return float(10 ** ((signal - USUAL_SIGNAL) / 20) / _range(cell) ** 2)


def _metres(cell: KnownCell, latitude: float, longitude: float) -> float:
    return 1000 * kilometres(cell.latitude, cell.longitude, latitude, longitude)


def _agree(one: KnownCell, other: KnownCell) -> bool:
    """Can both be heard at one place?"""
    apart = _metres(one, other.latitude, other.longitude)
    return apart <= SLACK * (_range(one) + _range(other))


def _middle(cells: Sequence[KnownCell]) -> tuple[float, float]:
    """The weighted middle; on the plane, since what agrees is near, and across the date line."""
    first = cells[0]
    total = north = east = 0.0
    for cell in cells:
        weight = _weight(cell)
        total += weight
        north += weight * (cell.latitude - first.latitude)
        east += weight * _turned(cell.longitude - first.longitude)
    latitude = first.latitude + north / total
    return latitude, _turned(first.longitude + east / total)


def _turned(longitude: float) -> float:
    """The same meridian from -180 to 180."""
    return (longitude + 180) % 360 - 180 if not -180 <= longitude <= 180 else longitude
