"""What a device hears around it, as far as one can look it up. Pure.

Devices fill tables of a fixed length with codes that mean "nothing here", leave out the network of
cells whose network is the same, and list access points that travel. What remains is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from xxhash import xxh3_128_digest

from waypost.location.position import GREATEST_AREA, GREATEST_CELL, GREATEST_NET
from waypost.store.points import FUTURE, Point
from waypost.telemetry.message import Cell, Message, Wifi
from waypost.telemetry.state import FUTURE_MS

#: Cells and access points that are looked up; the nearest count.
MOST_CELLS, MOST_POINTS = 16, 24
#: Providers need so many access points: one alone would tell where somebody's router is.
LEAST_POINTS = 2
#: Reserved for "none" (3GPP TS 23.003, 4.1: LAC 0000 and FFFE), or what devices have in its place.
_NO_AREAS = frozenset({0, 0xFFFE, 0xFFFF, 0xFFFFFE, 0xFFFFFF})
_NO_CELLS = frozenset({0, 0xFFFF, 0xFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFF})
#: Bits of an address's first octet: sent to many; made up and not given by a maker (IEEE 802, 8.2).
_NOT_A_ROUTER = 0b11

_pack = msgspec.msgpack.Encoder().encode


class Surroundings(msgspec.Struct, frozen=True):
    """What can be looked up: every cell has its country and network, no cell or access point is
    there twice, the nearest come first."""

    cells: tuple[Cell, ...]
    wifi: tuple[Wifi, ...]

    @property
    def key(self) -> bytes:
        """The same for all who hear the same cells and access points, however loud."""
        cells = sorted(cell_key(cell) for cell in self.cells)
        return xxh3_128_digest(_pack((cells, sorted(point.mac for point in self.wifi))))


class Unlocated(msgspec.Struct, frozen=True):
    """A report without a current fix, and what its device heard then."""

    source_id: int
    retention_days: int
    #: When that was, and when the report was received, ms.
    time: int
    received: int
    around: Surroundings
    #: What makes its position one and the same, however often it is found.
    identity: bytes
    #: The report has no time of its own.
    untimed: bool = False
    buffered: bool = False


def cell_key(cell: Cell) -> tuple[int, int, int, int]:
    """Country, network, area, cell."""
    return cell.mcc or 0, cell.mnc or 0, cell.lac, cell.cell_id


def surroundings(
    cells: Iterable[Cell] | None, wifi: Iterable[Wifi] | None, network: Any = None
) -> Surroundings | None:
    """What of all this can be looked up; None: nothing. ``network``: the operator as messages tell
    it (``gsm_network``), for cells that do not say whose they are."""
    found_cells = _cells(list(cells or ()), network)
    found_points = _points(wifi or ())
    if not found_cells and len(found_points) < LEAST_POINTS:
        return None
    return Surroundings(tuple(found_cells), tuple(found_points))


def unlocated(
    message: Message, source_id: int, retention_days: int, received: int
) -> Unlocated | None:
    """What is to be found out about a message without a current fix; None: nothing can be."""
    time = _seen_at(message.time, message.device_time, received)
    around = surroundings(message.cells, message.wifi, message.values.get("gsm_network"))
    if time is None or around is None:
        return None
    untimed = message.time is None
    identity = _identity(message.digest_of if untimed else around.key)
    return Unlocated(
        source_id, retention_days, time, received, around, identity, untimed, message.buffered
    )


def stored_unlocated(point: Point, retention_days: int) -> Unlocated | None:
    """The same for a report that was stored, with or without a fix."""
    if point.flags & FUTURE:
        return None
    values = point.values()
    try:
        cells = msgspec.convert(values.get("mobile_cells"), list[Cell] | None)
        wifi = msgspec.convert(values.get("wifi_points"), list[Wifi] | None)
    except msgspec.ValidationError:
        return None  # a device's own value of that name
    time = _seen_at(point.time, point.device_time, point.received)
    around = surroundings(cells, wifi, values.get("gsm_network"))
    if time is None or around is None:
        return None
    return Unlocated(
        point.source_id, retention_days, time, point.received, around, _identity(around.key)
    )


def _identity(of: bytes) -> bytes:
    return b"by network " + of


def _seen_at(time: int | None, device_time: int | None, received: int) -> int | None:
    """When a device heard what it tells, ms: its own time, because that of an old fix is not it.
    None: in the future."""
    seen = received if time is None else time
    if device_time is not None and 0 <= device_time <= received + FUTURE_MS:
        seen = device_time
    return seen if 0 <= seen <= received + FUTURE_MS else None


def _cells(told: list[Cell], network: Any) -> list[Cell]:
    default = next(
        ((cell.mcc, cell.mnc) for cell in told if _is_network(cell.mcc, cell.mnc)),
        _operator(network),
    )
    found: dict[tuple[int, int, int, int], Cell] = {}
    for cell in told:
        mcc, mnc = cell.mcc, cell.mnc
        if not mcc or mnc is None:
            mcc, mnc = default
        if not _is_network(mcc, mnc):
            continue
        if cell.lac in _NO_AREAS or not 0 < cell.lac <= GREATEST_AREA:
            continue
        if cell.cell_id in _NO_CELLS or not 0 < cell.cell_id <= GREATEST_CELL:
            continue
        whole = Cell(cell.lac, cell.cell_id, mcc, mnc, _signal(cell.rssi), cell.type)
        found.setdefault(cell_key(whole), whole)
    # The first one serves the device; of its neighbours the loudest tell most.
    every = list(found.values())
    return [*every[:1], *sorted(every[1:], key=_loudness)][:MOST_CELLS]


def _is_network(mcc: int | None, mnc: int | None) -> bool:
    """Are these codes of a country and a network (CDMA: the system's number)?"""
    return mcc is not None and mnc is not None and 0 < mcc < 1000 and 0 <= mnc <= GREATEST_NET


def _operator(network: Any) -> tuple[int | None, int | None]:
    """Country and network of an operator told as digits."""
    digits = str(network) if isinstance(network, str | int) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) in (5, 6)):
        return None, None
    return int(digits[:3]), int(digits[3:])


def _points(told: Iterable[Wifi]) -> list[Wifi]:
    found: dict[str, Wifi] = {}
    for point in told:
        try:
            octets = bytes.fromhex(point.mac.replace(":", "").replace("-", ""))
        except ValueError:
            continue
        if len(octets) != 6 or not any(octets) or octets[0] & _NOT_A_ROUTER:
            continue
        mac = octets.hex(":")
        found.setdefault(mac, Wifi(mac, _signal(point.rssi), point.channel, point.age))
    return sorted(found.values(), key=_loudness)[:MOST_POINTS]


def _signal(rssi: int | None) -> int | None:
    """dBm; what cannot be is not known."""
    return rssi if rssi is not None and -150 <= rssi < 0 else None


def _loudness(heard: Cell | Wifi) -> int:
    return -(heard.rssi if heard.rssi is not None else -1000)
