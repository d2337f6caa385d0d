"""Positions of every second, packed: the HEX fixed report of type 100.

A count of positions, then for each a record whose first two bits say its form. 1: three bytes of
form, fix, speed (12 bits, tenths of km/h) and heading (9), then longitude, latitude and, in the
first, the time. 2: five bytes of form, fix and signed steps of speed (7), heading (7), longitude
(12) and latitude (11). Else: one byte, nothing to tell. Each is one second after the one before.
No manual has it; the form is that of recorded messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from waypost.protocols.base import ProtocolError


class Step(msgspec.Struct):
    """A position: milliseconds since 1970, millionths of a degree, tenths of km/h, degrees."""

    time: int
    longitude: int
    latitude: int
    speed: int
    heading: int


def read_compressed(data: bytes) -> Iterator[Step]:
    """The positions in ``data``. Raises :class:`ProtocolError` where it ends too early."""
    if len(data) < 2:
        raise ProtocolError("compressed report without a count")
    count = int.from_bytes(data[:2], "big")
    at = 2
    step = Step(0, 0, 0, 0, 0)
    try:
        for _ in range(count):
            if step.time:
                step = msgspec.structs.replace(step, time=step.time + 1000)
            form = data[at] >> 6
            if form == 1:
                step, at = _absolute(data, at, step)
            elif form == 2 and step.time:
                step, at = _relative(data, at, step)
            else:
                at += 5 if form == 2 else 1
                continue
            if abs(step.longitude) <= 180_000_000 and abs(step.latitude) <= 90_000_000:
                yield step
    except (IndexError, struct.error):
        raise ProtocolError(f"compressed report of {count} positions ends too early") from None


def _absolute(data: bytes, at: int, step: Step) -> tuple[Step, int]:
    bits = int.from_bytes(data[at : at + 3], "big")
    longitude, latitude = struct.unpack_from(">ii", data, at + 3)
    at += 11
    time = step.time
    if not time:
        time = struct.unpack_from(">I", data, at)[0] * 1000
        at += 4
    return Step(time, longitude, latitude, bits >> 9 & 0xFFF, bits & 0x1FF), at


def _relative(data: bytes, at: int, step: Step) -> tuple[Step, int]:
    if at + 5 > len(data):
        raise IndexError
    bits = int.from_bytes(data[at : at + 5], "big")
    return (
        Step(
            step.time,
            step.longitude + _signed(bits >> 11, 12),
            step.latitude + _signed(bits, 11),
            max(step.speed + _signed(bits >> 30, 7), 0),
            (step.heading + _signed(bits >> 23, 7)) % 360,
        ),
        at + 5,
    )


def _signed(bits: int, size: int) -> int:
    value = bits & (1 << size) - 1
    return value - (1 << size) if value >> size - 1 else value
