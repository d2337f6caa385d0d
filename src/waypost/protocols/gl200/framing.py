"""Cuts the stream of a Queclink device into messages.

Three forms share one port: text (ends with ``$``, in the GL100 and GT300 dialect with a zero
byte), HEX (``+RSP`` and other four-letter heads; length by head and mask, CRC-16 before CR LF),
and @Track Protocol Pro (``2B 00``, ``2D 00`` when buffered, ``2B 10`` heartbeat; ends with ``$``).
Source: @Track manuals, sections 3.1 and 4; GL601 @Track Protocol Pro, "Frames Format".
"""

from __future__ import annotations

import re

from fastcrc import crc16

from waypost.protocols.base import ProtocolError

TEXT_HEADS = (b"+RESP:", b"+BUFF:", b"+ACK:", b"+NACK:", b"+SACK:", b"+QRY:", b"AT+GTHBD=")
_HEX_HEAD = re.compile(rb"\+[A-Z]{3}")
_END = re.compile(rb"[$\0]")
#: Where a HEX head's length stands (offset, bytes) in the order to try.
_LENGTHS: dict[bytes, tuple[tuple[int, int], ...]] = {
    b"+ACK": ((6, 1),),
    b"+HBD": ((5, 1),),
    b"+ATI": ((4, 1),),
    b"+ACC": (),  # has none
    b"+INF": ((7, 2), (9, 2)),  # some models put an expansion mask before it
    b"+BNF": ((7, 2), (9, 2)),
    b"+CRD": ((6, 2),),
    b"+BRD": ((6, 2),),
    b"+LGN": ((6, 2),),
}
_LENGTH = ((9, 2),)
_SHORTEST_HEX = 16
#: What may stand between messages.
_FILL = b"\r\n\0 $"


def form(start: bytes | bytearray) -> str | None:
    """``text``, ``hex`` or ``pro`` by a message's first bytes; ``short``: more bytes decide;
    None: none of them."""
    if start[:1] in (b"+", b"-") and start[1:2] in (b"\0", b"\x10"):
        return "pro"
    for head in TEXT_HEADS:
        if start.startswith(head):
            return "text"
        if len(start) < len(head) and head.startswith(start):
            return "short"
    if start == b"-":
        return "short"
    if _HEX_HEAD.match(start):
        return "hex" if len(start) > 4 else "short"
    return "short" if re.match(rb"\+[A-Z]{0,2}$", start) else None


def crc_fits(frame: bytes | bytearray) -> bool:
    """Does a HEX frame's CRC-16 (CCITT-FALSE, from after the head) fit?"""
    return crc16.ibm_3740(bytes(frame[4:-4])) == int.from_bytes(frame[-4:-2], "big")


def cut(buffer: bytearray, longest: int, *, begun: bool, whole: bool) -> list[bytes]:
    """Takes messages off the front of ``buffer``. ``begun``: this connection sent messages before,
    so text without a head is the rest of one whose payload held a ``$``, and is dropped.
    ``whole``: the buffer is a datagram, whose end ends a message too.

    Raises :class:`ProtocolError` for bytes that begin no message, or one over ``longest``.
    """
    found: list[bytes] = []
    start = 0
    try:
        while True:
            while start < len(buffer) and buffer[start] in _FILL:
                start += 1
            if start == len(buffer):
                return found
            end, keep = _end(buffer, start, longest, begun or bool(found), whole)
            if end is None:
                return found
            if keep:
                found.append(bytes(buffer[start:end]))
            start = end
    except ProtocolError:
        if not found:
            raise
        return found
    finally:
        del buffer[:start]


def _end(
    buffer: bytearray, start: int, longest: int, begun: bool, whole: bool
) -> tuple[int | None, bool]:
    """Where the message at ``start`` ends (None: more bytes are needed) and whether it is one."""
    kind = form(bytes(buffer[start : start + 9]))
    if kind == "short" and not whole:
        return None, False
    if kind == "pro":
        return _pro_end(buffer, start, longest), True
    if kind == "hex":
        return _hex_end(buffer, start, longest), True
    if kind is None and not begun:
        shown = bytes(buffer[start : start + 12])
        raise ProtocolError(f"expected +RESP:, +BUFF:, +ACK: or a binary head, got {shown!r}")
    match = _END.search(buffer, start, start + longest)
    if match is not None:
        return match.start(), kind == "text"
    if len(buffer) - start >= longest:
        raise ProtocolError(f"text message without $ or zero byte in {longest} bytes")
    return (len(buffer) if whole else None), kind == "text"


def _pro_end(buffer: bytearray, start: int, longest: int) -> int | None:
    heartbeat = buffer[start + 1] == 0x10
    if len(buffer) - start < 4:
        return None
    length = int.from_bytes(buffer[start + 2 : start + (3 if heartbeat else 4)], "big")
    if not 23 <= length <= longest:
        raise ProtocolError(f"Protocol Pro frame of {length} bytes, may be 23 to {longest}")
    end = start + length
    if len(buffer) < end:
        return None
    if buffer[end - 1] != 0x24:
        raise ProtocolError(f"Protocol Pro frame ends with {buffer[end - 1]:02x}, not 24")
    return end


def _hex_end(buffer: bytearray, start: int, longest: int) -> int | None:
    head = bytes(buffer[start : start + 4])
    have = len(buffer) - start
    if have < 11:
        return None
    if not _length_sent(head, bytes(buffer[start : start + 11])):
        return _checked_end(buffer, start, longest)
    lengths = [
        int.from_bytes(buffer[start + offset : start + offset + size], "big")
        for offset, size in _LENGTHS.get(head, _LENGTH)
    ]
    possible = [length for length in lengths if _SHORTEST_HEX <= length <= longest]
    if not possible:
        raise ProtocolError(f"{head.decode()} of {lengths[0]} bytes, may be 16 to {longest}")
    ended = []
    for length in possible:
        if length > have:
            continue
        end = start + length
        if buffer[end - 2 : end] == b"\r\n":
            if len(possible) == 1 or crc_fits(buffer[start:end]):
                return end
            ended.append(end)
    if have < max(possible):
        return None
    if ended:
        return ended[0]
    raise ProtocolError(f"{head.decode()} of {possible[0]} bytes does not end with CR LF")


def _length_sent(head: bytes, start: bytes) -> bool:
    """Says the mask that the frame states its length?"""
    if head in (b"+INF", b"+BNF"):
        return bool(start[6] & 1)
    if head == b"+HBD":
        return bool(start[4] & 1)
    if head in (b"+RSP", b"+BSP", b"+EVT", b"+BVT"):
        return bool(start[8] & 0x80)
    return bool(_LENGTHS.get(head, _LENGTH))


def _checked_end(buffer: bytearray, start: int, longest: int) -> int | None:
    """The end of a frame that states no length: the first CR LF behind a fitting CRC."""
    at = start + _SHORTEST_HEX - 2
    while (at := buffer.find(b"\r\n", at, start + longest)) >= 0:
        if crc_fits(buffer[start : at + 2]):
            return at + 2
        at += 1
    if len(buffer) - start >= longest:
        raise ProtocolError(f"binary message without CRC and CR LF in {longest} bytes")
    return None
