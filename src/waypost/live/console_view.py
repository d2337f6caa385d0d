"""What a console shows: the device's state as rows of text, and its bytes as people read them.

The names of the rows are those of the documented frame (panel API, ``console/connect``); values
that it does not name stand under their own name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from waypost.catalog.sensors import split_index
from waypost.fleet.state_view import value_text
from waypost.telemetry.state import State

#: Values whose rows have names of their own.
_NAMES = {"hardware_mileage": "Hardware mileage", "is_moving": "Moving"}
_INDEXED = {"analog_": "Analog input"}

#: Most bytes that are shown in one line.
SHOWN = 4096


def status_rows(state: State | None) -> list[tuple[str, str]]:
    """Name and value of everything that is known. Times are UTC."""
    return [] if state is None else list(_rows(state))


def _rows(state: State) -> Iterator[tuple[str, str]]:
    fix = state.gps
    time = fix.time if fix is not None else state.last_update
    if time is not None:
        yield "Time", _moment(time)
    if fix is not None:
        yield "Location valid", "yes" if fix.valid else "no"
        yield "Latitude", f"{fix.latitude:.7f}"
        yield "Longitude", f"{fix.longitude:.7f}"
        for name, value in (
            ("Speed", fix.speed),
            ("Heading", fix.heading),
            ("Altitude", fix.altitude),
        ):
            if value is not None:
                yield name, _number(value)
        yield "Moving", str(state.motion.moving).lower()
        if fix.satellites is not None:
            yield "Satellites", str(fix.satellites)
    meter = state.meters.get("odometer")
    if meter is not None:
        yield "Mileage", f"{meter.counted:.2f}"
    if state.inputs is not None:
        yield "Digital input status", str(state.inputs.mask)
    if state.outputs is not None:
        yield "Digital output status", str(state.outputs.mask)
    for name, (value, _) in sorted(state.values.items()):
        shown = _named(name)
        if value is not None and shown != "Moving":
            yield shown, _number(value) if isinstance(value, float) else value_text(value)
    if state.gsm is not None and state.gsm.level is not None:
        yield "GSM Level", str(state.gsm.level)
    if state.gsm is not None and state.gsm.network is not None:
        yield "GSM Operator code", state.gsm.network
    battery = state.battery
    if battery is not None and (battery.level is not None or battery.voltage is not None):
        known: Any = battery.level if battery.level is not None else battery.voltage
        yield "Battery level", _number(known)


def _named(name: str) -> str:
    known = _NAMES.get(name)
    if known is not None:
        return known
    stem, number = split_index(name)
    for prefix, words in _INDEXED.items():
        if number is not None and stem.rstrip("_") == prefix.rstrip("_"):
            return f"{words} {number}"
    return name


def _moment(ms: int) -> str:
    """``2017-11-16 10:02:37.0``"""
    whole = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{whole}.{ms % 1000 // 100}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6f}".rstrip("0")


def readable(data: bytes) -> Iterator[str]:
    """Bytes of a device for people: as text where they are text, else in hexadecimal; long ones in
    several lines."""
    for start in range(0, len(data), SHOWN):
        piece = data[start : start + SHOWN]
        text = piece.rstrip(b"\r\n\0")
        if text and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in text):
            yield text.decode()
        else:
            yield piece.hex()
