"""A message as the row that the points stores keep. Pure.

What a column cannot hold (an impossible latitude, a satellite count of a million, not a number)
becomes null or goes without its place, never an error: the message itself is kept.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from waypost.store.points import BUFFERED, FUTURE, SOURCE_SHIFT, UNTIMED, VALID, Row
from waypost.telemetry.message import Message
from waypost.telemetry.state import FUTURE_MS

_pack = msgspec.msgpack.Encoder(enc_hook=str).encode

_INT32 = 2**31 - 1
_INT16 = 2**15 - 1
#: Times that the stores can hold as dates: years 1 to 9999.
_TIME_MAX = 253_402_300_799_999


def digest(content: bytes) -> int:
    """64 bits, signed as the databases' integers are."""
    value = xxh3_64_intdigest(content)
    return value - 0x1_0000_0000_0000_0000 if value & 0x8000_0000_0000_0000 else value


def message_row(source_id: int, retention: int, message: Message, received: int) -> Row:
    """The row of ``message``. A message with no time of its own gets that of its receipt and the
    flag ``UNTIMED``."""
    time = message.time
    flags = message.source << SOURCE_SHIFT
    if message.valid:
        flags |= VALID
    if message.buffered:
        flags |= BUFFERED
    if time is None or not 0 <= time <= _TIME_MAX:
        time = received
        flags |= UNTIMED
    elif time > received + FUTURE_MS:
        flags |= FUTURE
    latitude, longitude = message.latitude, message.longitude
    if (
        latitude is None
        or longitude is None
        or not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0)
    ):
        latitude = longitude = None
    values: dict[str, Any] = message.values
    if message.cells or message.wifi:
        values = dict(values)
        if message.cells:
            values["mobile_cells"] = message.cells
        if message.wifi:
            values["wifi_points"] = message.wifi
    heading = message.heading
    satellites = message.satellites
    return (
        source_id,
        time,
        digest(message.digest_of),
        received,
        message.device_time,
        latitude,
        longitude,
        _real(message.altitude),
        _real(message.speed),
        _real(message.hdop),
        retention,
        int(heading) if heading is not None and -_INT16 <= heading <= _INT16 else None,
        satellites if satellites is not None and 0 <= satellites <= _INT16 else None,
        flags,
        _int(message.precision),
        _int(message.event_id),
        _pack(values) if values else None,
    )


def _real(value: float | None) -> float | None:
    """What a 4-byte float can hold."""
    if value is None or not isfinite(value) or not -1e30 < value < 1e30:
        return None
    return value


def _int(value: int | None) -> int | None:
    return value if value is not None and -_INT32 <= value <= _INT32 else None
