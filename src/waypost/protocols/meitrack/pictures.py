"""Pictures (``D00``), which the device sends in packets, eight for each request.

Source: Meitrack, GPRS protocol, "D00 Obtaining a picture": name, number of packets, number of this
packet, bytes.
"""

from __future__ import annotations

import re

from waypost.protocols.base import ProtocolError
from waypost.protocols.pieces import Pieces
from waypost.telemetry.message import Message

_PACKET = re.compile(rb"D00,([^,]{1,64}),([0-9]{1,5}),([0-9]{1,5}),", re.DOTALL)
#: Packets that the device sends before it waits for the next request.
_AT_ONCE = 8


class Pictures:
    """The picture that a connection is sending."""

    def __init__(self) -> None:
        self._pieces = Pieces()

    def take(self, content: bytes) -> tuple[Message | None, bytes | None]:
        """A packet: the message with the picture once all are there, and the next request. Raises
        :class:`ProtocolError`."""
        head = _PACKET.match(content)
        if head is None:
            raise ProtocolError(f"not a packet of a picture: {content[:40]!r}")
        name, count, index = head[1], int(head[2]), int(head[3])
        picture = self._pieces.add(name, count, index, content[head.end() :])
        if picture is not None:
            values = {"meitrack_picture": picture, "meitrack_picture_name": name.decode("latin-1")}
            return Message(None, picture, values=values), None
        if index == count - 1 or (index + 1) % _AT_ONCE == 0:
            return None, request(name, self._pieces.missing)
        return None, None


def request(name: bytes, packet: int) -> bytes:
    """Asks for a picture from a packet on."""
    return b"D00," + name + f",{packet}".encode("ascii")
