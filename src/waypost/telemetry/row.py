"""The row of a point: what is kept of one message, beside its packet's receipt.

Both points stores keep it, ``ingest`` makes it of a message, and a decoder that reads many alike
records may make it itself (:mod:`~waypost.telemetry.records`).
"""

from __future__ import annotations

from typing import Any

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

Row = tuple[Any, ...]
"""The values of ``COLUMNS``."""

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
