"""Pictures that come in pieces."""

from __future__ import annotations

from waypost.protocols.base import ProtocolError

#: Largest picture, bytes.
LARGEST = 1 << 20


class Pieces:
    """The picture that a connection is sending in numbered pieces, from 0, in any order."""

    def __init__(self) -> None:
        self._picture: tuple[object, int] | None = None
        self._pieces: dict[int, bytes] = {}

    def add(self, name: object, count: int, number: int, data: bytes) -> bytes | None:
        """A piece of the picture ``name``, which has ``count`` of them; all of it once they are
        there. A piece that comes again replaces itself; one of another picture begins that.
        Raises :class:`ProtocolError` for what is no piece of it, and for too large a picture."""
        if number >= count:
            raise ProtocolError(f"piece {number} of a picture of {count}")
        if self._picture != (name, count):
            self._picture, self._pieces = (name, count), {}
        pieces = self._pieces
        pieces[number] = data
        if sum(map(len, pieces.values())) > LARGEST:
            self._pieces = {}
            raise ProtocolError(f"a picture of more than {LARGEST} bytes")
        if len(pieces) < count:
            return None
        self._pieces = {}
        return b"".join(pieces[number] for number in range(count))

    @property
    def missing(self) -> int:
        """The first piece that is not there."""
        return next(number for number in range(len(self._pieces) + 1) if number not in self._pieces)
