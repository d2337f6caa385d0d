"""A subscriber of live events that costs little: no library, and only what our server sends."""

from __future__ import annotations

import asyncio
from typing import Any

HANDSHAKE = (
    b"GET /event/subscription HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
PING, PONG = 0x89, b"\x8a\x80\0\0\0\0"


class Listener(asyncio.Protocol):
    """Says its wish (none: an empty one) once the connection is a WebSocket, and hears frames."""

    def __init__(self, wish: bytes) -> None:
        self._wish = wish
        self._buffer = bytearray()
        self._upgraded = False
        self.transport: asyncio.Transport

    def opened(self) -> None:
        """The connection is a WebSocket."""

    def hear(self, message: bytearray) -> None:
        """A message came."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._upgraded = True
            del buffer[: end + 4]
            self.opened()
            if self._wish:
                # Masked with zeros.
                head = b"\x81\xfe" + len(self._wish).to_bytes(2, "big") + bytes(4)
                self.transport.write(head + self._wish)
        at, size = 0, len(buffer)
        while size - at >= 2:
            length, head_size = buffer[at + 1], 2
            if length == 126:
                length, head_size = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head_size = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
            end = at + head_size + length
            if size < end:
                break
            if buffer[at] == PING:
                self.transport.write(PONG)
            else:
                self.hear(buffer[at + head_size : end])
            at = end
        del buffer[:at]
