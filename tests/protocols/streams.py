"""Streams that arrive in pieces."""

from __future__ import annotations

from waypost.protocols.base import Protocol


def in_pieces(protocol: Protocol, stream: bytes, size: int) -> tuple[list[bytes], bytes]:
    """The frames of a stream that comes ``size`` bytes at a time, and what is left of it."""
    buffer, frames = bytearray(), []
    for at in range(0, len(stream), size):
        buffer += stream[at : at + size]
        frames += protocol.frames(buffer)
    return frames, bytes(buffer)
