"""HEX messages: the same reports as the text form, composed of the items that a mask names.

Source: "HEX Format Report" of the GV200 (section 4), GV300CAN and GB100 @Track manuals, and
``AT+GTHRM`` for the masks. Unique id: two decimal digits a byte, or the device's name in text; MCC
and MNC: decimal digits; speed and mileage: whole part and one byte of tenths. Some models put items
of their own before the position, so it is found from the message's end.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from waypost.protocols.base import Answer, Decoded, Hello, ProtocolError
from waypost.protocols.gl200.compressed import read_compressed
from waypost.protocols.gl200.events import MOTION, event_of, motion_values
from waypost.protocols.gl200.framing import crc_fits
from waypost.protocols.gl200.location import is_current
from waypost.protocols.gl200.models import NAMES
from waypost.telemetry.message import Cell, Message, utc_ms

#: Heads of messages that were kept and are sent late, by those of fresh ones.
_BUFFERED = {b"+BSP": b"+RSP", b"+BVT": b"+EVT", b"+BNF": b"+INF", b"+BRD": b"+CRD"}
_REPORTS = {
    1: "TOW",
    3: "LBC",
    4: "EPS",
    5: "DIS",
    6: "IOB",
    7: "FRI",
    8: "GEO",
    9: "SPD",
    10: "SOS",
    11: "RTL",
    12: "DOG",
    15: "HBM",
    16: "IGL",
    17: "IDA",
    18: "ERI",
    100: "FRI",
}
_EVENTS = {
    6: "BPL",
    9: "STT",
    13: "IGN",
    14: "IGF",
    15: "UPD",
    17: "IDF",
    21: "GSS",
    23: "CRA",
    25: "DOS",
    26: "GES",
    31: "GPJ",
    50: "VGN",
    51: "VGF",
}
#: Device types whose numbers of some events differ.
_EVENTS_OF = {"45": {33: "JDS", 34: "UPC", 35: "RMD", 45: "VGN", 46: "VGF"}}
_EVENTS_ELSEWHERE = {32: "RMD", 34: "JDS", 35: "UPC"}
_COMMANDS = (
    *("BSI", "SRI", "QSS", "", "CFG", "TOW", "EPS", "DIS", "OUT", "IOB", "TMA", "FRI", "GEO"),
    *("SPD", "SOS", "CAN", "RTO"),
)
_COMPRESSED = 100
_NAME = re.compile(rb"([!-~]{1,8})\0*$")


class _Frame(msgspec.Struct):
    """A message and what its head says."""

    head: bytes
    data: bytes
    kind: str
    hello: Hello | None
    #: Where the items behind the unique id begin, and the tail (send time, count, CRC) ends them.
    start: int
    end: int
    report: str = ""
    mask: int = 0
    send: int | None = None
    count: int | None = None
    buffered: bool = False


def decode_binary(frame: bytes) -> Decoded:
    """What a HEX message says. Raises :class:`ProtocolError`."""
    if len(frame) < 16 or not frame.endswith(b"\r\n"):
        raise ProtocolError(f"binary message of {len(frame)} bytes does not end with CR LF")
    if not crc_fits(frame):
        raise ProtocolError(f"binary message {frame[:4]!r} with a wrong CRC")
    head = _BUFFERED.get(frame[:4], frame[:4])
    try:
        found = _READERS.get(head, _masked)(head, frame)
        found.buffered = head != frame[:4]
        if head == b"+ACK":
            return _answer(found, frame)
        if head == b"+HBD":
            reply = f"+SACK:GTHBD,,{found.count:04X}$" if found.count is not None else ""
            return Decoded(hello=found.hello, reply=reply.encode() or None)
        decoded = Decoded(hello=found.hello, messages=_messages(found))
    except (struct.error, IndexError):
        raise ProtocolError(f"binary message {frame[:4]!r} ends within an item") from None
    if found.count is not None:
        decoded.reply = f"+SACK:{found.count:04X}$".encode()
        decoded.reply_means_stored = True
    return decoded


# Heads


def _masked(head: bytes, data: bytes) -> _Frame:
    """``+RSP``, ``+EVT`` and others with a mask of four bytes."""
    kind_of, mask = struct.unpack_from(">BI", data, 4)
    at = 9 + (2 if mask & 0x80 else 0)
    device, at = _device_type(data, at) if mask & 0x100 else ("", at)
    at += 2 * (mask >> 9 & 1) + 2 * (mask >> 10 & 1)
    frame = _framed(head, data, device, at, bool(mask & 0x10), bool(mask & 0x20))
    frame.mask = mask
    if head == b"+RSP":
        frame.report = _REPORTS.get(kind_of, f"RSP{kind_of}")
    elif head == b"+EVT":
        own = _EVENTS_OF.get(device, _EVENTS_ELSEWHERE)
        frame.report = _EVENTS.get(kind_of) or own.get(kind_of) or f"EVT{kind_of}"
    else:
        frame.report = head[1:].decode("latin-1")
    return frame


def _information(head: bytes, data: bytes) -> _Frame:
    """``+INF``: the id precedes the device type; some models have a second mask."""
    mask = int.from_bytes(data[5:7], "big")
    at = 7
    if mask & 1:
        at += 2
        if int.from_bytes(data[7:9], "big") != len(data):
            at += 2
    frame = _framed(head, data, "", at, bool(mask & 0x20), bool(mask & 0x40))
    if mask & 4:
        device, frame.start = _device_type(data, frame.start)
        frame.kind = device
        if frame.hello is not None:
            frame.hello.model = NAMES.get(device)
    frame.report = "INF"
    return frame


def _heartbeat(head: bytes, data: bytes) -> _Frame:
    mask = data[4]
    at = 5 + (mask & 1)
    device, at = _device_type(data, at) if mask & 2 else ("", at)
    at += 2 * (mask >> 2 & 1) + 2 * (mask >> 3 & 1)
    if not mask & 0x80:  # anonymous: the connection says who it is
        frame = _Frame(head, data, device, None, at, len(data) - 4)
        frame.count = int.from_bytes(data[-6:-4], "big") if mask & 0x40 else None
        return frame
    return _framed(head, data, device, at, bool(mask & 0x20), bool(mask & 0x40))


def _crash(head: bytes, data: bytes) -> _Frame:
    """``+CRD``: mask and length of two bytes each, no message type."""
    device, at = _device_type(data, 8)
    frame = _framed(head, data, device, at + 4, True, True)
    frame.report = "CRD"
    return frame


def _login(head: bytes, data: bytes) -> _Frame:
    """``+LGN``: in no manual; its places are those of a recorded one."""
    frame = _framed(head, data, f"{data[8]:02X}", 15, True, True)
    frame.report = "LGN"
    return frame


def _command(head: bytes, data: bytes) -> _Frame:
    device, at = _device_type(data, 7)
    return _framed(head, data, device, at + 4, True, True)


def _plain(head: bytes, data: bytes) -> _Frame:
    """``+ATI``, ``+ACC``: only the tail is common to all models."""
    frame = _Frame(head, data, "", None, 5, len(data) - 13)
    _tail(frame, True, True)
    frame.report = head[1:].decode("latin-1")
    return frame


_READERS = {
    b"+INF": _information,
    b"+HBD": _heartbeat,
    b"+CRD": _crash,
    b"+LGN": _login,
    b"+ACK": _command,
    b"+ATI": _plain,
    b"+ACC": _plain,
}


def _device_type(data: bytes, at: int) -> tuple[str, int]:
    """The device type at ``at`` (three bytes where the first is 80) and where it ends."""
    size = 3 if data[at] == 0x80 else 1
    return data[at : at + size].hex().upper(), at + size


def _framed(
    head: bytes, data: bytes, device: str, at: int, has_time: bool, has_count: bool
) -> _Frame:
    unique_id = _unique_id(data[at : at + 8])
    hello = Hello([unique_id], NAMES.get(device)) if unique_id else None
    frame = _Frame(head, data, device, hello, at + 8, len(data) - 4)
    _tail(frame, has_time, has_count)
    if frame.start > frame.end:
        raise ProtocolError(f"binary message {head!r} of {len(data)} bytes is too short")
    return frame


def _tail(frame: _Frame, has_time: bool, has_count: bool) -> None:
    end = len(frame.data) - 4
    if has_count:
        end -= 2
        frame.count = int.from_bytes(frame.data[end : end + 2], "big")
    if has_time:
        end -= 7
        frame.send = _moment(frame.data[end : end + 7])
    frame.end = end


def _unique_id(data: bytes) -> str | None:
    """An IMEI of two digits a byte, the last alone, or the name that the device was given, padded
    with zeros. None where there is neither (a name that was never changed is the model's)."""
    if len(data) < 8:
        raise ProtocolError("binary message ends within its unique id")
    if max(data[:7]) < 100 and data[7] < 10 and any(data):
        return "".join(f"{byte:02d}" for byte in data[:7]) + str(data[7])
    name = _NAME.match(data)
    return name[1].decode() if name and name[1].decode().upper() not in NAMES.values() else None


def _moment(data: bytes) -> int | None:
    """Year in two bytes, then one each; None for none."""
    if len(data) < 7 or not any(data):
        return None
    try:
        return utc_ms(int.from_bytes(data[:2], "big"), *data[2:7])
    except ValueError:
        return None


# Contents


def _answer(frame: _Frame, data: bytes) -> Decoded:
    number = data[4]
    name = _COMMANDS[number] if number < len(_COMMANDS) else ""
    serial = data[-15:-13].hex().upper()
    text = f"+ACK:GT{name or number},{serial}"
    return Decoded(hello=frame.hello, answers=[Answer(text, serial, raw=data)])


def _messages(frame: _Frame) -> list[Message]:
    values: dict[str, Any] = {"queclink_report": frame.report}
    if frame.head == b"+INF":
        _device_information(frame, values)
    elif frame.head in (b"+RSP", b"+EVT"):
        at = _status(frame, values)
        if frame.report == "FRI" and frame.data[4] == _COMPRESSED:
            return [_finish(frame, item) for item in _batch(frame, at, values)]
        block = _positions(frame)
        if block is not None:
            return [_finish(frame, item) for item in _located(frame, at, block, values)]
    values["queclink_data"] = frame.data[frame.start : frame.end].hex()
    message = Message(frame.send, b"", values=values)
    message.event_id = event_of(frame.kind, frame.report, None, None)
    return [_finish(frame, message)]


def _finish(frame: _Frame, message: Message) -> Message:
    message.buffered = frame.buffered
    if message.time is None:
        message.time = frame.send
    if not message.digest_of or not message.valid:
        # No current fix tells it apart: the whole content does, its time and count too.
        content = frame.data[frame.start : len(frame.data) - 4]
        message.digest_of = message.digest_of + frame.report.encode() + content
    return message


def _status(frame: _Frame, values: dict[str, Any]) -> int:
    """The items between unique id and position; where what is the report's own begins."""
    data, mask, at = frame.data, frame.mask, frame.start
    if mask >> 11 & 1:
        if data[at] <= 100:
            values["battery_level"] = data[at]
        at += 1
    if mask >> 12 & 1:
        values["board_voltage"] = int.from_bytes(data[at : at + 2], "big") / 1000
        at += 2
    for line in range(1, 1 + (mask >> 13 & 7).bit_count()):
        values[f"analog_{line}"] = int.from_bytes(data[at : at + 2], "big") / 1000
        at += 2
    expander = mask >> 26 & 1
    if mask >> 17 & 1:
        values["input_status"] = data[at + expander]
        values["output_status"] = data[at + 1 + 2 * expander]
        at += 2
    at += 2 * expander
    if mask >> 18 & 1:
        if data[at] not in MOTION and data[at + 2] in MOTION:
            at += 2  # GB100's GEO has two reserved bytes here
        values.update(motion_values(data[at]))
        at += 1
    if mask >> 19 & 1:
        values["queclink_satellites"] = data[at] & 15
        at += 1
    if at > frame.end:
        raise ProtocolError(f"binary message {frame.head!r} of {len(data)} bytes is too short")
    return at


class _Block(msgspec.Struct):
    """Where the positions lie: the first, how many, bytes of each, and where they end."""

    start: int
    number: int
    size: int
    end: int
    cell: int


def _positions(frame: _Frame) -> _Block | None:
    """Finds the positions from the message's end: their number stands before them."""
    data, mask = frame.data, frame.mask
    counters = 3 * (mask >> 20 & 1) + 5 * (mask >> 21 & 1)
    always = 8 if frame.report in ("IGN", "IGF") else 0
    counters = max(counters, always) + 3 * (mask >> 22 & 1) + 6 * (mask >> 23 & 1)
    counters += 4 * (mask >> 24 & 1)
    fixed = 16 + 3 * (mask & 1) + 2 * (mask >> 1 & 1) + 2 * (mask >> 2 & 1)
    for cell in (9, 11) if mask & 8 else (0,):
        size = fixed + cell
        end = frame.end - counters
        for number in range(1, 16):
            start = end - number * size
            if start <= frame.start:
                break
            if data[start - 1] == number and all(
                _plausible(data, at, mask) for at in range(start, end, size)
            ):
                return _Block(start, number, size, end, cell)
    return None


def _plausible(data: bytes, at: int, mask: int) -> bool:
    """Can a position begin at ``at``?"""
    place = at + 1 + 3 * (mask & 1) + 2 * (mask >> 1 & 1) + 2 * (mask >> 2 & 1)
    east, north = struct.unpack_from(">ii", data, place)
    time = data[place + 8 : place + 15]
    return (
        data[at] <= 99
        and abs(east) <= 180_000_000
        and abs(north) <= 90_000_000
        and (not any(time) or _moment(time) is not None)
    )


def _located(frame: _Frame, own: int, block: _Block, shared: dict[str, Any]) -> Iterator[Message]:
    data, mask = frame.data, frame.mask
    report_id = report_type = None
    satellites = shared.pop("queclink_satellites", None)
    insert = data[own : block.start - 1]
    if frame.head == b"+RSP" and insert:
        report_id, report_type = _report_id(frame, insert, shared)
    elif insert:
        _event_items(frame, insert, shared)
    event = event_of(frame.kind, frame.report, report_id, report_type)
    for index in range(block.number):
        at = block.start + index * block.size
        last = index == block.number - 1
        values = dict(shared) if last else {"queclink_report": frame.report}
        message = Message(None, b"", values=values, event_id=event)
        _position(message, data, at, mask, block.cell)
        content = insert + data[at : at + block.size]
        if last:
            _counters(values, data, block.end, frame)
            message.satellites = satellites
            if frame.send is not None and message.time not in (None, frame.send):
                message.device_time = frame.send
            content += data[block.end : frame.end]
        message.digest_of = frame.report.encode() + content
        yield message


def _report_id(frame: _Frame, insert: bytes, values: dict[str, Any]) -> tuple[int, int]:
    both = insert[0] if frame.report == "LBC" else insert[-1]
    values["queclink_report_id"], values["queclink_report_type"] = both >> 4, both & 15
    if frame.report == "LBC" and len(insert) > 2:  # bytes in the number, 1: with +; digits
        values["queclink_phone"] = "+" * (insert[1] & 1) + insert[2:].hex().rstrip("f")
    elif len(insert) > 1:
        values["queclink_data"] = insert[:-1].hex()
    return both >> 4, both & 15


def _event_items(frame: _Frame, insert: bytes, values: dict[str, Any]) -> None:
    report = frame.report
    if report in ("IGN", "IGF", "VGN", "VGF"):
        values["ignition"] = report in ("IGN", "VGN")
        if len(insert) >= 4:
            values["queclink_ignition_seconds"] = int.from_bytes(insert[-4:], "big")
    elif report == "IDF" and len(insert) >= 4:
        values["queclink_idle_seconds"] = int.from_bytes(insert[-4:], "big")
    elif report == "BPL" and len(insert) == 2:
        values["battery_voltage"] = int.from_bytes(insert, "big") / 1000
    else:
        values["queclink_data"] = insert.hex()


def _position(message: Message, data: bytes, at: int, mask: int, cell: int) -> None:
    accuracy = data[at]
    message.hdop, message.valid = float(accuracy), is_current(accuracy)
    message.values["gps_status"] = message.valid
    at += 1
    if mask & 1:
        message.speed = _tenths(data[at : at + 3])
        at += 3
    if mask & 2:
        heading = int.from_bytes(data[at : at + 2], "big")
        message.heading = heading if heading <= 360 else None
        at += 2
    if mask & 4:
        message.altitude = int.from_bytes(data[at : at + 2], "big", signed=True)
        at += 2
    east, north = struct.unpack_from(">ii", data, at)
    message.time = _moment(data[at + 8 : at + 15])
    if east or north:
        message.longitude, message.latitude = east / 1e6, north / 1e6
    if cell:
        found = _cell(data[at + 15 : at + 15 + cell])
        message.cells = [found] if found is not None else None


def _cell(data: bytes) -> Cell | None:
    """MCC and MNC in decimal digits, LAC, Cell ID of two or four bytes, one reserved."""
    mcc, mnc = data[:2].hex(), data[2:4].hex()
    lac, number = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:-1], "big")
    if not mcc.isdigit() or not mnc.isdigit() or not (lac or number):
        return None
    return Cell(lac, number, int(mcc) or None, int(mnc) if int(mcc) else None)


