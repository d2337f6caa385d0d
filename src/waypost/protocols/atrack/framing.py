"""Cuts the stream of an ATrack device into reports, keep-alives and answers (the package says how
each begins), and finds the next one where bytes are lost or a report in ASCII states a wrong
length.
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
    rb"@[A-Za-z],[0-9A-Fa-f]{1,4},[0-9]{1,5},|(?<=[\n\0])(?:\xfe\x02|\$[A-Z]|@[A-Za-z]|"
    rb"[^0-9,\r\n\0][^,\r\n],[0-9A-Fa-f]{1,4},[0-9]{1,5},)"
)
_PADDING = b"\r\n\0"
_LINE_END = re.compile(rb"\r?\n")


def cut(buffer: bytearray, longest: int, *, begun: bool, whole: bool) -> list[bytes]:
    """Takes messages off the front of ``buffer``. ``begun``: this connection sent messages before,
    so what can be none is what is left of one: it is cut off before the next message, and decoding
    it says that it is none. ``whole``: the buffer is a datagram.

    Raises :class:`ProtocolError` for bytes that begin no message, or one over ``longest``.
    """
    found: list[bytes] = []
    at, end = 0, len(buffer)
    try:
        while True:
            while at < end and buffer[at] in _PADDING:
                at += 1
            following = None
            try:
                size = _size(buffer, at, longest, whole)
                if not 0 < size <= end - at:
                    following = _REPORT.search(buffer, at + 1)
            except ProtocolError:
                following = _NEXT.search(buffer, at + 1)
                refused = following is None and (whole or end - at > longest)
                if refused or not (begun or found):
                    raise
                size = 0
            if following is not None and (begun or found):
                size = following.start() - at
            if not 0 < size <= end - at:
                break
            found.append(bytes(buffer[at : at + size]))
            at += size
    except ProtocolError:
        # What came before it is good, and it will be met again.
        if not found:
            raise
    del buffer[:at]
    return found


def _size(buffer: bytearray, at: int, longest: int, whole: bool) -> int:
    """Bytes of the message that begins at ``at``; 0: they cannot be known yet."""
    left = len(buffer) - at
    if left < 2:
        return 0
    if buffer.startswith(KEEP_ALIVE, at):
        return KEEP_ALIVE_SIZE
    if buffer[at] == _DOLLAR:
        size = buffer.find(b"\n", at) + 1 - at
        if size <= 0 and whole:
            size = left
        if size > longest or (size <= 0 and left > longest):
            raise ProtocolError(f"an answer longer than {longest} bytes")
        return max(size, 0)
    if left > 2 and buffer[at + 2] == 0x2C:  # a comma, or a CRC that begins so
        start = bytes(buffer[at : at + TEXT_HEADER])
        text = TEXT.match(start)
        if text is not None:
            return _text_size(buffer, at, text, longest, whole)
        if left < TEXT_HEADER and _TEXT_BEGUN.fullmatch(start):
            return 0
    return _binary_size(buffer, at, longest) if left >= 6 else 0


def _binary_size(buffer: bytearray, at: int, longest: int) -> int:
    length = int.from_bytes(buffer[at + 4 : at + 6], "big")
    size = 6 + length
    if length < 10:
        raise ProtocolError(f"a report of {length} bytes has no room for sequence and unit id")
    if size > longest:
        raise ProtocolError(f"a report of {size} bytes; {longest} are the most")
    if len(buffer) - at >= size:
        check_prefix(bytes(buffer[at : at + size]))
    return size


def check_prefix(frame: bytes) -> None:
    """Of a report in binary: a prefix that somebody chose may be anything, and only the CRC tells
    that it is one. Raises :class:`ProtocolError`."""
    if frame[0] != _AT and arc(frame[4:]) != int.from_bytes(frame[2:4], "big"):
        raise ProtocolError(f"neither a report nor an answer begins with {frame[:2].hex()}")


def _text_size(buffer: bytearray, at: int, head: re.Match[bytes], longest: int, whole: bool) -> int:
    """Of a report in ASCII: what it states, unless that is wrong. Then it ends before the next
    message, or with the line up to which its CRC fits."""
    end, stated = len(buffer), at + head.end() - 1 + int(head[2])
    if stated - at > longest:
        raise ProtocolError(f"a report of {stated - at} bytes; {longest} are the most")
    if stated <= end:
        last = buffer[stated - 1]
        inside = _NEXT.search(buffer, at + head.end(), stated)
        goes_on = buffer[stated : stated + 1].isdigit()  # with another record
        if (last in b"\n\0" and inside is None and not goes_on) or _fits(buffer[at:stated], head):
            return stated - at
        line_end = _LINE_END.match(buffer, stated - (last in b"\r"))
        if line_end is not None:
            return line_end.end() - at
    following = _NEXT.search(buffer, at + head.end())
    if following is not None:
        report = buffer[at : following.start()]
        size = len(report.rstrip(_PADDING))
        return size + (2 if report[size : size + 2] == b"\r\n" else report[size:] != b"")
    if whole:
        return end - at
    line = buffer.rfind(b"\n", at) + 1
    if line and not buffer[line : line + 1].isdigit() and _fits(buffer[at:line], head):
        return line - at
    if end - at > longest:
        raise ProtocolError(f"a report that does not end within {longest} bytes")
    return 0


def _fits(report: bytearray, head: re.Match[bytes]) -> bool:
    return arc(bytes(report[head.start(2) - 1 :])) == int(head[1], 16)
