"""Bluetooth beacons and sensors in elements of variable length.

Sources: the maker's public wiki, pages "Beacon list" (element 385), "Advanced BLE beacon data" and
"EYE sensor" (elements 548, 10829, 10831, 11317), and recorded messages.

Each gives a list of objects, in the order sent: ``id`` (hex) and what else the beacon says;
temperature in degC, humidity in %, voltage in V, ``rssi`` in dBm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Beacon = dict[str, Any]


def read_beacons(data: bytes) -> list[Beacon]:
    """Element 385: iBeacons (UUID, major, minor) and Eddystones (namespace, instance). What is
    cut short ends the list."""
    found: list[Beacon] = []
    at = 1  # the first byte numbers the parts of a list sent in several records
    while at < len(data):
        flags = data[at]
        at += 1
        eddystone = not flags & 0xF0
        size = (16 if eddystone else 20) + 1 + (flags >> 1 & 1) * 2 + (flags >> 2 & 1) * 2
        part = data[at : at + size]
        if len(part) < size:
            break
        at += size
        if eddystone:
            beacon: Beacon = {"namespace": part[:10].hex(), "instance": part[10:16].hex()}
            rest = part[16:]
        else:
            beacon = {
                "uuid": part[:16].hex(),
                "major": int.from_bytes(part[16:18], "big"),
                "minor": int.from_bytes(part[18:20], "big"),
            }
            rest = part[20:]
        beacon["rssi"] = _signed(rest[:1])
        rest = rest[1:]
        if flags & 0x02:
            beacon["voltage"] = int.from_bytes(rest[:2], "big") / 100
            rest = rest[2:]
        if flags & 0x04:
            beacon["temperature"] = _signed(rest[:2])
        found.append(beacon)
    return found


def read_tags(data: bytes) -> list[Beacon]:
    """Elements 548, 10829, 10831, 11317: for each beacon a length, then parameters of id, length
    and value. What is cut short ends the list."""
    found: list[Beacon] = []
    at = 1
    while at < len(data):
        end = at + 1 + data[at]
        at += 1
        if end > len(data):
            break
        beacon: Beacon = {}
        while at + 2 <= end and at + 2 + data[at + 1] <= end:
            parameter, size = data[at], data[at + 1]
            value = data[at + 2 : at + 2 + size]
            at += 2 + size
            name, read = _PARAMETERS.get(parameter, (f"parameter_{parameter}", bytes.hex))
            beacon[name] = read(value)
        if beacon:
            found.append(beacon)
        at = end
    return found


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _unsigned(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _name(value: bytes) -> str:
    return value.rstrip(b"\x00").decode(errors="replace")


def _advertised(value: bytes) -> Any:
    """Beacon data: with the highest flag alone, the battery in steps of 10 mV from 2 V; else as
    it is."""
    if len(value) == 2 and value[0] == 0x80:
        return {"voltage": (2000 + value[1] * 10) / 1000}
    return value.hex()


_PARAMETERS: dict[int, tuple[str, Callable[[bytes], Any]]] = {
    0x00: ("rssi", _signed),
    0x01: ("id", bytes.hex),
    0x02: ("data", _advertised),
    0x05: ("name", _name),
    0x06: ("temperature", lambda value: _signed(value) / 100),
    0x07: ("humidity", _unsigned),
    0x08: ("magnet", lambda value: any(value)),
    0x0D: ("low_battery", lambda value: any(value)),
    0x0E: ("voltage", lambda value: _unsigned(value) / 1000),
    0x0F: ("mac", lambda value: value.hex(":")),
}

#: Readers by AVL id.
STRUCTURES: dict[int, Callable[[bytes], list[Beacon]]] = {
    385: read_beacons,
    548: read_tags,
    10829: read_tags,
    10831: read_tags,
    11317: read_tags,
}