def _counters(values: dict[str, Any], data: bytes, at: int, frame: _Frame) -> None:
    """Mileage and hour meter: since the last start, and in all."""
    mask = frame.mask
    always = frame.report in ("IGN", "IGF")
    if always or mask >> 20 & 1:
        at += 3
    if always or mask >> 21 & 1:
        values["hardware_mileage"] = _tenths(data[at : at + 5])
        at += 5
    at += 3 * (mask >> 22 & 1)
    if mask >> 23 & 1:
        hours, minutes, seconds = struct.unpack_from(">IBB", data, at)
        values["engine_hours"] = round(hours + minutes / 60 + seconds / 3600, 4)


def _tenths(data: bytes) -> float:
    whole, part = int.from_bytes(data[:-1], "big"), data[-1]
    return round(whole + part / (10 if part < 10 else 100), 2)


def _batch(frame: _Frame, at: int, shared: dict[str, Any]) -> Iterator[Message]:
    satellites = shared.pop("queclink_satellites", None)
    for point in read_compressed(frame.data[at : frame.end]):
        message = Message(point.time, b"", values={"queclink_report": "FRI"}, event_id=403)
        message.longitude, message.latitude = point.longitude / 1e6, point.latitude / 1e6
        message.speed, message.heading = point.speed / 10, float(point.heading)
        message.satellites = satellites
        message.digest_of = repr(msgspec.structs.astuple(point)).encode()
        yield message


def _device_information(frame: _Frame, values: dict[str, Any]) -> None:
    """Of ``+INF`` only the SIM's number, and what a GB100 has before it: its other items differ by
    model and mask."""
    data = frame.data[frame.start : frame.end]
    match = re.search(rb"\x89[\x00-\x99]{7}[\x00-\xff]{2}", data)
    if match is None:
        return
    number = match[0].hex()
    if not number[:18].rstrip("f").isdigit():
        return
    values["queclink_iccid"] = number.upper().rstrip("F")
    if frame.kind == "45" and match.start() >= 5:
        power, battery, level = struct.unpack_from(">HHB", data, match.start() - 5)
        values["board_voltage"], values["battery_voltage"] = power / 1000, battery / 1000
        if level <= 100:
            values["battery_level"] = level
