"""Column ``%BC``: what Bluetooth tags near the device said.

Two forms were seen: ``MODE:MASK:HEX``, where the bits of the mask say which fields each tag has and
the mode what they are; and frames that each begin with their length and ``E0``.
"""

from __future__ import annotations

from typing import Any

#: Mode -> fields from bit 6 of the mask down: (bit, bytes, signed, name, worth of a unit).
_FIELDS: dict[int, list[tuple[int, int, bool, str, float]]] = {
    1: [
        (6, 2, False, "atrack_ble_major_", 1),
        (5, 2, False, "atrack_ble_minor_", 1),
        (4, 1, True, "atrack_ble_power_", 1),
        (3, 1, True, "ble_signal_strength_", 1),
    ],
    2: [
        (6, 2, False, "ble_battery_voltage_", 0.001),
        (5, 2, True, "ble_temp_sensor_", 0.01),
        (4, 1, True, "atrack_ble_power_", 1),
        (3, 1, True, "ble_signal_strength_", 1),
    ],
    3: [
        (6, 2, False, "ble_humidity_", 1),
        (5, 2, True, "ble_temp_sensor_", 0.01),
        (3, 1, True, "ble_signal_strength_", 1),
        (2, 2, False, "atrack_ble_field_", 1),
    ],
}
#: The fields of a frame after the tag's address.
_FRAME = [
    (0, 2, True, "ble_temp_sensor_", 0.01),
    (0, 2, False, "ble_battery_voltage_", 0.001),
    (0, 1, True, "atrack_ble_power_", 1),
    (0, 1, True, "ble_signal_strength_", 1),
]
_FRAME_KIND = 0xE0
_ADDRESS = 6


def read_beacons(text: str, framed: bool = False) -> dict[str, Any]:
    """Values of the tags, numbered from 1; ``framed``: the device sends frames. What cannot be
    read is kept as it came, under ``atrack_beacons``."""
    if not text:
        return {}
    mode, _, rest = text.partition(":")
    mask, _, data = rest.partition(":")
    try:
        if data:
            return _masked(int(mode), int(mask), bytes.fromhex(data))
        if framed:
            return _frames(bytes.fromhex(text))
    except (ValueError, IndexError):
        pass
    return {"atrack_beacons": text}


def _masked(mode: int, mask: int, data: bytes) -> dict[str, Any]:
    fields = [field for field in _FIELDS[mode] if mask >> field[0] & 1] if mode in _FIELDS else None
    if fields is None:
        raise ValueError(f"mode {mode}")
    address = _ADDRESS if mask >> 7 & 1 else 0
    size = address + sum(field[1] for field in fields)
    if not size or len(data) % size:
        raise ValueError("the tags do not fill the data")
    values: dict[str, Any] = {}
    for number, at in enumerate(range(0, len(data), size), 1):
        _tag(values, number, data[at : at + size], address, fields)
    return values


def _frames(data: bytes) -> dict[str, Any]:
    values: dict[str, Any] = {}
    at = number = 0
    while at < len(data):
        frame = data[at + 1 : at + 1 + data[at]]
        number += 1
        if len(frame) != 1 + _ADDRESS + sum(field[1] for field in _FRAME) or (
            frame[0] != _FRAME_KIND
        ):
            raise ValueError("another kind of frame")
        _tag(values, number, frame[1:], _ADDRESS, _FRAME)
        at += 1 + data[at]
    return values


def _tag(
    values: dict[str, Any],
    number: int,
    data: bytes,
    address: int,
    fields: list[tuple[int, int, bool, str, float]],
) -> None:
    if address:
        values[f"atrack_ble_id_{number}"] = data[:address].hex(":")
    at = address
    for _, size, signed, name, scale in fields:
        raw = int.from_bytes(data[at : at + size], "big", signed=signed)
        values[f"{name}{number}"] = raw if scale == 1 else round(raw * scale, 3)
        at += size
