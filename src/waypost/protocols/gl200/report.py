"""Reads one text report into messages: the columns before the position, the position blocks, the
columns after them.

Source: "Report" sections of the GV300, GV200, GV350M, GL200, GL300, GL500, GMT100, CV200 and other
@Track manuals; columns common to them are read in one place here.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from waypost.protocols.gl200 import models
from waypost.protocols.gl200.columns import (
    between,
    hexadecimal,
    hours,
    is_hours,
    number,
    signal_level,
    volts,
    whole,
)
from waypost.protocols.gl200.events import (
    event_of,
    event_of_state,
    ignition_of,
    motion_values,
)
from waypost.protocols.gl200.information import read_information
from waypost.protocols.gl200.location import (
    Point,
    find_cell,
    find_cells,
    find_points,
    find_wifi,
)
from waypost.protocols.gl200.peripherals import read_peripherals
from waypost.protocols.gl200.vehicle import is_vin, read_can, read_obd
from waypost.telemetry.message import Message

Values = dict[str, Any]

_STATUS = re.compile(r"(?:[0-9A-F]{6}|[0-9A-F]{10})$")
_SURE_STATUS = re.compile(r"(?:1[126A]|2[12]|4[12])(?:[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8})$")
_MOTION_ONLY = re.compile(r"(?:1[126A]|2[12]|4[12])$")
_APPEND = re.compile(r"[0-9A-Fa-f]{2}$")
#: A clock that was never set starts here.
_CLOCK_UNSET = range(1_577_836_800_000, 1_577_836_800_000 + 3_600_000)

#: Columns before the accuracy, where the position itself is empty.
_BEFORE = {"IGN": 1, "IGF": 1, "VGN": 3, "VGF": 3, "ERI": 4}
#: Reports whose columns are no position's: nothing is looked for around one.
_LISTS = frozenset(("GSM", "WIF", "LBS"))
#: Reports whose columns before the position are only power, id and type, and number.
_PLAIN = frozenset(
    ("FRI", "ERI", "TOW", "EPS", "DIS", "IOB", "GEO", "SPD", "SOS", "RTL", "DOG", "IGL", "VGL")
) | {"HBM", "NMR", "PNL", "PFL", "AIS", "MAI", "LSA", "CAN", "OBD"}


class Sentence(msgspec.Struct):
    """A text report, split. ``columns`` are those of the content: without head, version, ids, send
    time and count."""

    report: str
    kind: str
    columns: list[str]
    send: int | None = None
    count: str = ""
    #: Device's name and the vehicle's number where the device type states one.
    name: str = ""
    vin: str = ""
    buffered: bool = False


def read_report(sentence: Sentence) -> list[Message]:
    """The messages of a report, one for each position in it, at least one."""
    columns = sentence.columns
    shared: Values = {"queclink_report": sentence.report}
    if is_vin(sentence.vin):
        shared["vin"] = sentence.vin
    points = [] if sentence.report in _LISTS else find_points(columns, 0, len(columns))
    if not points:
        message = Message(None, b"", values=shared)
        _without_fix(sentence, message)
        _finish(sentence, message, None, columns)
        return [message]
    messages = []
    for index, point in enumerate(points):
        last = index == len(points) - 1
        until = len(columns) if last else points[index + 1].start
        message = Message(None, b"", values=dict(shared))
        point.put(message)
        if sentence.report != "CAN":
            # An accuracy of 0 (the last known position) is told by ``gps_status`` and the HDOP:
            # the position comes with the time of its own fix, so nobody takes it for a new one.
            message.valid = True
        before, after = columns[: points[0].start], columns[point.end : until]
        if index == 0 or sentence.report in ("FRI", "ERI"):
            _read_before(sentence, message, before)
        if last:
            _read_after(sentence, message, before, after)
        elif sentence.kind in models.PORTABLE and after and "." in after[0]:
            _put(message.values, "hardware_mileage", number(after[0]))
        own = columns[point.start : until]
        _finish(sentence, message, point, columns if last and index == 0 else [*before, *own])
        if not last:
            message.device_time = None  # the send time is the packet's, told with its last point
        messages.append(message)
    return messages


def _without_fix(sentence: Sentence, message: Message) -> None:
    """A report without coordinates: lists of cells, device information, events, and positions that
    the device left empty."""
    report, columns = sentence.report, sentence.columns
    if report in _LISTS:
        message.cells = find_cells(columns) or None
        message.wifi = find_wifi(columns) or None
        message.event_id = event_of(sentence.kind, report, None, None)
        if report == "GSM" and columns and columns[0]:
            message.values["queclink_trigger"] = columns[0]
        if report == "WIF" and columns:
            _put(message.values, "battery_level", between(columns[-1], 0, 100))
        if report == "LBS" and len(columns) > 2:
            _put(message.values, "battery_level", between(columns[2], 0, 100))
        return
    if read_information(sentence.kind, report, columns, message):
        message.event_id = event_of(sentence.kind, report, None, None)
        return
    if report in ("CAN", "OBD"):
        _read_before(sentence, message, columns)
        _read_after(sentence, message, columns, [])
        return
    found = find_cell(columns, 0, len(columns))
    start = _BEFORE.get(report, 3)
    if found is not None and found[0] >= 7:
        start = found[0] - 7
        message.cells = [found[1]]
    elif report not in ("FRI", "ERI") or len(columns) < start + 11:
        _read_before(sentence, message, columns)
        _content(sentence, message, columns)
        return
    before, after = columns[:start], columns[start + 11 :]
    _read_before(sentence, message, before)
    _read_after(sentence, message, before, after)


def _finish(sentence: Sentence, message: Message, point: Point | None, own: list[str]) -> None:
    """Times, and the bytes that make the report what it is.

    The send time belongs to these only where no current fix tells two reports apart; a buffered
    copy keeps it ("while keeps the other content untouched including the original sending time and
    count number": GL300 manual, "Buffer Report").
    """
    send = sentence.send
    unset = send is not None and send in _CLOCK_UNSET
    identity = [sentence.report, *own]
    message.buffered = sentence.buffered
    if point is not None and point.time is not None:
        message.time = point.time
        if send is not None and send != point.time and not unset:
            message.device_time = send
        if not point.valid:
            identity.append(str(send))
    else:
        message.time = None if unset else send
        identity += [str(send), sentence.count]
    message.digest_of = ",".join(identity).encode("latin-1", "replace")


def _report_id(kind: str, before: list[str]) -> tuple[int | None, int | None, str]:
    """Report id, report type and external power from ``power, id and type, number`` or, on portable
    trackers, ``id, type, number``."""
    if len(before) < 3:
        return None, None, ""
    first, second = before[:2] if kind == "42" else before[-3:-1]
    if len(second) == 2 and (both := hexadecimal(second)) is not None:
        return both >> 4, both & 15, first
    if kind in models.PORTABLE:
        return hexadecimal(first), hexadecimal(second), ""
    return None, None, first


def _read_before(sentence: Sentence, message: Message, before: list[str]) -> None:
    report, kind, values = sentence.report, sentence.kind, message.values
    columns = before[1:] if report == "ERI" else before
    report_id, report_type, power = None, None, ""
    reader = _EVENTS.get(report)
    if reader is not None:
        reader(sentence, message, columns)
    elif report not in ("CAN", "OBD"):
        if report not in _PLAIN:
            _content(sentence, message, columns)
        report_id, report_type, power = _report_id(kind, columns)
    if report_id is not None:
        values["queclink_report_id"] = report_id
    if report_type is not None:
        values["queclink_report_type"] = report_type
    if power and (report in ("FRI", "ERI", "EPS") or len(power) > 3):
        _put(values, "board_voltage", volts(power))
    if message.event_id is None:
        message.event_id = event_of(kind, report, report_id, report_type)
    if report in ("IGL", "VGL") and report_type is not None:
        values["ignition"] = ignition_of(kind, report, report_type)
    elif report == "NMR" and report_type is not None:
        values["is_moving"] = report_type == 1


# Reports whose columns before the position are their own. ``columns``: those.


def _duration(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTIGN, GTIGF, GTVGN, GTVGF: ``[reserved, type,] seconds in the former state``."""
    message.values["ignition"] = sentence.report in ("IGN", "VGN")
    if columns:
        _put(message.values, "queclink_ignition_seconds", whole(columns[-1]))


def _motion(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTSTT, GTIDN, GTIDF: ``motion status[, seconds]``."""
    state = hexadecimal(columns[0]) if columns else None
    if state is not None:
        message.values.update(motion_values(state))
    if len(columns) > 1:
        _put(message.values, "queclink_idle_seconds", whole(columns[1]))
    if sentence.report == "STT" and state is not None:
        message.event_id = 101 if state == 0x16 else 407 if state & 15 == 1 else 406


def _status(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTSTR: a GL500's status ``id, type, mode, temperature, battery``; elsewhere a start."""
    if len(columns) == 5:
        _put(message.values, "temperature_internal", between(columns[3], -60, 150))
        _put(message.values, "battery_level", between(columns[4], 0, 100))
    else:
        message.event_id = 406


def _state(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTJDS, GTANT, GTGSS, GTGPJ, GTRMD, GTLSW, GTTSW, GTSWG: what the state is now."""
    if not columns:
        return
    state = columns[-1 if sentence.report in ("GPJ", "LSW", "TSW") else 0]
    message.event_id = event_of_state(sentence.report, state)
    if sentence.report == "RMD" and state in ("0", "1"):
        message.values["gsm_roaming"] = state == "1"
    elif state:
        message.values["queclink_state"] = state


def _battery(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTBPL: volts of the battery; a portable tracker's only one, a vehicle's backup."""
    if columns:
        _put(message.values, "battery_voltage", between(columns[0], 0, 100))
    message.event_id = 1 if sentence.kind in models.PORTABLE else 7


def _temperature(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTTMP, GTTEM: the temperature is the last column but the number of positions."""
    found = [value for text in columns if "." in text or len(text) > 1 for value in [number(text)]]
    if found and found[-1] is not None and -60 <= found[-1] <= 200:
        inside = sentence.kind in models.PORTABLE
        message.values["temperature_internal" if inside else "temperature_1"] = found[-1]


def _driver(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTIDA: ``reserved, driver's key, authorised, number``."""
    if len(columns) > 1 and columns[1]:
        message.values["hardware_key"] = columns[1]
    if len(columns) > 2 and columns[2] in ("0", "1"):
        message.values["driver_ident_state"] = columns[2] == "1"


def _phone(sentence: Sentence, message: Message, columns: list[str]) -> None:
    if columns and columns[-1]:
        message.values["queclink_phone"] = columns[-1]


def _output(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """GTDOS: output and its state."""
    line = whole(columns[0]) if columns else None
    if line is not None and 1 <= line <= 8:
        message.event_id = 550 + line


def _content(sentence: Sentence, message: Message, columns: list[str]) -> None:
    """Reports whose columns are told as they came."""
    if any(columns):
        message.values["queclink_data"] = ",".join(columns)


_EVENTS = {
    "IGN": _duration,
    "IGF": _duration,
    "VGN": _duration,
    "VGF": _duration,
    "STT": _motion,
    "IDN": _motion,
    "IDF": _motion,
    "STR": _status,
    "JDS": _state,
    "ANT": _state,
    "GSS": _state,
    "GPJ": _state,
    "RMD": _state,
    "LSW": _state,
    "TSW": _state,
    "SWG": _state,
    "BPL": _battery,
    "TMP": _temperature,
    "TEM": _temperature,
    "IDA": _driver,
    "LBC": _phone,
    "DOS": _output,
    **dict.fromkeys(("BAA", "BID", "DAR", "DAT", "DTT", "BDR", "SVR", "MON"), _content),
}


def _read_after(sentence: Sentence, message: Message, before: list[str], after: list[str]) -> None:
    report, kind, values = sentence.report, sentence.kind, message.values
    if report == "CAN":
        values.update(read_can(before[1:])[0])
        return
    if report == "OBD":
        values.update(read_obd(before[1:]))
        _put(values, "hardware_mileage", _mileage(after))
        return
    if kind in models.PORTABLE and not any(_SURE_STATUS.match(text) for text in after):
        _portable(kind, message, after)
        return
    after = _appended(kind, message, after)
    if report in ("FRI", "ERI"):
        _vehicle(sentence, message, before, after)
        return
    for text in after:
        if is_hours(text):
            _put(values, "engine_hours", hours(text))
    _put(values, "hardware_mileage", _mileage(after))


def _mileage(columns: list[str]) -> float | None:
    return next(
        (number(text) for text in columns if "." in text and number(text) is not None), None
    )


def _appended(kind: str, message: Message, after: list[str]) -> list[str]:
    """What follows the position append mask (or the reserved 00 in its place): bit 0 announces
    satellites, each further bit one more column."""
    if not after:
        return after
    if not after[0]:
        return after[1:]
    if not _APPEND.match(after[0]):
        return after
    mask = int(after[0], 16)
    if mask & 1 and len(after) > 1:
        satellites = whole(after[1])
        message.satellites = satellites if satellites is not None and satellites <= 99 else None
    return after[1 + mask.bit_count() :]


def _portable(kind: str, message: Message, after: list[str]) -> None:
    """``[access points,] [00,] mileage, ..., battery level``."""
    values = message.values
    message.wifi = find_wifi(after) or None
    if message.cells is None and (found := find_cell(after, 0, len(after))):
        message.cells = [found[1]]
    _put(values, "hardware_mileage", _mileage(after[:2]))
    if kind in models.SIGNAL_FIRST:
        if len(after) > 3:
            _put(values, "gsm_level", signal_level(after[0]))
            _put(values, "battery_voltage", volts(after[2]))
            _put(values, "battery_level", between(after[3], 0, 100))
        return
    filled = [(place, text) for place, text in enumerate(after) if text and text != "00"]
    if kind == "C3" and len(after) > 1:  # before what the ERI mask adds
        _put(values, "battery_level", between(after[1], 0, 100))
    elif filled and filled[-1][0]:
        _put(values, "battery_level", between(filled[-1][1], 0, 100))


def _vehicle(sentence: Sentence, message: Message, before: list[str], after: list[str]) -> None:
    """``mileage, hour meter, analog inputs, battery level, device status, ...``."""
    values, kind = message.values, sentence.kind
    if after:
        _put(values, "hardware_mileage", number(after[0]))
    if len(after) > 1:
        _put(values, "engine_hours", hours(after[1]))
    rest = after[2:]
    if kind in models.SPLIT_STATUS:
        _analogs(values, rest[:3])
        for name, text in zip(("input_status", "output_status"), rest[3:5], strict=False):
            _put(values, name, hexadecimal(text))
        further = rest[5:]
    else:
        place = _status_place(kind, rest)
        _analogs(values, rest[: place - 1])
        if len(rest) >= place:
            _put(values, "battery_level", between(rest[place - 1], 0, 100))
        if len(rest) > place:
            _device_status(values, rest[place])
        further = rest[place + 1 :]
    if sentence.report == "ERI":
        mask = hexadecimal(before[0]) if before else None
        values.update(read_peripherals(kind, mask or 0, further[1:]))
    elif kind in models.VIN_FIRST:
        for name, text in zip(
            ("obd_rpm", "queclink_obd_fuel_per_100km", "obd_fuel"), further, strict=False
        ):
            _put(values, name, number(text))


def _status_place(kind: str, rest: list[str]) -> int:
    """The column of the device status: known by its look, else where the device type has it."""
    for place, text in enumerate(rest[:6]):
        if place and (_STATUS.match(text.upper()) or (place > 2 and _MOTION_ONLY.match(text))):
            return place
    return models.analog_inputs(kind) + 1


def _analogs(values: Values, columns: list[str]) -> None:
    """Millivolts, or ``F`` and the percentage that the device made of them."""
    for index, text in enumerate(columns, 1):
        if text[:1] in ("F", "f"):
            _put(values, f"queclink_analog_{index}_percent", between(text[1:], 0, 100))
        else:
            _put(values, f"analog_{index}", volts(text))


def _device_status(values: Values, text: str) -> None:
    """From the right: outputs, inputs (bit 0: ignition line), motion; where there are ten digits,
    the expander's outputs and inputs in front."""
    if _MOTION_ONLY.match(text):
        values.update(motion_values(int(text, 16)))
    elif _STATUS.match(text.upper()):
        status = int(text, 16)
        values["output_status"] = status & 0xFF
        values["input_status"] = status >> 8 & 0xFF
        values.update(motion_values(status >> 16 & 0xFF))
        if len(text) == 10:
            values["queclink_expander_outputs"] = status >> 24 & 0xFF
            values["queclink_expander_inputs"] = status >> 32 & 0xFF


def _put(values: Values, name: str, value: float | None) -> None:
    if value is not None:
        values[name] = value
