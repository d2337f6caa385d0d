"""Devices over UDP. A peer is an address that has sent something lately; it has a protocol instance
of its own, and its replies leave after the commit like everybody's."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from waypost.clock import now_ms
from waypost.gateway.connection import Connection, Pending, Reply
from waypost.gateway.logs import limited
from waypost.gateway.tcp import plain_host
from waypost.protocols.base import Frame, HttpReply, Protocol, ProtocolError, Transport

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Datagrams of one peer that wait for their turn; what is beyond is lost, as UDP may.
WAITING = 64
#: A peer that was heard within so many milliseconds can be sent commands: the way back through
#: its operator's address translation is still open.
FRESH_MS = 60_000

Address = tuple[str, int]
Choose = Callable[[bytes], type[Protocol]]
"""Which protocol a peer's first datagram is of; raises ProtocolError."""


class Peer(Connection):
    """A device at an address."""

    __slots__ = ("datagrams", "endpoint", "to")

    persistent = False

    def __init__(
        self, gateway: Gateway, protocol: Protocol, endpoint: UdpEndpoint, to: Address
    ) -> None:
        super().__init__(gateway, protocol, plain_host(to[0]), to[1])
        self.endpoint = endpoint
        self.to = to
        self.datagrams: list[bytes] = []

    def datagram(self, data: bytes) -> None:
        """A datagram arrived."""
        fresh = self.can_command
        self.heard(data)
        if len(self.datagrams) >= WAITING or self.gateway.pump.stalled:
            self.note("dropped: too many datagrams are waiting")
            return
        self.datagrams.append(data)
        self.gateway.pump.add(self)
        if not fresh and self.record is not None:
            self.gateway.commander.reachable(self)

    def cut(self) -> bool:
        while self.datagrams and not self.todo:
            buffer = bytearray(self.datagrams.pop(0))
            try:
                self.todo += self.protocol.frames(buffer)
                if buffer or not self.todo:
                    raise ProtocolError(f"{len(buffer)} bytes of the datagram are no whole frame")
            except ProtocolError as error:
                self.counters.errors += 1
                self.fault(None, str(error) or "not this protocol's bytes")
            except Exception:
                self.counters.errors += 1
                self.gateway.log.exception("framer_failed", protocol=self.protocol.name)
                self.fault(None, "internal error in the framer")
        return bool(self.todo)

    def fault(self, frame: Frame | None, reason: str) -> None:
        self.note(f"error: {reason}")
        limited(
            "datagram_unreadable",
            reason=reason,
            protocol=self.protocol.name,
            address=self.address,
        )

    def not_stored(self, pending: Pending, reason: str) -> None:
        self.note(f"not stored: {reason}")
        if pending in self.pending:
            self.pending.remove(pending)
        self.flush()

    def unavailable(self, frame: Frame, reason: str) -> None:
        self.note(reason)

    def answer(self, frame: Frame | None, reply: Reply) -> None:
        if reply is not None:
            self._send(reply.body if isinstance(reply, HttpReply) else reply)

    @property
    def can_command(self) -> bool:
        fresh = now_ms() - self.last_seen < FRESH_MS
        return super().can_command and fresh

    def command(self, data: bytes) -> None:
        self._send(data)

    def _send(self, data: bytes) -> None:
        if not self.closed and not self.endpoint.transport.is_closing():
            self.endpoint.transport.sendto(data, self.to)
            self.said(data)

    def shut(self) -> None:
        self.endpoint.peers.pop(self.to, None)

    def abort(self) -> None:
        self.shut()

    def discard(self) -> None:
        """The endpoint does it for all its peers."""

    def check(self, now: int) -> None:
        settings = self.gateway.settings
        if self.pending or self.waiting:
            return
        limit = settings.connection_idle if self.ids else settings.connection_hello
        if now - self.last_seen > limit * 1000:
            self.end(f"silent for {limit} s")
            self.shut()


class UdpEndpoint(asyncio.DatagramProtocol):
    """A protocol's UDP port, or the *auto* one."""

    def __init__(self, gateway: Gateway, name: str, choose: Choose) -> None:
        self.gateway = gateway
        self.name = name
        self.choose = choose
        self.transport: asyncio.DatagramTransport = None  # type: ignore[assignment]
        #: By address, the one silent longest first.
        self.peers: OrderedDict[Address, Peer] = OrderedDict()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a datagram transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.gateway.stopping or not data:
            return
        to: Address = addr
        peer = self.peers.get(to)
        if peer is None:
            peer = self._new_peer(data, to)
            if peer is None:
                return
        else:
            self.peers.move_to_end(to)
        peer.datagram(data)

    def error_received(self, exc: Exception) -> None:
        limited("udp_error", protocol=self.name, error=str(exc))

    def _new_peer(self, data: bytes, to: Address) -> Peer | None:
        gateway = self.gateway
        host = plain_host(to[0])
        try:
            protocol = self.choose(data)
        except ProtocolError as error:
            gateway.tap_stranger(f"{host}:{to[1]}", data, f"error: {error}")
            return None
        limit = gateway.admission.enter(host)
        if limit == "connections" and self._make_room():
            limit = gateway.admission.enter(host)
        if limit is not None:
            limited("device_connection_refused", limit=limit, protocol=self.name, address=host)
            gateway.turned_away(f"{host}:{to[1]}", limit)
            return None
        peer = self.peers[to] = Peer(gateway, protocol(Transport.UDP), self, to)
        gateway.open.add(peer)
        return peer

    def _make_room(self) -> bool:
        """Forgets the peer that was silent longest, if one has nothing under way."""
        for peer in self.peers.values():
            if not peer.pending and not peer.waiting:
                peer.end("forgotten: too many peers")
                peer.shut()
                return True
        return False
