"""How one column of a report reads. What cannot be is None: devices leave columns empty."""

from __future__ import annotations

import re

from waypost.telemetry.message import utc_ms

_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,9})?$")
_HOURS = re.compile(r"(\d{1,7}):([0-5]?\d):([0-5]?\d)$")
_HEX = re.compile(r"[0-9A-Fa-f]{1,16}$")
_MOMENT = re.compile(r"(?:19|20)\d{12}$")


def number(text: str) -> float | None:
    """A decimal number; whole where it has no fraction."""
    if not _NUMBER.match(text):
        return None
    return float(text) if "." in text else int(text)


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def between(text: str, low: float, high: float) -> float | None:
    value = number(text)
    return value if value is not None and low <= value <= high else None


def hexadecimal(text: str) -> int | None:
    return int(text, 16) if _HEX.match(text) else None


def volts(text: str) -> float | None:
    """Millivolts as volts."""
    value = whole(text)
    return value / 1000 if value is not None else None


def hours(text: str) -> float | None:
    """``HHHHH:MM:SS`` in hours."""
    match = _HOURS.match(text)
    if match is None:
        return None
    h, m, s = (int(part) for part in match.groups())
    return round(h + m / 60 + s / 3600, 4)


def is_hours(text: str) -> bool:
    return _HOURS.match(text) is not None


def is_moment(text: str) -> bool:
    return _MOMENT.match(text) is not None


def moment(text: str) -> int | None:
    """``YYYYMMDDHHMMSS`` in milliseconds since 1970."""
    if _MOMENT.match(text) is None:
        return None
    parts = (text[:4], text[4:6], text[6:8], text[8:10], text[10:12], text[12:14])
    try:
        return utc_ms(*(int(part) for part in parts))
    except ValueError:
        return None


def signal_level(text: str) -> int | None:
    """CSQ RSSI in per cent: 0 to 31, or 0 to 97 where LTE reports RSRP steps; 99 is unknown."""
    value = whole(text)
    if value is None or value > 97:
        return None
    return round(value * 100 / (31 if value <= 31 else 97))
