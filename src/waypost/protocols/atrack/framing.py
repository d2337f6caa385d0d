"""Where reports, keep-alives and answers end in the stream of an ATrack device (the package says
how each begins), and where the next one begins where bytes are lost or a report in ASCII states a
wrong length.
"""

from __future__ import annotations

import re

from fastcrc.crc16 import arc

from waypost.protocols.base import ProtocolError

KEEP_ALIVE = b"\xfe\x02"
KEEP_ALIVE_SIZE = 12
_AT, _DOLLAR = 0x40, 0x24

#: Prefix, CRC and length of a report in ASCII; the length counts from the comma after it.
TEXT = re.compile(rb"..,([0-9A-Fa-f]{1,4}),([0-9]{1,5}),", re.DOTALL)
TEXT_HEADER = 14
#: What may still become one.
_TEXT_BEGUN = re.compile(rb"..,[0-9A-Fa-f]{0,4}(?:(?<!,),[0-9]{0,5})?", re.DOTALL)
#: One that stands where it should not: records have no such thing.
_REPORT = re.compile(rb"@[A-Za-z],[0-9A-Fa-f]{1,4},[0-9]{1,5},")
#: The same, and what a line or padding may be followed by that is no record: those begin with a
#: number.
_NEXT = re.compile(
    _REPORT.pattern + rb"|(?<=[\n\0])(?:\xfe\x02|\$[A-Z]|@[A-Za-z]|"
    rb"[^0-9,\r\n\0][^,\r\n],[0-9A-Fa-f]{1,4},[0-9]{1,5},)"
)
PADDING = b"\r\n\0"
_LINE_END = re.compile(rb"\r?\n")


def message_size(data: bytes, at: int, longest: int, *, begun: bool, whole: bool) -> int | None:
    """Bytes of the message that begins at ``at``; None: they cannot be known yet. ``begun``: this
    connection sent messages before, so what can be none is what is left of one: it goes as far as
    the next message, and decoding it says that it is none. ``whole``: the data is a datagram.

    Raises :class:`ProtocolError` for bytes that begin no message, or one over ``longest``.
    """
    left = len(data) - at
    try:
        size = _size(data, at, longest, whole)
    except ProtocolError:
        following = _NEXT.search(data, at + 1)
        if not begun or (following is None and (whole or left > longest)):
            raise
        size = 0
    else:
        incomplete = begun and not 0 < size <= left
        following = _REPORT.search(data, at + 1) if incomplete else None
    return following.start() - at if following is not None else size or None


def _size(data: bytes, at: int, longest: int, whole: bool) -> int:
    """Bytes of the message that begins at ``at``; 0: they cannot be known yet."""
    left = len(data) - at
    if left < 2:
        return 0
    if data.startswith(KEEP_ALIVE, at):
        return KEEP_ALIVE_SIZE
    if data[at] == _DOLLAR:
        size = data.find(b"\n", at) + 1 - at
        if size <= 0 and whole:
            size = left
        if size > longest or (size <= 0 and left > longest):
            raise ProtocolError(f"an answer longer than {longest} bytes")
        return max(size, 0)
    if left > 2 and data[at + 2] == 0x2C:  # a comma, or a CRC that begins so
        start = data[at : at + TEXT_HEADER]
        text = TEXT.match(start)
        if text is not None:
            return _text_size(data, at, text, longest, whole)
        if left < TEXT_HEADER and _TEXT_BEGUN.fullmatch(start):
            return 0
    return _binary_size(data, at, longest) if left >= 6 else 0


def _binary_size(data: bytes, at: int, longest: int) -> int:
    length = int.from_bytes(data[at + 4 : at + 6], "big")
    size = 6 + length
    if length < 10:
        raise ProtocolError(f"a report of {length} bytes has no room for sequence and unit id")
    if size > longest:
        raise ProtocolError(f"a report of {size} bytes; {longest} are the most")
    if len(data) - at >= size:
        check_prefix(data[at : at + size])
    return size


def check_prefix(frame: bytes) -> None:
    """Of a report in binary: a prefix that somebody chose may be anything, and only the CRC tells
    that it is one. Raises :class:`ProtocolError`."""
    if frame[0] != _AT and arc(frame[4:]) != int.from_bytes(frame[2:4], "big"):
        raise ProtocolError(f"neither a report nor an answer begins with {frame[:2].hex()}")


def _text_size(data: bytes, at: int, head: re.Match[bytes], longest: int, whole: bool) -> int:
    """Of a report in ASCII: what it states, unless that is wrong. Then it ends before the next
    message, or with the line up to which its CRC fits."""
    end, stated = len(data), at + head.end() - 1 + int(head[2])
    if stated - at > longest:
        raise ProtocolError(f"a report of {stated - at} bytes; {longest} are the most")
    if stated <= end:
        last = data[stated - 1]
        inside = _NEXT.search(data, at + head.end(), stated)
        goes_on = data[stated : stated + 1].isdigit()  # with another record
        if (last in b"\n\0" and inside is None and not goes_on) or _fits(data[at:stated], head):
            return stated - at
        line_end = _LINE_END.match(data, stated - (last in b"\r"))
        if line_end is not None:
            return line_end.end() - at
    following = _NEXT.search(data, at + head.end())
    if following is not None:
        report = data[at : following.start()]
        size = len(report.rstrip(PADDING))
        return size + (2 if report[size : size + 2] == b"\r\n" else report[size:] != b"")
    if whole:
        return end - at
    line = data.rfind(b"\n", at) + 1
    if line and not data[line : line + 1].isdigit() and _fits(data[at:line], head):
        return line - at
    if end - at > longest:
        raise ProtocolError(f"a report that does not end within {longest} bytes")
    return 0


def _fits(report: bytes, head: re.Match[bytes]) -> bool:
    return arc(report[head.start(2) - 1 :]) == int(head[1], 16)
