"""The row of a point: what is kept of one message, beside its packet's receipt.

Both points stores keep it, ``ingest`` makes it of a message, and a decoder that reads many alike
records may make it itself (:mod:`~waypost.telemetry.records`).
"""

from __future__ import annotations

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

#: How ``struct`` and PostgreSQL's binary formats have a column's values; ``content`` is bytes.
FORMATS = {
    **dict.fromkeys(("source_id", "time", "digest", "received", "device_time"), "q"),
    **dict.fromkeys(("latitude", "longitude"), "d"),
    **dict.fromkeys(("altitude", "speed", "hdop"), "f"),
    **dict.fromkeys(("retention", "heading", "satellites", "flags"), "h"),
    **dict.fromkeys(("precision", "event_id"), "i"),
}

Row = tuple[Any, ...]
"""The values of ``COLUMNS``."""


class Block(msgspec.Struct, frozen=True, gc=False):
    """Rows of one source and one retention class, of rising times from ``first`` to ``last``, as
    tuples of PostgreSQL's binary COPY: for a store that takes them, and a decoder that makes them
    faster than rows."""

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
