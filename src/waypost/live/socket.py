"""One WebSocket: an asyncio protocol that uvicorn hands a connection to.

The ``websockets`` library reads the handshake and the client's frames, without I/O. What goes out
is written as finished frames: a frame is made once and written to thousands of connections. There
is no task and no queue for a connection, so an idle one costs a few kilobytes; while a client does
not read, ``paused`` is true and whoever writes waits for ``writable``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import structlog
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from waypost.live.server import Live

log = structlog.get_logger(__name__)

#: Bytes that may wait for a client before it counts as slow; at a quarter it is written to again.
HIGH_WATER = 64 * 1024
#: Bytes that the kernel may keep for a client: more would be old news by the time they arrive.
SEND_BUFFER = 128 * 1024

#: The library's own log says when a connection opens and closes; metrics do, too.
_quiet = logging.getLogger("waypost.live")
_quiet.setLevel(logging.WARNING)


class Endpoint:
    """What a WebSocket is used for. Methods are called on the event loop, and do not wait."""

    __slots__ = ()

    #: For metrics.
    kind = "none"

    def opened(self, socket: Socket) -> None:
        """The handshake is done."""
        raise NotImplementedError

    def message(self, data: bytes) -> None:
        """A message of the client, of whatever kind."""
        raise NotImplementedError

    def writable(self) -> None:
        """The client reads again."""
        raise NotImplementedError

    def beat(self, now: float) -> None:
        """Called every few seconds (``now`` is the loop's time)."""
        raise NotImplementedError

    def closed(self) -> None:
        """The connection is gone."""
        raise NotImplementedError


class Rejected(Exception):
    """No WebSocket here: an HTTP reply instead, of the API's form."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Socket(asyncio.Protocol):
    """One connection. Its endpoint writes with :meth:`write` and ends it with :meth:`close`."""

    __slots__ = (
        "_closing_since",
        "_connections",
        "_held",
        "_live",
        "_loop",
        "_opening",
        "_parts",
        "_protocol",
        "_transport",
        "endpoint",
        "heard",
        "paused",
        "pinged",
    )

    def __init__(self, live: Live, connections: set[Any]) -> None:
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._connections = connections
        self._protocol = ServerProtocol(max_size=live.settings.live_message, logger=_quiet)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parts: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None
        self._closing_since: float | None = None
        self._held = False
        self.endpoint: Endpoint | None = None
        #: When the client last said, or took, something (loop time), and when it was asked to.
        self.heard = self._loop.time()
        self.pinged = 0.0
        #: The client does not read what was written.
        self.paused = False

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(HIGH_WATER)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._connections.add(self)
        self._live.sockets.add(self)

    def data_received(self, data: bytes) -> None:
        self.heard = self._loop.time()
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif isinstance(event, Request):
                self._opening = self._loop.create_task(self._open(event))
        self._write_out()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._write_out()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._live.sockets.discard(self)
        if self._opening is not None:
            self._opening.cancel()
        self._ended()

    def pause_writing(self) -> None:
        # Nothing more is read either: what a client asks for is answered once it has read the rest.
        self.paused = True
        self._hold()

    def resume_writing(self) -> None:
        self.paused = False
        self.heard = self._loop.time()
        self._hold()
        if self.endpoint is not None:
            self.endpoint.writable()

    def shutdown(self) -> None:
        """The server ends (uvicorn's word)."""
        self.close(1001, "the server stops")
        self._transport.close()

    # The handshake.

    async def _open(self, request: Request) -> None:
        try:
            response = self._protocol.accept(request)
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                self._respond(response)
                return
            try:
                endpoint = await self._live.open(request, self.peer)
            except Rejected as rejected:
                self._reject(rejected)
                return
            except Exception as error:  # noqa: BLE001 - the rim: whatever it was, a reply goes out
                self._reject(self._live.rejection(error))
                return
            if self._transport.is_closing():
                return
            self._respond(response)
            self.endpoint = endpoint
            self._live.opened(endpoint)
            endpoint.opened(self)
        finally:
            self._opening = None

    def _reject(self, rejected: Rejected) -> None:
        response = self._protocol.reject(rejected.status, rejected.body.decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json; charset=utf-8"
        self._respond(response)

    def _respond(self, response: Response) -> None:
        self._protocol.send_response(response)
        self._write_out()

    @property
    def peer(self) -> str:
        """The other end's address."""
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if isinstance(name, tuple) else ""

    # Frames.

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self._parts = [bytes(frame.data)]
        elif opcode is Opcode.CONT:
            self._parts.append(bytes(frame.data))
        else:  # pings are answered, and a close is returned, by the library
            return
        if frame.fin:
            parts, self._parts = self._parts, []
            if self.endpoint is not None:
                self._live.metrics.received += 1
                self.endpoint.message(parts[0] if len(parts) == 1 else b"".join(parts))

    def _write_out(self) -> None:
        """Writes what the library has to say, and ends the connection where that is due."""
        out = self._protocol.data_to_send()
        if out:
            self._transport.write(b"".join(out))
        if b"" in out:
            self._transport.close()
            self._ended()

    @property
    def open(self) -> bool:
        return self._protocol.state is OPEN and not self._transport.is_closing()

    def write(self, frame: bytes) -> None:
        """Writes a finished frame; nothing where the connection is closing."""
        if self.open:
            self._transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Says good-bye; the client ends the connection, or :meth:`beat` does."""
        if self._protocol.state is not OPEN:
            if self.endpoint is None:
                self._transport.close()
            return
        self._protocol.send_close(code, reason)
        self._closing_since = self._loop.time()
        self._write_out()
        self._ended()

    def hold(self, held: bool) -> None:
        """Reads no more of the client until it is let go."""
        self._held = held
        self._hold()

    def _hold(self) -> None:
        if self._transport.is_closing():
            return
        if self._held or self.paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _ended(self) -> None:
        endpoint, self.endpoint = self.endpoint, None
        if endpoint is not None:
            self._live.ended(endpoint)
            endpoint.closed()

    # Time.

    def beat(self, now: float, patience: float) -> None:
        """Pings a client that was silent for ``patience`` seconds, and ends one that was for twice
        as long, or that does not end a closed connection."""
        silent = now - self.heard
        if self._closing_since is not None:
            if now - self._closing_since > patience:
                self._transport.abort()
        elif silent > 2 * patience:
            self._live.metrics.gone += 1
            self._transport.abort()
        elif self.endpoint is not None:
            if silent > patience and now - self.pinged > patience and self.open:
                self.pinged = now
                self._protocol.send_ping(b"")
                self._write_out()
            self.endpoint.beat(now)
