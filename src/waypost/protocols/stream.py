"""Cuts a stream whose messages say where they end."""

from __future__ import annotations

from collections.abc import Callable

from waypost.protocols.base import ProtocolError


def cut(
    buffer: bytearray,
    size_at: Callable[[bytes, int], int | None],
    *,
    whole: bool,
    fill: bytes = b"",
) -> list[bytes]:
    """Takes messages off the front of ``buffer``. ``size_at`` says how many bytes the message has
    that begins at an index, or None where too few are there to say; ``whole``: the buffer is a
    datagram; ``fill``: bytes that may stand between messages.

    Raises :class:`ProtocolError` for a datagram that ends within a message, and what ``size_at``
    raises.
    """
    data = bytes(buffer)
    found: list[bytes] = []
    at, end = 0, len(data)
    try:
        while at < end:
            if data[at] in fill:
                at += 1
                continue
            size = size_at(data, at)
            if size is None or size > end - at:
                if whole:
                    raise ProtocolError(f"a datagram of {end} bytes is cut short")
                break
            found.append(data[at : at + size])
            at += size
    except ProtocolError:
        # What came before it is good, and it will be met again.
        if not found:
            raise
    del buffer[:at]
    return found
