"""The frame of a packet: where it ends in the stream, its checksum, and packets to the device.

``78 78``, length (1 byte), protocol number, content, serial number (2), CRC-ITU (2), ``0D 0A``;
with ``79 79`` the length has 2 bytes. It counts from the protocol number to the CRC; the CRC is
over length to serial number. Sources: Concox, "GT06 GPS Tracker Communication Protocol" v1.8.1,
chapter IV; "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "General Packet Format".

Cheap trackers that speak the same dialect also send two packets without serial number and CRC: a
heartbeat (length 1, number 08), and scans of access points and cells (17, 69), in which the
length's place holds the number of access points.
"""

from __future__ import annotations

from typing import NamedTuple

from fastcrc import crc16

from waypost.protocols.base import ProtocolError

SHORT, LONG = b"\x78\x78", b"\x79\x79"
END = b"\r\n"
#: Protocol number of the bare heartbeat, and those of bare scans.
BARE_HEARTBEAT = 0x08
BARE_SCANS = frozenset((0x17, 0x69))
#: Serial number and CRC.
_TAIL = 4
#: Where the count of cells stands in a bare scan without access points, and the bytes of an access
#: point, of a cell, and of the network's codes.
_SCAN_CELLS, _POINT, _CELL, _NETWORK = 10, 7, 5, 3


class Packet(NamedTuple):
    """A packet without its frame."""

    kind: int
    long: bool
    content: bytes
    serial: int
    #: What is wrong with its length or checksum.
    fault: str | None = None
    #: A packet without serial number and checksum.
    bare: bool = False


def frame_size(data: bytes, at: int, longest: int) -> int | None:
    """Bytes of the frame that begins at ``at``; None where too few are there to say. Raises
    :class:`ProtocolError` for what cannot begin one, and for one longer than ``longest``."""
    have = len(data) - at
    head = data[at : at + 2]
    if head not in (SHORT, LONG) and not (have == 1 and head in (b"\x78", b"\x79")):
        raise ProtocolError(f"a packet begins with 7878 or 7979, not with {head.hex()}")
    if have < 5:
        return None
    stated = _stated_size(data, at)
    if stated > longest:
        raise ProtocolError(f"a packet of {stated} bytes; {longest} are the most")
    if have < stated:
        return None
    if head == SHORT and data[at + 3] in BARE_SCANS:
        if have < _SCAN_CELLS:
            return None
        if _is_bare(data, at, stated):
            return _scan_size(data, at, have)
    if data[at + stated - 2 : at + stated] == END:
        return stated
    # A wrong length: the end's mark decides.
    if have < stated + 2:
        return None
    if data[at + stated : at + stated + 2] == END:
        return stated + 2
    mark = data.find(END, at + 5)
    if mark < 0 and have > longest:
        raise ProtocolError(f"a packet that does not end within {longest} bytes")
    return mark + 2 - at if mark >= 0 else None


def _stated_size(data: bytes, at: int) -> int:
    if data[at] == SHORT[0]:
        return 5 + data[at + 2]
    return 6 + int.from_bytes(data[at + 2 : at + 4], "big")


def _is_bare(data: bytes, at: int, stated: int) -> bool:
    """Is the scan at ``at`` a bare one? Its time is in decimal digits, and taken as an ordinary
    packet of ``stated`` bytes it would have no end and a wrong checksum."""
    if not data[at + 4 : at + 10].hex().isdigit():
        return False
    if stated < 10 or data[at + stated - 2 : at + stated] != END:
        return True
    crc = crc16.ibm_sdlc(data[at + 2 : at + stated - 4])
    return crc != int.from_bytes(data[at + stated - 4 : at + stated - 2], "big")


def _scan_size(data: bytes, at: int, have: int) -> int | None:
    """Bytes of a bare scan."""
    cells = _SCAN_CELLS + data[at + 2] * _POINT
    if have <= cells:
        return None
    size = cells + 1 + _NETWORK + data[at + cells] * _CELL + len(END)
    if have < size:
        return None
    if data[at + size - 2 : at + size] != END:
        raise ProtocolError(f"a scan of access points and cells does not end after {size} bytes")
    return size


def unpack(frame: bytes) -> Packet:
    """What is in a frame. Raises :class:`ProtocolError` where nothing can be."""
    if frame[:2] not in (SHORT, LONG) or len(frame) < 5:
        raise ProtocolError(f"not a packet: {frame[:8].hex()}")
    long = frame[:2] == LONG
    start = 5 if long else 4
    body = frame[: -len(END)] if frame.endswith(END) else frame
    stated = _stated_size(frame, 0)
    if not long and frame[3] in BARE_SCANS and _is_bare(frame, 0, stated):
        return Packet(frame[3], False, body[start:], 0, bare=True)
    if not long and frame[3] == BARE_HEARTBEAT and frame[2] == 1:
        return Packet(frame[3], False, b"", 0, bare=True)
    if len(body) < start:
        raise ProtocolError(f"not a packet: {frame[:8].hex()}")
    kind = frame[start - 1]
    given, crc = int.from_bytes(body[-2:], "big"), crc16.ibm_sdlc(body[2:-2])
    if given == crc and len(body) >= start + _TAIL:
        return Packet(kind, long, body[start:-_TAIL], int.from_bytes(body[-4:-2], "big"))
    if stated != len(frame):
        # Cut short, most likely: nothing says what of it is serial number and checksum.
        fault = f"{len(frame)} bytes, {stated} stated"
        return Packet(kind, long, body[start:], 0, fault)
    if len(body) < start + _TAIL:
        raise ProtocolError(f"{len(frame)} bytes have no room for serial number and checksum")
    fault = f"checksum {given:04x} stated, {crc:04x} computed"
    return Packet(kind, long, body[start:-_TAIL], int.from_bytes(body[-4:-2], "big"), fault)


def pack(kind: int, content: bytes, serial: int, *, long: bool = False) -> bytes:
    """A packet to the device."""
    length = 1 + len(content) + _TAIL
    body = (length.to_bytes(2, "big") if long else bytes((length,))) + bytes((kind,)) + content
    body += serial.to_bytes(2, "big")
    crc = crc16.ibm_sdlc(body)
    return (LONG if long else SHORT) + body + crc.to_bytes(2, "big") + END
