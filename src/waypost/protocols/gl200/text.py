"""Text messages: reports (``+RESP:``, ``+BUFF:`` for those kept and sent late), the heartbeat and
answers to commands (``+ACK:``, ``+NACK:``, ``+QRY:``).

Source: @Track manuals, sections 3.1 "Message Format", 3.3 "Report", 3.4 "Heartbeat", 3.5 "Server
Acknowledgement".
"""

from __future__ import annotations

import re

from waypost.protocols.base import Answer, Decoded, Hello, ProtocolError
from waypost.protocols.gl200.columns import moment
from waypost.protocols.gl200.legacy import decode_legacy, is_legacy
from waypost.protocols.gl200.models import NAMES, VIN_FIRST, device_type, is_version
from waypost.protocols.gl200.report import Sentence, read_report
from waypost.telemetry.message import Message

_HEAD = re.compile(r"\+(RESP|BUFF|ACK|NACK|SACK|QRY):(?:GT)?([A-Z0-9]{2,10})$")
_UNIQUE_ID = re.compile(r"[0-9A-Za-z]{6,20}$")
_COUNT = re.compile(r"[0-9A-Fa-f]{4}$")


def split(frame: bytes) -> list[str]:
    """The columns of a text message, without what ends it."""
    return frame.decode("latin-1").strip("\r\n\0 $").split(",")


def decode_text(frame: bytes) -> Decoded:
    """What a text message says. Raises :class:`ProtocolError`."""
    columns = split(frame)
    if is_legacy(columns):
        return decode_legacy(columns)
    head = _HEAD.match(columns[0])
    if head is None:
        raise ProtocolError(f"no @Track message begins with {columns[0][:24]!r}")
    what, name = head.groups()
    if what == "SACK":
        return Decoded()
    if len(columns) < 4:
        raise ProtocolError(f"{columns[0]} has {len(columns)} columns, at least 4 were expected")
    if what in ("NACK", "QRY") or (what == "ACK" and not is_version(columns[1])):
        return _pro_answer(columns, what)
    version, unique_id = columns[1], columns[2]
    if not is_version(version):
        raise ProtocolError(f"protocol version expected after {columns[0]}, got {version[:24]!r}")
    if not _UNIQUE_ID.match(unique_id):
        raise ProtocolError(f"unique id expected after {version}, got {unique_id[:24]!r}")
    count = columns[-1] if len(columns) > 4 and _COUNT.match(columns[-1]) else ""
    if what == "ACK":
        return _acknowledgement(columns, name, count)
    sentence = _sentence(columns, name, count)
    sentence.buffered = what == "BUFF"
    decoded = Decoded(
        hello=Hello([unique_id], NAMES.get(sentence.kind) or sentence.name or None),
        messages=read_report(sentence),
    )
    if count:
        decoded.reply = f"+SACK:{count}$".encode()
        decoded.reply_means_stored = True
    return decoded


def _sentence(columns: list[str], report: str, count: str) -> Sentence:
    kind = device_type(columns[1])
    content = columns[3:]
    send = None
    if count:
        content = content[:-1]
        if content and (len(content[-1]) == 14 or not content[-1]):
            send = moment(content.pop())
    sentence = Sentence(report, kind, content, send, count)
    if report == "GSM":  # goes on with the report that it follows
        return sentence
    if kind in VIN_FIRST and content:
        sentence.vin = content.pop(0)
    if content:
        sentence.name = content.pop(0)
    return sentence


def _acknowledgement(columns: list[str], name: str, count: str) -> Decoded:
    version, unique_id = columns[1:3]
    device_name = columns[3] if len(columns) > 5 else ""
    hello = Hello([unique_id], NAMES.get(device_type(version)) or device_name or None)
    if name == "HBD":
        reply = f"+SACK:GTHBD,{version},{count}$".encode() if count else None
        return Decoded(hello=hello, reply=reply)
    serial = columns[-3].upper() if len(columns) > 5 and _COUNT.match(columns[-3]) else None
    text = ",".join(columns)
    message = Message(
        moment(columns[-2]) if len(columns) > 4 else None,
        text.encode("latin-1", "replace"),
        values={"queclink_report": "ACK", "queclink_data": ",".join([f"GT{name}", *columns[4:-2]])},
    )
    return Decoded(
        hello=hello,
        messages=[message],
        answers=[Answer(text, serial)],
        reply=f"+SACK:{count}$".encode() if count else None,
    )


def _pro_answer(columns: list[str], what: str) -> Decoded:
    """Answers in the order of Protocol Pro: ``head, unique id, device type, protocol version,
    custom version, ..., sequence number, time, count``."""
    if not _UNIQUE_ID.match(columns[1]):
        raise ProtocolError(f"unique id expected after {columns[0]}, got {columns[1][:24]!r}")
    serial = columns[-3].upper() if len(columns) > 5 and _COUNT.match(columns[-3]) else None
    answer = Answer(",".join(columns), serial, ok=what != "NACK")
    return Decoded(hello=Hello([columns[1]]), answers=[answer])
