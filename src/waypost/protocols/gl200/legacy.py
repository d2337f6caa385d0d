"""The older dialect of GL100, GT300 and their like: the unique id follows the head, the protocol's
version (``HHHHSSPPPP``) ends the message, and a zero byte ends it on the wire.

Source: GL100 @Track Air Interface Protocol (TRACGL100AN002), sections 3.2 to 3.5; GT300 @Track Air
Interface Protocol, section 3.3. Both say of a position: fix (1: successful), speed in km/h,
heading, altitude, HDOP, longitude, latitude, UTC time.
"""

from __future__ import annotations

import re

from waypost.protocols.base import Answer, Decoded, Hello, ProtocolError
from waypost.protocols.gl200.columns import between, is_moment, moment, signal_level, whole
from waypost.protocols.gl200.events import event_of
from waypost.protocols.gl200.location import Point, find_points
from waypost.telemetry.message import Message

_HEAD = re.compile(r"\+(RESP|BUFF|ACK):(?:GT)?([A-Z0-9]{2,10})$")
_HEARTBEAT = "AT+GTHBD=HeartBeat"
_UNIQUE_ID = re.compile(r"\d{14,16}$")
_VERSION = re.compile(r"[0-9A-Fa-f]{10}$")
_COUNT = re.compile(r"[0-9A-Fa-f]{4}$")


def is_legacy(columns: list[str]) -> bool:
    """Is this message of the older dialect?"""
    if columns[0] == _HEARTBEAT:
        return True
    head = _HEAD.match(columns[0])
    if head is None or len(columns) < 2 or not _UNIQUE_ID.match(columns[1]):
        return False
    # An answer of Protocol Pro has its id there too, but no version at its end.
    return head[1] != "ACK" or _VERSION.match(columns[-1]) is not None


def decode_legacy(columns: list[str]) -> Decoded:
    """What a message of the older dialect says. Raises :class:`ProtocolError`."""
    if len(columns) < 2 or not _UNIQUE_ID.match(columns[1]):
        raise ProtocolError(f"unique id expected after {columns[0][:24]!r}")
    hello = Hello([columns[1]])
    content, send, count = _tail(columns[2:])
    if columns[0] == _HEARTBEAT:
        return Decoded(hello=hello, reply=_heartbeat_reply(columns, count))
    head = _HEAD.match(columns[0])
    if head is None:
        raise ProtocolError(f"no @Track message begins with {columns[0][:24]!r}")
    what, name = head.groups()
    if what == "ACK":
        # What the command ended with comes back, behind the name of a real time operation.
        key = content[-1].upper() if content else None
        return Decoded(hello=hello, answers=[Answer(",".join(columns), key)])
    messages = _read(name, content, moment(send), send, count)
    for message in messages:
        message.buffered = what == "BUFF"
    decoded = Decoded(hello=hello, messages=messages)
    if count:
        decoded.reply = f"+SRVACK:{count}\0".encode()
        decoded.reply_means_stored = True
    return decoded


def _tail(columns: list[str]) -> tuple[list[str], str, str]:
    """Content, send time and count: ``[send time,] count, version``, on later devices ``version,
    send time, count``."""
    if len(columns) > 1 and _VERSION.match(columns[-1]) and _COUNT.match(columns[-2]):
        content, count = columns[:-2], columns[-2]
    elif columns and _COUNT.match(columns[-1]):
        content, count = columns[:-1], columns[-1]
    else:
        content, count = columns, ""
    send = ""
    points = find_points(content, 0, len(content))
    # A time right behind coordinates is the fix's.
    if content and is_moment(content[-1]) and not (points and points[-1].end == len(content)):
        send, content = content[-1], content[:-1]
    if content and _VERSION.match(content[-1]) and len(content) > 1:
        content = content[:-1]
    return content, send, count


def _heartbeat_reply(columns: list[str], count: str) -> bytes:
    """Section 3.4: the heartbeat's own columns come back, without its version."""
    kept = columns[1:-1] if _VERSION.match(columns[-1]) else columns[1:]
    return ("+RESP:GTHBD,GPRS ACTIVE,HeartBeat," + ",".join(kept) + "\0").encode("latin-1")


def _read(
    report: str, content: list[str], send: int | None, sent: str, count: str
) -> list[Message]:
    points = find_points(content, 0, len(content))
    if not points:
        return [_without_position(report, content, send, sent, count)]
    messages = []
    for index, point in enumerate(points):
        last = index == len(points) - 1
        messages.append(_position(report, content, point, send if last else None, sent))
    return messages


def _position(
    report: str, content: list[str], point: Point, send: int | None, sent: str
) -> Message:
    message = Message(point.time, b"", values={"queclink_report": report})
    point.put(message)
    state = whole(content[2]) if len(content) > 2 else None
    if report == "SZI" and len(content) > 2:  # number, geofence, 1: it was entered
        message.values["queclink_geofence"] = content[1]
    message.event_id = event_of("", report, None, state)
    identity = [report, *content[point.start : point.end]]
    if message.time is None:
        message.time = send
    elif send is not None and send != message.time:
        message.device_time = send
    if not point.valid:
        identity.append(sent)
    message.digest_of = ",".join(identity).encode("latin-1", "replace")
    return message


def _without_position(
    report: str, content: list[str], send: int | None, sent: str, count: str
) -> Message:
    values = {"queclink_report": report, "queclink_data": ",".join(content)}
    message = Message(send, b"", values=values, event_id=event_of("", report, None, None))
    if report == "INF" and len(content) > 4:  # ICCID, RSSI, BER, battery level, charging
        values["queclink_iccid"] = content[0]
        _put(message, "gsm_level", signal_level(content[1]))
        _put(message, "battery_level", between(content[3], 0, 100))
        if content[4] in ("0", "1"):
            message.values["charging"] = content[4] == "1"
    elif report == "CBC" and content:
        _put(message, "battery_level", between(content[0], 0, 100))
    elif report == "CSQ" and content:
        _put(message, "gsm_level", signal_level(content[0]))
    message.digest_of = ",".join([report, *content, sent, count]).encode("latin-1", "replace")
    return message


def _put(message: Message, name: str, value: float | None) -> None:
    if value is not None:
        message.values[name] = value
