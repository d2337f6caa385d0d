"""Watching a device's bytes over the bus.

``taps.watch`` carries ``{"device_id", "seconds"}`` (MessagePack) and makes every gateway publish
what goes in and out of that device to ``tap.<hex device id>`` for so long, as ``[time ms, kind,
data or text, address]``.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from waypost.bus.base import Bus

IN = "in"
OUT = "out"
NOTE = "note"

#: The subject that asks for it.
WATCH = "taps.watch"

_encode = msgspec.msgpack.Encoder().encode


class Entry(NamedTuple):
    """Something that happened on a connection. ``kind`` is ``in``, ``out`` (then ``data`` is bytes)
    or ``note`` (then it is text)."""

    time: int
    kind: str
    data: bytes | str
    address: str


def tap_subject(device_id: str) -> str:
    """The bus subject that carries a watched device's bytes."""
    return f"tap.{device_id.encode().hex()}"


def read_entry(payload: bytes) -> Entry:
    """What a message on that subject says."""
    return Entry(*msgspec.msgpack.decode(payload))


def watch(bus: Bus, device_id: str, seconds: float) -> None:
    """Asks every gateway to publish this device's entries for a while."""
    bus.publish(WATCH, _encode({"device_id": device_id, "seconds": seconds}))
