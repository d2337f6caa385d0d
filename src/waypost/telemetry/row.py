"""The row of a point: what is kept of one message, beside its packet's receipt.

Both points stores keep it, ``ingest`` makes it of a message, and a decoder that reads many alike
records may make it itself (:mod:`~waypost.telemetry.records`), in the binary form that the store
takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import calcsize
from typing import Any

import msgspec

#: Columns of a point, in the order of a row tuple. Times in ms, degrees, metres, km/h.
COLUMNS = (
    "source_id",
    "time",
    "digest",
    "received",
    "device_time",
    "latitude",
    "longitude",
    "altitude",
    "speed",
    "hdop",
    "retention",
    "heading",
    "satellites",
    "flags",
    "precision",
    "event_id",
    "content",
)

#: Days that a row can say it is to be kept: nearly 90 years.
MOST_RETENTION = 2**15 - 1

Row = tuple[Any, ...]
"""The values of ``COLUMNS``."""


class RowFormat(msgspec.Struct, frozen=True, eq=False):
    """Rows in binary."""

    #: What a row begins with, and what stands for a value that is not there.
    row: bytes
    null: bytes
    #: How ``struct`` has a column's values, and what each begins with; ``content`` is bytes.
    formats: Mapping[str, str]
    heads: Mapping[str, bytes]
    #: What content begins with, before its length.
    content: bytes

    def content_head(self, size: int) -> bytes:
        """What stands before content of ``size`` bytes."""
        return self.content + size.to_bytes(4, "big")


_FORMATS = {
    **dict.fromkeys(("source_id", "time", "digest", "received", "device_time"), "q"),
    **dict.fromkeys(("latitude", "longitude"), "d"),
    **dict.fromkeys(("altitude", "speed", "hdop"), "f"),
    **dict.fromkeys(("retention", "heading", "satellites", "flags"), "h"),
    **dict.fromkeys(("precision", "event_id"), "i"),
}

#: PostgreSQL manual, COPY, "Binary Format", "Tuples".
COPY = RowFormat(
    row=len(COLUMNS).to_bytes(2, "big"),
    null=b"\xff\xff\xff\xff",
    formats=_FORMATS,
    heads={form: calcsize(f">{form}").to_bytes(4, "big") for form in "qdfhi"},
    content=b"",
)

#: MessagePack specification, "Formats": arrays of values, bytes as "bin 32", and none of the
#: numbers rounded.
MSGPACK = RowFormat(
    row=b"\xdc" + len(COLUMNS).to_bytes(2, "big"),
    null=b"\xc0",
    formats={name: form.replace("f", "d") for name, form in _FORMATS.items()},
    heads={"q": b"\xd3", "d": b"\xcb", "h": b"\xd1", "i": b"\xd2"},
    content=b"\xc6",
)


class Block(msgspec.Struct, frozen=True, gc=False):
    """Rows of one source and one retention class, of rising times from ``first`` to ``last``, in
    binary (the store says in which ``RowFormat``): for a decoder that makes these faster."""

    data: bytes
    count: int
    retention: int
    first: int
    last: int


# Bits of ``flags``.
VALID = 1
BUFFERED = 2
#: Its time lay in the future when it came: kept, and no part of the state.
FUTURE = 4
#: An older message than one stored before it.
LATE = 8
#: The message had no time of its own: ``time`` is that of its receipt.
UNTIMED = 16
SOURCE_SHIFT = 5  # two bits: GNSS, LBS, WIFI as in telemetry.message
