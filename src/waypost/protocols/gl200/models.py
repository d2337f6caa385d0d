"""Which device speaks: the characters in front of a report's protocol version name its type, and
the type decides how some columns read.

Source: Queclink's @Track Air Interface Protocol manuals, section 3.1 "Message Format" of each
(``1A`` is a GL300, ``0102`` its protocol 1.2); newer types have six characters that begin with 80.
"""

from __future__ import annotations

import re

NAMES = {
    "02": "GL200",
    "04": "GV200",
    "06": "GV300",
    "07": "GT500",
    "08": "GMT100",
    "09": "GV50P",
    "0F": "GV55",
    "10": "GV55LITE",
    "11": "GL500",
    "1A": "GL300",
    "1F": "GV500",
    "21": "GL200",
    "25": "GV300",
    "27": "GV300W",
    "28": "GL300VC",
    "2C": "GL300W",
    "2D": "GV500VC",
    "2E": "GL505",
    "2F": "GV55",
    "30": "GL300",
    "31": "GV65",
    "35": "GV200",
    "36": "GV500",
    "38": "GV65",
    "3F": "GMT100",
    "40": "GL500",
    "41": "GV75W",
    "42": "GT501",
    "44": "GL530",
    "45": "GB100",
    "4B": "GV300CAN",
    "4F": "GV56",
    "50": "GV55W",
    "52": "GL50",
    "55": "GL50B",
    "5E": "GV500MAP",
    "66": "GL50BLITE",
    "6E": "GV310LAU",
    "74": "GV350CEU",
    "BD": "CV200",
    "C2": "GV600M",
    "C3": "GL320M",
    "DC": "GV600MG",
    "DE": "GL500M",
    "DF": "CV100LG",
    "F1": "GV350M",
    "F5": "GL300M",
    "F8": "GV800W",
    "FC": "GV600W",
    "802003": "GV58CEU",
    "802004": "GV58LAU",
    "802005": "GV355CEU",
    "80201E": "GV30CEU",
}

#: Portable trackers: report id and type are two columns, mileage and battery end a report.
PORTABLE = frozenset(
    ("02", "07", "11", "1A", "21", "28", "2C", "2E", "30", "40", "42", "44", "52", "55", "66")
) | {"97", "9702", "C3", "DE", "F5"}

#: Portable trackers whose reports end with signal, voltage and level of the battery.
SIGNAL_FIRST = frozenset(("2E", "97", "9702", "DE"))

#: The vehicle's VIN precedes the device's name.
VIN_FIRST = frozenset(("1F", "2D", "36", "5E"))

#: Two digit columns hold the inputs and outputs instead of one device status.
SPLIT_STATUS = frozenset(("04", "35"))

#: GTIGL says 1 for ignition on (elsewhere 0; CV200 manual against those of GV200, GV350M, GL320M).
IGNITION_ONE_IS_ON = frozenset(("BD", "DF"))

_VERSION = re.compile(r"[0-9A-Za-z_-]{2}[0-9A-Fa-f]{4,5}$|80[0-9A-Fa-f]{8}$")


def is_version(text: str) -> bool:
    """Is this a protocol version, type included?"""
    return _VERSION.match(text) is not None


def device_type(version: str) -> str:
    """The type's characters: ``1A`` of ``1A0102``, ``802004`` of ``8020040305``."""
    return version[: 6 if len(version) == 10 else 2].upper()


def analog_inputs(kind: str) -> int:
    """Columns of analog inputs between hour meter and battery level."""
    if kind in ("38", "31", "F1"):
        return 1
    return 3 if kind in ("6E", "74") or len(kind) == 6 else 2


#: Device types of Protocol Pro.
PRO_NAMES = {"8203": "GV500CNA", "C031": "GL601"}
