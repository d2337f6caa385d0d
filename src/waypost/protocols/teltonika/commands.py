"""Codecs 12, 13, 14 and 15: commands to a device, its answers, and what is wired to its serial
ports.

Source: the maker's public wiki, page "Teltonika Data Sending Protocols", chapter "Codec for
communication over GPRS messages". Codec 12 carries commands and answers, 14 the same with the
device's IMEI; 13 and 15 carry serial data with the time of its receipt (15 with the IMEI too).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from fastcrc import crc16

from waypost.protocols.base import Answer, Command, CommandError, ProtocolError
from waypost.protocols.teltonika.records import Reader, printable
from waypost.telemetry.message import Message, utc_ms

CODEC_12 = 0x0C
CODEC_13 = 0x0D
CODEC_14 = 0x0E
CODEC_15 = 0x0F

COMMAND = 0x05
#: Codec 14: the IMEI in the command is not the device's.
REFUSED = 0x11
#: Codec 12: a camera offers a picture.
CAMERA = 0x0D

#: Axle loads of a scale on the serial port: eight axles, loads of truck and trailer, totals.
_AXLES = re.compile(rb"\A.?UUUUww((?:-?\d+\.\d+;){12})SSS\s*\Z", re.DOTALL)
#: Answers to what a device does not know or take.
_REFUSALS = re.compile(
    r"(unknown|wrong|invalid|not valid|error|err\b|warning: (?:unknown|wrong|not valid))",
    re.IGNORECASE,
)
#: The answer to "getgps".
_GPS = re.compile(
    rb"GPS:1 Sat:(\d+) Lat:(-?\d+\.\d+) Long:(-?\d+\.\d+) Alt:(-?\d+) Speed:(\d+) Dir:(\d+) "
    rb"Date: ?(\d+)/(\d+)/(\d+) Time: ?(\d+):(\d+):(\d+)"
)
_TOTALS = ("load_truck", "load_trailer", "total_truck", "total_trailer")


class Report(msgspec.Struct):
    """What a packet of these codecs says."""

    answers: list[Answer] = []
    messages: list[Message] = []
    device_id: str | None = None


def packet(codec: int, payload: bytes, kind: int = COMMAND) -> bytes:
    """A whole packet with one entry."""
    data = bytes((codec, 1, kind)) + len(payload).to_bytes(4, "big") + payload + b"\x01"
    head = b"\x00\x00\x00\x00" + len(data).to_bytes(4, "big")
    return head + data + crc16.arc(data).to_bytes(4, "big")


def is_packet(data: bytes) -> bool:
    """Is it a whole packet already?"""
    return (
        len(data) > 12
        and data[:4] == bytes(4)
        and int.from_bytes(data[4:8], "big") == len(data) - 12
        and int.from_bytes(data[-4:], "big") == crc16.arc(data[8:-4])
    )


def command_packet(command: Command, longest: int) -> bytes:
    """``command`` by codec 12: text as typed, bytes as they are, a whole packet untouched.
    Raises :class:`CommandError`."""
    payload = command.payload
    if command.kind == "text":
        payload = command.text.encode()
    elif is_packet(payload):
        return payload
    if not payload:
        raise CommandError("the command is empty")
    data = packet(CODEC_12, payload)
    if len(data) > longest:
        raise CommandError(f"{len(payload)} bytes are too long for a command")
    return data


def read_packet(codec: int, reader: Reader) -> Report:
    """What the entries of a packet say; ``reader`` stands at the first count and is left after the
    second. Raises :class:`ProtocolError`."""
    report = Report()
    count = reader.number(1, "count of entries")
    for _ in range(count):
        kind = reader.number(1, "type")
        body = reader.take(reader.number(4, "size of an entry"), "an entry")
        _read_entry(codec, kind, body, report)
    again = reader.number(1, "second count")
    if again != count:
        raise ProtocolError(f"{count} entries at the beginning, {again} at the end")
    return report


def _read_entry(codec: int, kind: int, body: bytes, report: Report) -> None:
    if codec == CODEC_12:
        _read_answer(kind, body, report)
        return
    inner = Reader(body, 0, len(body))
    if codec == CODEC_14:
        report.device_id = _imei(inner)
        rest = body[inner.position :]
        text = _text(rest)
        if kind == REFUSED and not text:
            text = "the IMEI of the command is not the device's"
        report.answers.append(Answer(text, ok=kind != REFUSED, raw=rest))
        return
    time = inner.number(4, "time") * 1000
    if codec == CODEC_15:
        report.device_id = _imei(inner)
    report.messages.append(Message(time, body, values=_serial(body[inner.position :])))


def _read_answer(kind: int, body: bytes, report: Report) -> None:
    # An empty packet only keeps the connection open; a camera's offer wants no answer.
    if not body or kind == CAMERA:
        return
    if _AXLES.match(body):
        # No time and no number: every one is a report of its own.
        report.messages.append(Message(None, b"", values=_serial(body)))
        return
    text = _text(body)
    report.answers.append(Answer(text, ok=_REFUSALS.match(text) is None, raw=body))
    position = _position(body)
    if position is not None:
        report.messages.append(position)


def _position(answer: bytes) -> Message | None:
    """The position in an answer to "getgps", if it has one."""
    match = _GPS.match(answer)
    if match is None:
        return None
    satellites, latitude, longitude, altitude, speed, heading, *moment = match.groups()
    if abs(float(latitude)) > 90 or abs(float(longitude)) > 180:
        return None
    try:
        time = utc_ms(*map(int, moment))
    except ValueError:  # no such date: the receiver has none yet
        return None
    return Message(
        time,
        answer,
        latitude=float(latitude),
        longitude=float(longitude),
        altitude=float(altitude),
        speed=float(speed),
        heading=float(heading),
        satellites=int(satellites),
        values={"teltonika_data": _text(answer)},
    )


def _serial(data: bytes) -> dict[str, Any]:
    """What a device on the serial port said."""
    values: dict[str, Any] = {"teltonika_data": _text(data)}
    match = _AXLES.match(data)
    if match is not None:
        loads = [float(part) for part in match[1].split(b";")[:-1]]
        values |= {f"teltonika_axle_{index}": load for index, load in enumerate(loads[:8], 1)}
        names = (f"teltonika_{name}" for name in _TOTALS)
        values |= dict(zip(names, loads[8:], strict=True))
    return values


def _imei(reader: Reader) -> str:
    """Eight bytes, two digits each, with a leading zero."""
    digits = reader.take(8, "IMEI").hex()
    if not digits.isdigit():
        raise ProtocolError(f"IMEI {digits} is no number")
    return digits.removeprefix("0") if len(digits) == 16 else digits


def _text(data: bytes) -> str:
    text = printable(data)
    return data.hex() if text is None else text
