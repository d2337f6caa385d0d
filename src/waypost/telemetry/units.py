"""Units that sensors measure in, and what a user's measurement system makes of them. Pure.

The API names units by type (``units_type``); ``custom`` ones have a label only and are never
converted. Of the types, ``litre``, ``celsius``, ``fahrenheit`` and ``speed`` (km/h) are documented;
the others are this platform's names for what the measurement systems need.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

CUSTOM = "custom"

#: Digits after the point that a reading keeps: enough for any sensor, and no noise of arithmetic.
DIGITS = 6


class Unit(msgspec.Struct, frozen=True):
    """A unit of ``quantity``; a value times ``factor`` plus ``offset`` is one in the quantity's
    metric unit."""

    quantity: str
    factor: float = 1.0
    offset: float = 0.0


UNITS: dict[str, Unit] = {
    "litre": Unit("volume"),
    "gallon": Unit("volume", 4.54609),
    "gallon_us": Unit("volume", 3.785411784),
    "celsius": Unit("temperature"),
    "fahrenheit": Unit("temperature", 5 / 9, -160 / 9),
    "speed": Unit("speed"),
    "mph": Unit("speed", 1.609344),
    "knot": Unit("speed", 1.852),
}

_METRIC = {"volume": "litre", "temperature": "celsius", "speed": "speed"}

#: What each measurement system reads a quantity in.
SYSTEMS: dict[str, dict[str, str]] = {
    "metric": _METRIC,
    "metric_gal_us": {**_METRIC, "volume": "gallon_us"},
    "imperial": {"volume": "gallon", "temperature": "fahrenheit", "speed": "mph"},
    "us": {"volume": "gallon_us", "temperature": "fahrenheit", "speed": "mph"},
    "nautical": {**_METRIC, "speed": "knot"},
}


def preferred(units_type: str, system: str) -> str | None:
    """The unit that users of ``system`` read instead of ``units_type``; None where it is one of
    theirs, or no unit that can be converted."""
    unit = UNITS.get(units_type)
    if unit is None:
        return None
    wanted = SYSTEMS[system][unit.quantity]
    return wanted if wanted != units_type else None


def convert(value: float, given: str, wanted: str) -> float:
    """``value`` in another unit of the same quantity. Raises ValueError for one of another."""
    source, target = UNITS[given], UNITS[wanted]
    if source.quantity != target.quantity:
        raise ValueError(f"{given} and {wanted} are no units of one quantity")
    return (value * source.factor + source.offset - target.offset) / target.factor


def converted(value: float, units_type: str, system: str) -> tuple[str | None, float | None]:
    """Unit and value for a user of ``system``; twice None where no conversion is needed."""
    wanted = preferred(units_type, system)
    if wanted is None:
        return None, None
    return wanted, tidy(convert(value, units_type, wanted))


def tidy(value: float) -> float:
    """Rounded to :data:`DIGITS`; never -0.0."""
    return round(value, DIGITS) + 0.0


def number_of(value: Any) -> float | None:
    """What a device said, as a number: booleans are 0 and 1, numbers in text count. None for
    anything that is none, or has no end."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
