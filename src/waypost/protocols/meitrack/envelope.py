"""The frame of a message: ``$$``, data identifier, length, ``,``, IMEI, ``,``, command, ``*``,
checksum, ``\\r\\n``; from the server it begins with ``@@``.

The data identifier is one character from ``A`` to ``z``; an answer repeats that of its command.
The length is decimal and counts from the first comma to the end. The checksum is the sum of all
bytes up to ``*``, the last two hexadecimal digits of it. Source: Meitrack, "MEITRACK T622 GPRS
Protocol" V1.2, 1.1 "GPRS Command Format".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from waypost.protocols.base import ProtocolError

END = b"\r\n"
_NEXT = END + b"$$"
_HEAD = re.compile(rb"\$\$([A-z])([0-9]{1,5}),")
_HEAD_BEGUN = re.compile(rb"\$(?:\$(?:[A-z][0-9]{0,5})?)?")
_UNIT = re.compile(rb"([0-9]{5,20}),")
_SUM = re.compile(rb"\*([0-9A-Fa-f]{2})")
#: ``*``, checksum, end.
_TAIL = 5
#: Commands whose content is not text and may hold the mark of the end.
BINARY = (b"CCC,", b"CCE,", b"D00,")


class Frame(NamedTuple):
    """A message without its frame; ``content`` begins with the command."""

    identifier: str
    unit: str
    content: bytes
    #: What is wrong with its length or checksum.
    fault: str | None


def frame_size(data: bytes, at: int, longest: int) -> int | None:
    """Bytes of the frame that begins at ``at``; None where too few are there to say. Raises
    :class:`ProtocolError` for what cannot begin one, and for one longer than ``longest``."""
    end = len(data)
    head = _HEAD.match(data, at, at + 9)
    if head is None:
        start = data[at : at + 9]
        if _HEAD_BEGUN.fullmatch(start):
            return None
        raise ProtocolError(f"a message begins with $$, identifier and length, not with {start!r}")
    size = head.end() - 1 - at + int(head[2])
    if size > longest:
        raise ProtocolError(f"a message of {size} bytes; {longest} are the most")
    binary = _is_binary(data, head.end())
    # A length that reaches into the next message is wrong, and must not wait for all of that.
    if not binary and (mark := data.find(_NEXT, at, at + size)) >= 0:
        return mark + len(END) - at
    if end - at < size:
        return None
    if data[at + size - 2 : at + size] == END:
        return size
    if binary:
        raise ProtocolError(f"a message does not end after the {size} bytes that it states")
    # A wrong length of a line: its end decides.
    mark = data.find(END, at)
    if mark < 0 and end - at > longest:
        raise ProtocolError(f"a message that does not end within {longest} bytes")
    return mark + len(END) - at if mark >= 0 else None


def _is_binary(data: bytes, at: int) -> bool:
    unit = _UNIT.match(data, at)
    return unit is not None and data[unit.end() : unit.end() + 4] in BINARY


def unpack(frame: bytes) -> Frame:
    """What is in a frame. Raises :class:`ProtocolError` where nothing can be."""
    head = _HEAD.match(frame)
    unit = _UNIT.match(frame, head.end()) if head is not None else None
    if head is None or unit is None:
        raise ProtocolError(f"neither identifier, length nor IMEI: {frame[:24]!r}")
    body = frame[: -len(END)] if frame.endswith(END) else frame
    stated, length = int(head[2]), len(body) + len(END) - (head.end() - 1)
    star = len(body) - _TAIL + len(END)
    found = _SUM.fullmatch(body, max(star, unit.end()))
    fault = None
    if found is None:
        fault = "no checksum"
        star = len(body)
    else:
        computed = sum(body[: star + 1]) & 0xFF
        if int(found[1], 16) != computed:
            fault = f"checksum {found[1].decode()} stated, {computed:02X} computed"
    if stated != length:
        fault = f"{length} bytes, {stated} stated" + (f"; {fault}" if fault else "")
    return Frame(head[1].decode(), unit[1].decode(), body[unit.end() : star], fault)


def pack(identifier: str, unit: str, content: bytes) -> bytes:
    """A message to the device."""
    body = b"," + unit.encode("ascii") + b"," + content + b"*"
    data = f"@@{identifier}{len(body) + 2 + len(END)}".encode("ascii") + body
    return data + f"{sum(data) & 0xFF:02X}".encode("ascii") + END


def recognised(start: bytes) -> bool | None:
    """Can a connection that begins with these bytes be this protocol?"""
    head = _HEAD.match(start)
    if head is None:
        return None if not start or _HEAD_BEGUN.fullmatch(start) else False
    rest = start[head.end() :]
    if _UNIT.match(rest):
        return True
    return None if len(rest) <= 20 and (not rest or rest.isdigit()) else False
