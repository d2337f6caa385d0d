"""Pictures of a camera, which come in pieces: time, number of this piece, number of pieces, size,
bytes of a JPEG."""

from __future__ import annotations

import struct

from waypost.protocols.atrack.report import moment
from waypost.protocols.base import ProtocolError
from waypost.protocols.pieces import Pieces
from waypost.telemetry.message import Message

_PIECE = struct.Struct(">IBBH")


class Pictures:
    """The picture that a connection is sending."""

    def __init__(self) -> None:
        self._pieces = Pieces()

    def take(self, data: bytes) -> list[Message]:
        """A piece; a message with the picture (``atrack_picture``) once all are there. Raises
        :class:`ProtocolError`."""
        if len(data) < _PIECE.size:
            raise ProtocolError(f"a piece of a picture with {len(data)} bytes")
        time, index, count, size = _PIECE.unpack_from(data)
        piece = data[_PIECE.size : _PIECE.size + size]
        if len(piece) < size:
            raise ProtocolError(f"a piece of a picture has {len(piece)} of {size} bytes")
        picture = self._pieces.add(time, count, index, piece)
        if picture is None:
            return []
        return [Message(moment(time), picture, values={"atrack_picture": picture})]
