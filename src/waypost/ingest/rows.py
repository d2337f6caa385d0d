"""Messages as the rows that the points stores keep. Pure but for the identity of what has none.

What cannot be (an impossible latitude, a satellite count of a million, not a number) is taken out
of the message, for the state as for the row, and never an error: the rest of it is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from waypost.store.points import (
    BUFFERED,
    FUTURE,
    LATE,
    SOURCE_SHIFT,
    TIME,
    UNTIMED,
    VALID,
    Block,
    Row,
)
from waypost.telemetry.message import Message
from waypost.telemetry.records import Records
from waypost.telemetry.state import FUTURE_MS

_pack = msgspec.msgpack.Encoder(enc_hook=str).encode

_INT64 = 2**63 - 1
_INT32 = 2**31 - 1
_INT16 = 2**15 - 1
#: What a 4-byte float can hold, with room.
_REAL = 1e30
#: Times that the stores can hold as dates: years 1 to 9999.
_TIME_MAX = 253_402_300_799_999


class Rows(msgspec.Struct, gc=False):
    """The rows of a packet, by the way they go in."""

    #: Strictly newer than anything stored of the source, strictly rising.
    fresh: list[Row]
    #: The same as ``fresh``, in its place.
    block: Block | None
    #: May be stored already.
    rest: list[Row]
    #: Without a time of their own: known by their content alone.
    untimed: list[Row]
    #: Newest device time stored with these; -1: none.
    newest: int
    #: Messages without a current fix that say what the device heard around it.
    unlocated: list[Message] | None = None


def packet_rows(
    messages: Sequence[Message],
    source_id: int,
    retention: int,
    received: int,
    newest: int,
) -> Rows:
    """The rows of ``messages``, received at ``received`` ms, for a source of which points up to
    ``newest`` are stored. The messages lose what cannot be. One with no time of its own gets that
    of its receipt and the flag ``UNTIMED``.

    The hot path: everything a record needs is done here, without a call where that is possible.
    """
    fresh: list[Row] = []
    rest: list[Row] = []
    untimed: list[Row] = []
    unlocated: list[Message] | None = None
    limit = received + FUTURE_MS
    if isinstance(messages, Records):
        most = min(limit, _TIME_MAX)
        block = messages.block(source_id, retention, received, newest, most)
        if block is not None:
            return Rows(fresh, block, rest, untimed, block.last)
        made = messages.rows(source_id, retention, received, newest, most)
        if made:
            return Rows(made, None, rest, untimed, made[-1][TIME])
    for message in messages:
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
        precision, event_id, device_time = message.precision, message.event_id, message.device_time
        if precision is not None and not 0 <= precision <= _INT32:
            message.precision = precision = None
        if event_id is not None and not 0 <= event_id <= _INT32:
            message.event_id = event_id = None
        if device_time is not None and not 0 <= device_time <= _TIME_MAX:
            message.device_time = device_time = None
        flags = message.source << SOURCE_SHIFT
        if message.valid:
            flags |= VALID
        if message.buffered:
            flags |= BUFFERED
        identity = xxh3_64_intdigest(message.digest_of) >> 1
        time = message.time
        if time is None or not 0 <= time <= _TIME_MAX:
            message.time = None
            time = received
            flags |= UNTIMED
            if message.digest_of:
                kind = untimed
            else:
                kind = rest
                identity = secrets.randbits(63)
        elif newest < time <= limit:
            newest = time
            kind = fresh
        else:
            flags |= FUTURE if time > limit else LATE if time < newest else 0
            kind = rest
        values = message.values
        content: bytes | None
        if message.cells or message.wifi:
            content = _with_networks(message)
            if latitude is None or not message.valid:
                if unlocated is None:
                    unlocated = []
                unlocated.append(message)
        else:
            try:
                content = _pack(values) if values else None
            except OverflowError:
                message.values = _fit(values)
                content = _pack(message.values)
        kind.append(
            (
                source_id,
                time,
                identity,
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
                content,
            )
        )
    return Rows(fresh, None, rest, untimed, newest, unlocated)


def _with_networks(message: Message) -> bytes:
    """The values, with the cells and access points that the device saw."""
    values: dict[str, Any] = dict(message.values)
    if message.cells:
        values["mobile_cells"] = message.cells
    if message.wifi:
        values["wifi_points"] = message.wifi
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
