"""One report of a device, in the platform's vocabulary, whatever protocol it came by.

Vocabulary: attribute names, units and event ids are those of the generic protocol
(``catalog/data/ngp.json``); what has no standard name keeps the protocol's own, prefixed
(``avl_io_78``). Speed is km/h, distance km, voltage V, temperature degC, angle degrees,
time UTC in whole milliseconds since 1970.

Beside the generic protocol's attributes these names are standard in ``values``: the catalog's
sensor input and state names, ``ignition``, ``charging`` (booleans), ``engine_hours`` (h), and of
the mobile network ``gsm_level`` (signal, 0 to 100 %), ``gsm_network`` (operator: name, or MCC and
MNC as digits), ``gsm_roaming`` (boolean).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

GNSS = 0
LBS = 1
WIFI = 2

#: How a location was found, in the order of the constants above.
SOURCES = ("GNSS", "LBS", "WIFI")

Value = Any
"""A value of the vocabulary: bool, int, float, str, bytes, or a list/dict of these."""


class Cell(msgspec.Struct, omit_defaults=True, gc=False):
    """A mobile cell that the device saw; ``rssi`` in dBm. Unknown codes are None."""

    lac: int
    cell_id: int
    mcc: int | None = None
    mnc: int | None = None
    rssi: int | None = None
    type: str | None = None  # GSM, CDMA, WCDMA, LTE, NR


class Wifi(msgspec.Struct, omit_defaults=True, gc=False):
    """A Wi-Fi access point that the device saw; ``mac`` is ``aa:bb:cc:dd:ee:ff``, ``rssi`` dBm."""

    mac: str
    rssi: int | None = None
    channel: int | None = None
    age: int | None = None


class Message(msgspec.Struct, gc=False):
    """One report. Created once per record on the hot path: keep it flat and small.

    ``digest_of`` is the record's content as the protocol names it (no envelope, send time or
    resend counter): with the device's time it is the record's identity, so that a repeated or
    buffered copy is stored once.
    """

    #: Time of the fix where there is one, else the device's; None where the message has neither.
    time: int | None
    digest_of: bytes
    #: Device's own time, only where it differs from ``time``.
    device_time: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    speed: float | None = None
    heading: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    #: False: the device says that this fix is not current.
    valid: bool = True
    source: int = GNSS
    #: Radius of uncertainty in metres, where the message says it.
    precision: int | None = None
    event_id: int | None = None
    #: Standard names and the protocol's own ones, prefixed.
    values: dict[str, Value] = {}
    cells: list[Cell] | None = None
    wifi: list[Wifi] | None = None
    #: The device says that it kept this message and sends it late.
    buffered: bool = False
    #: For a packet that reports for several devices (a gateway, a beacon): the device it is about.
    device_id: str | None = None

    @property
    def has_location(self) -> bool:
        return self.latitude is not None and self.longitude is not None


def iso_time(ms: int | None) -> str | None:
    """``YYYY-MM-DDTHH:MM:SS[.mmm]Z``; the fraction only where there is one."""
    if ms is None:
        return None
    seconds, rest = divmod(ms, 1000)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return None
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def utc_ms(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0
) -> int:
    """Milliseconds since 1970 of a UTC calendar time. Raises ValueError for an impossible one."""
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return int(moment.timestamp()) * 1000 + ms
