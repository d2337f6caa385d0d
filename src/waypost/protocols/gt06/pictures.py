"""Pictures: those that X1 announces (packet 35) and sends on request (36), those of WD-209 (41).

In no public document: taken from recorded packets and published decoders.
"""

from __future__ import annotations

from waypost.protocols.base import Decoded, ProtocolError
from waypost.protocols.gt06.envelope import pack
from waypost.protocols.gt06.position import read_time
from waypost.protocols.pieces import LARGEST
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Message

#: Pictures of one connection under way at once.
_MOST = 4
#: Bytes asked for at a time.
_PIECE = 1024
_REQUEST = 0x36


class _Picture:
    def __init__(self, size: int, time: int | None) -> None:
        self.size = size
        self.time = time
        self.data = bytearray()


class Pictures:
    """The pictures that a connection is sending."""

    def __init__(self) -> None:
        self._pictures: dict[int, _Picture] = {}

    def announced(self, content: bytes, offset: int) -> Decoded:
        """Packet 35: time, fix, camera, source, format, size, number. The first piece is asked
        for."""
        reader = Reader(content)
        time = read_time(reader, offset)
        reader.take(12, "place, camera, source and format")
        size = reader.number(4, "size of the picture")
        number = reader.number(4, "number of the picture")
        self._begin(number, size, time)
        return Decoded(reply=self._request(number))

    def piece(self, content: bytes) -> Decoded:
        """Packet 36 with two bytes of length: number, offset, size, bytes. The next piece is asked
        for; after the last one, a message with the picture (``gt06_picture``)."""
        reader = Reader(content)
        number = reader.number(4, "number of the picture")
        offset = reader.number(4, "offset")
        data = reader.take(reader.number(2, "size of the piece"), "piece")
        picture = self._pictures.get(number)
        if picture is None:
            return Decoded()  # announced on an earlier connection: it will be announced again
        if offset == len(picture.data):
            picture.data += data
        if len(picture.data) < picture.size:
            # A piece that came twice, or that does not fit, is asked for again.
            return Decoded(reply=self._request(number), reply_means_stored=True)
        return Decoded(messages=[self._end(number)])

    def block(self, content: bytes) -> list[Message] | None:
        """Packet 41: serial number, time, fix and cell, number, size, type, format, event, number
        of the block, bytes. None where the picture's first block did not come this way."""
        reader = Reader(content)
        reader.take(8, "serial number")
        time = reader.number(4, "time") * 1000
        reader.take(26, "fix and cell")
        number = reader.number(4, "number of the picture")
        size = reader.number(4, "size of the picture")
        if reader.number(1, "type") or reader.number(1, "format"):
            return []  # sound and video
        reader.take(1, "event")
        if reader.number(2, "number of the block") == 0:
            self._begin(number, size, time)
        picture = self._pictures.get(number)
        if picture is None:
            return None
        # The last two bytes are the block's own checksum.
        picture.data += reader.take(max(reader.left - 2, 0), "block")
        return [self._end(number)] if len(picture.data) >= picture.size else []

    def _begin(self, number: int, size: int, time: int | None) -> None:
        if not 0 < size <= LARGEST:
            raise ProtocolError(f"a picture of {size} bytes; {LARGEST} are the most")
        self._pictures.pop(number, None)
        while len(self._pictures) >= _MOST:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[number] = _Picture(size, time)

    def _request(self, number: int) -> bytes:
        """Asks for what comes next of a picture."""
        picture = self._pictures[number]
        have = len(picture.data)
        content = number.to_bytes(4, "big") + have.to_bytes(4, "big")
        content += min(picture.size - have, _PIECE).to_bytes(2, "big")
        return pack(_REQUEST, content, 0)

    def _end(self, number: int) -> Message:
        picture = self._pictures.pop(number)
        data = bytes(picture.data[: picture.size])
        return Message(picture.time, data, values={"gt06_picture": data})
