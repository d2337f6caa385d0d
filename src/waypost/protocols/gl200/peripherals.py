"""What hangs on the device: the blocks that a GTERI report adds after its device status, one for
each bit of the ERI mask, lowest first.

Source: "+RESP:GTERI" of the GV300CAN, GV350M and GV310LAU @Track manuals.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.gl200.columns import between, hexadecimal, number, whole
from waypost.protocols.gl200.vehicle import read_can

Values = dict[str, Any]

_MOST = 32  # devices of one kind


class _Columns:
    """Columns taken one by one; empty beyond the end."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.at = 0

    def take(self) -> str:
        self.at += 1
        return self.columns[self.at - 1] if self.at <= len(self.columns) else ""

    def count(self) -> int:
        return min(whole(self.take()) or 0, _MOST, len(self.columns) - self.at)


def read_peripherals(kind: str, mask: int, columns: list[str]) -> Values:
    """The values of the blocks in ``columns``, which begin after the UART device type."""
    values: Values = {}
    rest = _Columns(columns)
    if mask & 1:
        _digital_fuel(values, kind, rest)
    if mask & 2:
        _one_wire(values, rest)
    if mask & 4:
        found, used = read_can(rest.columns[rest.at :])
        values.update(found)
        rest.at += used
    if mask & 0x18:
        _fuel_sensors(values, mask, rest)
    if mask & 0x80:
        _radio(values, rest)
    if mask & 0x100:
        _bluetooth(values, rest)
    return values


def _digital_fuel(values: Values, kind: str, rest: _Columns) -> None:
    if kind == "F1":  # GV350M: how many, then input, type and value of each
        for index in range(1, rest.count() + 1):
            rest.take()
            rest.take()
            _put(values, f"lls_level_raw_{index}", hexadecimal(rest.take()))
    else:
        _put(values, "lls_level_raw_1", hexadecimal(rest.take()))


def _one_wire(values: Values, rest: _Columns) -> None:
    sensors = 0
    for _ in range(rest.count()):
        name, kind, data = rest.take(), rest.take(), rest.take()
        if kind == "2":
            if name:
                values["hardware_key"] = name
            continue
        sensors += 1
        _put(values, f"temperature_{sensors}", _temperature(data))
        if name:
            values[f"queclink_one_wire_{sensors}"] = name


def _temperature(text: str) -> float | None:
    """Sixteenths of a degree in two's complement, or plain degrees where there is a point."""
    if "." in text:
        return between(text, -273, 1000)
    raw = hexadecimal(text)
    if raw is None:
        return None
    raw &= 0xFFFF
    return (raw - 0x10000 if raw & 0x8000 else raw) * 0.0625


def _fuel_sensors(values: Values, mask: int, rest: _Columns) -> None:
    for index in range(1, rest.count() + 1):
        rest.take()  # sensor type
        percent = between(rest.take(), 0, 100) if mask & 8 else None
        volume = number(rest.take()) if mask & 16 else None
        if volume is not None:
            values[f"fuel_level_{index}"] = volume
            _put(values, f"queclink_fuel_percent_{index}", percent)
        else:
            _put(values, f"fuel_level_{index}", percent)


def _radio(values: Values, rest: _Columns) -> None:
    """RF433 sensors: serial number, type (2: with humidity), temperature."""
    for index in range(1, rest.count() + 1):
        rest.take()
        kind = rest.take()
        _put(values, f"ext_temp_sensor_{index}", between(rest.take(), -273, 1000))
        if kind == "2":
            _put(values, f"humidity_{index}", between(rest.take(), 0, 100))


def _bluetooth(values: Values, rest: _Columns) -> None:
    for index in range(1, rest.count() + 1):
        rest.take()  # its place in the device's list
        rest.take()  # type
        rest.take()  # model
        raw, mask = rest.take(), rest.take()
        if len(mask) != 4:  # a beacon's number stands before the raw data
            raw, mask = mask, rest.take()
        if raw:
            values[f"queclink_ble_data_{index}"] = raw
        _accessory(values, hexadecimal(mask) or 0, index, rest)


def _accessory(values: Values, mask: int, index: int, rest: _Columns) -> None:
    """What the accessory's append mask announces."""
    if mask & 1 and (name := rest.take()):
        values[f"queclink_ble_name_{index}"] = name
    if mask & 2 and (mac := rest.take()):
        values[f"queclink_ble_mac_{index}"] = mac
    if mask & 4 and (status := rest.take()) in ("0", "1"):
        values[f"queclink_ble_connected_{index}"] = status == "1"
    if mask & 8:
        millivolts = number(rest.take())
        _put(values, f"ble_battery_voltage_{index}", millivolts and millivolts / 1000)
    if mask & 0x10:
        _put(values, f"ble_temp_sensor_{index}", between(rest.take(), -273, 1000))
    if mask & 0x20:
        _put(values, f"ble_humidity_{index}", between(rest.take(), 0, 100))
    if mask & 0x80:
        _put(values, f"ble_output_status_{index}", hexadecimal(rest.take()))
        _put(values, f"ble_input_status_{index}", hexadecimal(rest.take()))
        _put(values, f"ble_analog_{index}", number(rest.take()))
    if mask & 0x100:
        rest.take()
        rest.take()
    if mask & 0x200:
        _put(values, f"ble_tire_pressure_{index}", number(rest.take()))
    if mask & 0x400:
        rest.take()
    if mask & 0x800:  # the same temperature, finer
        _put(values, f"ble_temp_sensor_{index}", between(rest.take(), -273, 1000))
    if mask & 0x1000:
        rest.take()
        rest.take()
        rest.take()
    if mask & 0x2000:
        _put(values, f"ble_battery_level_{index}", between(rest.take(), 0, 100))


def _put(values: Values, name: str, value: float | None) -> None:
    if value is not None:
        values[name] = value
