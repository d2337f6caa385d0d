"""Pictures of a camera, which come in pieces: time, number of this piece, number of pieces, size,
bytes of a JPEG."""

from __future__ import annotations

import struct

from waypost.protocols.atrack.report import moment
from waypost.protocols.base import ProtocolError
from waypost.telemetry.message import Message

_PIECE = struct.Struct(">IBBH")
#: Largest picture, bytes.
LARGEST = 1 << 20


class Pictures:
    """The picture that a connection is sending."""

    def __init__(self) -> None:
        self._time = 0
        self._count = 0
        self._pieces: dict[int, bytes] = {}

    def take(self, data: bytes) -> list[Message]:
        """A piece; a message with the picture (``atrack_picture``) once all are there. A piece
        that comes again replaces itself; one of another picture begins that. Raises
        :class:`ProtocolError`."""
        if len(data) < _PIECE.size:
            raise ProtocolError(f"a piece of a picture with {len(data)} bytes")
        time, index, count, size = _PIECE.unpack_from(data)
        piece = data[_PIECE.size : _PIECE.size + size]
        if len(piece) < size or index >= count:
            raise ProtocolError(
                f"piece {index} of {count} of a picture has {len(piece)} of {size} bytes"
            )
        if (time, count) != (self._time, self._count):
            self._time, self._count = time, count
            self._pieces = {}
        self._pieces[index] = piece
        if sum(map(len, self._pieces.values())) > LARGEST:
            self._pieces = {}
            raise ProtocolError(f"a picture of more than {LARGEST} bytes")
        if len(self._pieces) < count:
            return []
        picture = b"".join(self._pieces[number] for number in range(count))
        self._pieces = {}
        return [Message(moment(time), picture, values={"atrack_picture": picture})]
