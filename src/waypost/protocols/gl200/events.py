"""Report types in the platform's event numbers (the generic protocol's event table).

Source: "Report ID / Report Type" and the event reports of the @Track manuals.
"""

from __future__ import annotations

from waypost.protocols.gl200.models import IGNITION_ONE_IS_ON

_BY_TYPE: dict[str, int] = {
    "BPL": 7,
    "CRA": 242,
    "EPF": 2,
    "EPN": 4,
    "EST": 202,
    "GSM": 402,
    "IDF": 301,
    "IDN": 302,
    "IGF": 604,
    "IGN": 605,
    "JDR": 117,
    "LBC": 401,
    "LBS": 402,
    "LGL": 401,
    "LSP": 407,
    "MPF": 2,
    "MPN": 4,
    "OPF": 5,
    "OPN": 6,
    "PFA": 14,
    "PFL": 401,
    "PLA": 1,
    "PNA": 15,
    "PNL": 401,
    "RTL": 401,
    "SOA": 106,
    "SOS": 202,
    "SPD": 224,
    "STP": 407,
    "STR": 406,
    "TOW": 101,
    "TRI": 403,
    "VGF": 604,
    "VGN": 605,
    "WIF": 402,
}
_HARSH = {0: 241, 1: 240, 2: 239, 3: 238, 4: 237, 5: 243}
#: What has changed, by report type and the state that it tells.
_BY_STATE = {
    ("ANT", "1"): 601,
    ("ANT", "2"): 601,
    ("GPJ", "1"): 121,
    ("GPJ", "3"): 116,
    ("GSS", "0"): 609,
    ("GSS", "1"): 608,
    ("JDS", "2"): 117,
    ("LSW", "0"): 606,
    ("LSW", "1"): 607,
}


def event_of(kind: str, report: str, report_id: int | None, report_type: int | None) -> int | None:
    """The event of a ``report`` (``FRI``) from a device of type ``kind``; None where the table has
    no number for it."""
    if report in ("FRI", "ERI"):
        if report_type == 1:
            return 405
        return 404 if report_id in (2, 3) else 403
    if report == "HBM":
        return _HARSH.get(report_type if report_type is not None else 5, 243)
    if report in ("GEO", "GIN", "GOT", "GES", "SZI"):
        inside = report == "GIN" or (report != "GOT" and report_type == 1)
        return 409 if inside else 410
    if report == "NMR":
        return 406 if report_type == 1 else 407
    if report == "DIS" and report_id is not None and 1 <= report_id <= 8:
        return 500 + report_id
    if report in ("IGL", "VGL"):
        return 605 if ignition_of(kind, report, report_type) else 604
    return _BY_TYPE.get(report)


def event_of_state(report: str, state: str) -> int | None:
    return _BY_STATE.get((report, state))


def ignition_of(kind: str, report: str, report_type: int | None) -> bool:
    """Does GTIGL or GTVGL say that the ignition is on?"""
    one_is_on = kind in IGNITION_ONE_IS_ON or (kind == "45" and report == "VGL")
    return (report_type == 1) == one_is_on


def motion_values(status: int) -> dict[str, bool]:
    """A motion status byte in values: its first digit 1 or 2 is ignition off or on, 4 that there is
    no ignition line; the second 1 rest, 2 motion, 6 towed, A perhaps towed."""
    values = {}
    if status >> 4 in (1, 2):
        values["ignition"] = status >> 4 == 2
    if status in MOTION:
        values["is_moving"] = status & 15 != 1
    return values


MOTION = frozenset((0x11, 0x12, 0x16, 0x1A, 0x21, 0x22, 0x41, 0x42))
