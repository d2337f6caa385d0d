"""@Track Protocol Pro: records of numbered data items.

Source: GL601 and GV500CNA @Track Protocol Pro, "Report", "Heartbeat" and the pages of the data ids:
81 and 82 location, 27 ignition, 31 mileage in metres, 34 hour meter in seconds, 97 battery.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from fastcrc import crc8

from waypost.protocols.base import Decoded, Hello, ProtocolError
from waypost.protocols.gl200.models import PRO_NAMES
from waypost.telemetry.message import Message

_FIXED_REPORT = 0x50
_HAS_FIX = 2


def decode_pro(frame: bytes) -> Decoded:
    """What a Protocol Pro frame says. Raises :class:`ProtocolError`."""
    if len(frame) < 23 or frame[-1] != 0x24:
        raise ProtocolError(f"Protocol Pro frame of {len(frame)} bytes without its $")
    if crc8.nrsc_5(frame[:-2]) != frame[-2]:
        raise ProtocolError("Protocol Pro frame with a wrong check byte")
    count = frame[-4:-2].hex().upper()
    reply = f"+SACK:{count}$".encode()
    if frame[1] == 0x10:
        return Decoded(hello=_hello(frame, 3), reply=reply)
    at = 7 if frame[4] & 0x80 else 5
    hello = _hello(frame, at)
    at += 13
    if at >= len(frame) - 4:
        raise ProtocolError("Protocol Pro frame ends within its head")
    at += 1 + frame[at]
    messages = []
    try:
        while at < len(frame) - 4:
            size = _number(frame, at)[0]
            end = at + size
            if size < 9 or end > len(frame) - 4:
                raise ProtocolError(f"Protocol Pro record of {size} bytes does not fit its frame")
            messages.append(_record(frame[_number(frame, at)[1] : end], frame[0] == 0x2D))
            at = end
    except (IndexError, struct.error):
        raise ProtocolError("Protocol Pro record ends within an item") from None
    return Decoded(hello=hello, messages=messages, reply=reply, reply_means_stored=True)


def _hello(frame: bytes, at: int) -> Hello:
    digits = frame[at : at + 8].hex()
    if len(digits) < 16 or not digits.isdigit():
        raise ProtocolError(f"unique id {digits!r} is not of digits")
    return Hello([digits[1:]], PRO_NAMES.get(frame[at + 8 : at + 10].hex().upper()))


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of one byte, or of two where the first bit is set; and where it ends."""
    if data[at] & 0x80:
        return (data[at] & 0x7F) << 8 | data[at + 1], at + 2
    return data[at], at + 1


def _record(data: bytes, buffered: bool) -> Message:
    generated, _, record, event = struct.unpack_from(">IHBB", data)
    message = Message(
        generated * 1000,
        bytes(data[6:]),
        values={"queclink_record": record, "queclink_event": event},
        buffered=buffered,
    )
    if record == _FIXED_REPORT:
        message.event_id = 403
    at = 8
    while at < len(data):
        number, at = _number(data, at)
        size, at = _number(data, at)
        if at + size > len(data):
            raise ProtocolError(f"data {number} of {size} bytes does not fit its record")
        content = data[at : at + size]
        at += size
        if not size:
            continue  # the device could not get it
        reader = _ITEMS.get(number)
        if reader is None or not reader(message, content):
            message.values[f"queclink_data_{number}"] = content.hex()
    if message.time != generated * 1000:
        message.device_time = generated * 1000
    if not message.has_location or not message.valid:
        message.digest_of = data[:4] + message.digest_of
    return message


def _location(message: Message, data: bytes) -> bool:
    if len(data) not in (15, 22):
        return False
    fix, east, north, time = struct.unpack_from(">BiiI", data)
    if abs(east) > 180_000_000 or abs(north) > 90_000_000:
        return False
    message.longitude, message.latitude = east / 1e6, north / 1e6
    message.time = time * 1000
    message.valid = fix >> 2 & 3 == _HAS_FIX
    message.values["gps_status"] = message.valid
    message.speed = int.from_bytes(data[13:15], "big") / 10
    if len(data) == 22:
        message.hdop = data[15] / 10
        message.heading = float(int.from_bytes(data[16:18], "big"))
        message.altitude = int.from_bytes(data[18:21], "big", signed=True) / 10
        message.satellites = data[21]
    return True


def _ignition(message: Message, data: bytes) -> bool:
    if data[0] < 2:
        message.values["ignition"] = data[0] == 1
    return True


def _mileage(message: Message, data: bytes) -> bool:
    if len(data) != 4:
        return False
    message.values["hardware_mileage"] = int.from_bytes(data, "big") / 1000
    return True


def _hours(message: Message, data: bytes) -> bool:
    if len(data) != 4:
        return False
    message.values["engine_hours"] = round(int.from_bytes(data, "big") / 3600, 4)
    return True


def _battery(message: Message, data: bytes) -> bool:
    """State, millivolts, per cent."""
    if len(data) < 4 or data[3] > 100:
        return False
    message.values["battery_voltage"] = int.from_bytes(data[1:3], "big") / 1000
    message.values["battery_level"] = data[3]
    return True


_ITEMS: dict[int, Callable[[Message, bytes], bool]] = {
    27: _ignition,
    31: _mileage,
    34: _hours,
    81: _location,
    82: _location,
    97: _battery,
}
