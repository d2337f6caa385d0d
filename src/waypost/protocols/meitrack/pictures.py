"""Pictures (``D00``), which the device sends in packets, eight for each request.

Source: Meitrack, GPRS protocol, "D00 Obtaining a picture": name, number of packets, number of this
packet, bytes.
"""

from __future__ import annotations

import re

from waypost.protocols.base import ProtocolError
from waypost.telemetry.message import Message

_PACKET = re.compile(rb"D00,([^,]{1,64}),([0-9]{1,5}),([0-9]{1,5}),", re.DOTALL)
#: Packets that the device sends before it waits for the next request.
_AT_ONCE = 8
#: Largest picture, bytes.
LARGEST = 1 << 20


class Pictures:
    """The picture that a connection is sending."""

    def __init__(self) -> None:
        self._name = b""
        self._count = 0
        self._packets: dict[int, bytes] = {}

    def take(self, content: bytes) -> tuple[Message | None, bytes | None]:
        """A packet: the message with the picture once all are there, and the next request. Raises
        :class:`ProtocolError`."""
        head = _PACKET.match(content)
        if head is None:
            raise ProtocolError(f"not a packet of a picture: {content[:40]!r}")
        name, count, index = head[1], int(head[2]), int(head[3])
        if index >= count:
            raise ProtocolError(f"packet {index} of a picture of {count}")
        if (name, count) != (self._name, self._count):
            self._name, self._count, self._packets = name, count, {}
        self._packets[index] = content[head.end() :]
        if sum(map(len, self._packets.values())) > LARGEST:
            self._packets = {}
            raise ProtocolError(f"a picture of more than {LARGEST} bytes")
        if len(self._packets) == count:
            picture = b"".join(self._packets[number] for number in range(count))
            self._packets = {}
            values = {"meitrack_picture": picture, "meitrack_picture_name": name.decode("latin-1")}
            return Message(None, picture, values=values), None
        if index == count - 1 or (index + 1) % _AT_ONCE == 0:
            missing = next(number for number in range(count) if number not in self._packets)
            return None, request(name, missing)
        return None, None


def request(name: bytes, packet: int) -> bytes:
    """Asks for a picture from a packet on."""
    return b"D00," + name + f",{packet}".encode("ascii")
