"""Devices over TCP (and TLS)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waypost.gateway.connection import Connection, Reply
from waypost.gateway.logs import limited
from waypost.protocols.base import HttpReply, Protocol, ProtocolError, Transport

if TYPE_CHECKING:
    from waypost.gateway.auto import AutoConnection
    from waypost.gateway.gateway import Gateway

#: Bytes read ahead of decoding before the socket is left alone, beyond one frame.
AHEAD = 64 * 1024
#: The system asks a silent peer for a sign of life after so many seconds.
KEEPALIVE = 300
#: Seconds that a device has to take the last bytes and close its side.
LINGER = 1.0
BY_DEVICE = "closed by the device"


def peer_of(transport: asyncio.BaseTransport) -> tuple[str, int]:
    """Address and port at the other end; an IPv4 address is written as one."""
    name = transport.get_extra_info("peername") or ("unknown", 0)
    return plain_host(name[0]), name[1]


def plain_host(host: str) -> str:
    """``host`` without the prefix of an IPv4 address in an IPv6 socket."""
    return host.removeprefix("::ffff:") if "." in host else host


Maker = Callable[["Gateway", str, int], "StreamConnection | AutoConnection"]
"""Makes what handles a connection from its address and port."""


class StreamConnection(Connection, asyncio.Protocol):
    """A connection over a byte stream: reading held and taken up again, writing, shutting."""

    __slots__ = ("ended", "gone", "held", "transport")

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        super().__init__(gateway, protocol, host, port)
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # until it is made
        #: Reading is paused.
        self.held = False
        #: The device will send no more, and may still read.
        self.ended = False
        #: The connection is lost, and why: what was read before is still worth storing.
        self.gone: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = BY_DEVICE if exc is None else f"connection lost: {exc}"
        self.choked = False
        self.gateway.pump.add(self)

    def eof_received(self) -> bool:
        if self.closed or self.transport.get_extra_info("ssl_object") is not None:
            return False  # TLS has no half-closed state
        self.ended = True
        self.gateway.pump.add(self)
        return True

    def _end_if_settled(self) -> None:
        """Ends a connection whose device is gone, once all that it sent is taken care of."""
        if self.closed or self.waiting or self.queued or self.todo:
            return
        if self.gone is not None:
            self.end(self.gone)
        elif self.ended and not self.pending:
            self.close(BY_DEVICE, usual=True)

    def pause_writing(self) -> None:
        self.choked = True

    def resume_writing(self) -> None:
        self.choked = False
        self.gateway.pump.add(self)

    def hold(self) -> None:
        """Leaves what comes in the socket."""
        if not self.held and not self.transport.is_closing():
            self.held = True
            self.transport.pause_reading()

    def idle(self) -> None:
        if self.held and not self.gateway.stopping and not self.transport.is_closing():
            self.held = False
            self.transport.resume_reading()
        if self.ended or self.gone is not None:
            self._end_if_settled()

    def flush(self) -> None:
        super().flush()
        if self.ended or self.gone is not None:
            self._end_if_settled()

    def write(self, data: bytes) -> None:
        """Sends bytes, unless the connection is over."""
        if not self.closed and self.gone is None:
            self.transport.write(data)
            self.said(data)

    @property
    def can_command(self) -> bool:
        return self.protocol.commands and not (self.closed or self.ended or self.gone)

    def discard(self) -> None:
        """From now on what comes is read and thrown away: bytes left in the socket when it is
        closed would make the system take back what was just written."""
        if self.held and not self.transport.is_closing():
            self.held = False
            self.transport.resume_reading()

    def shut(self) -> None:
        transport = self.transport
        if transport.is_closing() or transport.get_extra_info("ssl_object") is not None:
            transport.close()
            return
        self.discard()
        transport.write_eof()
        self.gateway.loop.call_later(LINGER, transport.close)

    def abort(self) -> None:
        """Ends at once, whatever is still to be written."""
        self.transport.abort()


class TcpConnection(StreamConnection):
    """A device on a TCP connection of its protocol."""

    __slots__ = ("buffer",)

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        super().__init__(gateway, protocol, host, port)
        self.buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        if self.closed or self.gateway.stopping:
            return
        self.heard(data)
        self.buffer += data
        if (
            self.blocked
            or self.gateway.pump.stalled
            or len(self.buffer) > AHEAD + self.protocol.max_frame
        ):
            self.hold()
        self.gateway.pump.add(self)

    def cut(self) -> bool:
        buffer = self.buffer
        if not buffer:
            return False
        try:
            self.todo += self.protocol.frames(buffer)
            if not self.todo and len(buffer) > self.protocol.max_frame:
                raise ProtocolError(
                    f"no frame ends within {self.protocol.max_frame} bytes, "
                    f"{len(buffer)} have arrived"
                )
        except ProtocolError as error:
            self.counters.errors += 1
            self.fault(None, str(error) or "not this protocol's bytes")
        except Exception:
            self.counters.errors += 1
            self.gateway.log.exception("framer_failed", protocol=self.protocol.name)
            self.fault(None, "internal error in the framer")
        return bool(self.todo)

    def answer(self, frame: Any, reply: Reply) -> None:
        if reply is not None:
            self.write(reply.body if isinstance(reply, HttpReply) else reply)

    def command(self, data: bytes) -> None:
        self.write(data)


class Door(asyncio.Protocol):
    """The first moment of a TCP connection: counted, admitted or turned away, then handed to what
    the listener makes of it."""

    __slots__ = ("gateway", "make", "name")

    def __init__(self, gateway: Gateway, name: str, make: Maker) -> None:
        self.gateway = gateway
        self.name = name
        self.make = make

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        host, port = peer_of(transport)
        gateway = self.gateway
        limit = gateway.admission.enter(host)
        if limit is not None or gateway.stopping:
            if limit is not None:
                limited("device_connection_refused", limit=limit, protocol=self.name, address=host)
                gateway.turned_away(f"{host}:{port}", limit)
            else:
                gateway.admission.leave(host)
            transport.abort()  # type: ignore[attr-defined]  # a stream's is a Transport
            return
        _keep_alive(transport)
        connection = self.make(gateway, host, port)
        gateway.open.add(connection)
        transport.set_protocol(connection)
        connection.connection_made(transport)


def _keep_alive(transport: asyncio.BaseTransport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE)


def tcp_maker(protocol: type[Protocol]) -> Maker:
    """What a listener of ``protocol`` makes of a connection."""

    def make(gateway: Gateway, host: str, port: int) -> TcpConnection:
        return TcpConnection(gateway, protocol(Transport.TCP), host, port)

    return make
