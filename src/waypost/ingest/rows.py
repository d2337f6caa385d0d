"""A message as the row that the points stores keep. Pure.

What cannot be (an impossible latitude, a satellite count of a million, not a number) is taken out
of the message, for the state as for the row, and never an error: the rest of it is kept.
"""

from __future__ import annotations

from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from waypost.store.points import BUFFERED, FUTURE, SOURCE_SHIFT, UNTIMED, VALID, Row
from waypost.telemetry.message import Message
from waypost.telemetry.state import FUTURE_MS

_pack = msgspec.msgpack.Encoder(enc_hook=str).encode

_INT64 = 2**63 - 1
_INT32 = 2**31 - 1
_INT16 = 2**15 - 1
#: What a 4-byte float can hold, with room.
_REAL = 1e30
#: Times that the stores can hold as dates: years 1 to 9999.
_TIME_MAX = 253_402_300_799_999


def digest(content: bytes) -> int:
    """64 bits, signed as the databases' integers are."""
    value = xxh3_64_intdigest(content)
    return value - 0x1_0000_0000_0000_0000 if value & 0x8000_0000_0000_0000 else value


def message_row(source_id: int, retention: int, message: Message, received: int) -> Row:
    """The row of ``message``, which loses what cannot be. A message with no time of its own gets
    that of its receipt and the flag ``UNTIMED``."""
    latitude, longitude = message.latitude, message.longitude
    if (latitude is not None or longitude is not None) and not (
        latitude is not None
        and longitude is not None
        and -90.0 <= latitude <= 90.0
        and -180.0 <= longitude <= 180.0
    ):
        message.latitude = message.longitude = latitude = longitude = None
    altitude, speed, hdop = message.altitude, message.speed, message.hdop
    if altitude is not None and not -_REAL < altitude < _REAL:
        message.altitude = altitude = None
    if speed is not None and not 0 <= speed < _REAL:
        message.speed = speed = None
    if hdop is not None and not 0 <= hdop < _REAL:
        message.hdop = hdop = None
    heading, satellites = message.heading, message.satellites
    if heading is not None:
        if -360 <= heading <= 720:
            heading = int(heading)
        else:
            message.heading = heading = None
    if satellites is not None and not 0 <= satellites <= _INT16:
        message.satellites = satellites = None
    precision, event_id = message.precision, message.event_id
    if precision is not None and not 0 <= precision <= _INT32:
        message.precision = precision = None
    if event_id is not None and not 0 <= event_id <= _INT32:
        message.event_id = event_id = None
    device_time = message.device_time
    if device_time is not None and not 0 <= device_time <= _TIME_MAX:
        message.device_time = device_time = None

    time = message.time
    flags = message.source << SOURCE_SHIFT
    if message.valid:
        flags |= VALID
    if message.buffered:
        flags |= BUFFERED
    if time is None or not 0 <= time <= _TIME_MAX:
        message.time = None
        time = received
        flags |= UNTIMED
    elif time > received + FUTURE_MS:
        flags |= FUTURE
    return (
        source_id,
        time,
        digest(message.digest_of),
        received,
        device_time,
        latitude,
        longitude,
        altitude,
        speed,
        hdop,
        retention,
        heading,
        satellites,
        flags,
        precision,
        event_id,
        _content(message),
    )


def _content(message: Message) -> bytes | None:
    values: dict[str, Any] = message.values
    if message.cells or message.wifi:
        values = dict(values)
        if message.cells:
            values["mobile_cells"] = message.cells
        if message.wifi:
            values["wifi_points"] = message.wifi
    if not values:
        return None
    try:
        return _pack(values)
    except OverflowError:
        message.values = _fit(message.values)
        return _pack(_fit(values))


def _fit(value: Any) -> Any:
    """Whole numbers beyond 64 bits, which no store holds, as text."""
    if isinstance(value, dict):
        return {name: _fit(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_fit(item) for item in value]
    if isinstance(value, int) and not -_INT64 <= value <= _INT64:
        return str(value)
    return value
