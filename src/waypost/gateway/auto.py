"""The *auto* port: which protocol a connection speaks, from its first bytes.

Every protocol is asked (``Protocol.recognises``). One that is certain wins. While some may be
meant, more bytes are waited for, up to a bound and a time; then those that are left are tried on
the bytes, and the first, alphabetically, that can read them wins, or else the first that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from waypost.clock import now_ms
from waypost.gateway.http import http_maker, recognises_http
from waypost.gateway.logs import limited
from waypost.gateway.mqtt import mqtt_maker
from waypost.gateway.mqtt_codec import recognises_mqtt
from waypost.gateway.tcp import Maker, tcp_maker
from waypost.protocols.base import Protocol, ProtocolError, Transport

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Name of the port.
AUTO = "auto"
AUTO_PORT = 5000
#: Bytes after which a choice is made at the latest, and seconds after the first byte.
BYTES = 256
SECONDS = 2.0


def choose(start: bytes, candidates: dict[str, type[Protocol]], *, last: bool) -> str | None:
    """The name of the protocol that a stream or datagram beginning with ``start`` speaks; None:
    more bytes decide (never where ``last`` says that there are none). Raises
    :class:`ProtocolError` if it is none of them."""
    perhaps: list[str] = []
    for name, protocol in candidates.items():
        verdict = protocol.recognises(start)
        if verdict:
            return name
        if verdict is None:
            perhaps.append(name)
    if not perhaps:
        raise ProtocolError(f"no protocol begins with {start[:32].hex(' ')}")
    if not last:
        return None
    for name in perhaps:
        if _reads(candidates[name], start):
            return name
    return perhaps[0]


def _reads(protocol: type[Protocol], start: bytes) -> bool:
    """Does a decoder of ``protocol`` find a log-in or a message at the beginning?"""
    reader = protocol(Transport.TCP if Transport.TCP in protocol.transports else Transport.UDP)
    try:
        for frame in reader.frames(bytearray(start)):
            decoded = reader.decode(frame, None)
            if decoded.hello is not None or decoded.messages:
                return True
    except ProtocolError:
        pass  # then it is not this one
    return False


def udp_chooser(candidates: dict[str, type[Protocol]]) -> Callable[[bytes], type[Protocol]]:
    """How the auto port's UDP side finds the protocol of a datagram."""

    def pick(data: bytes) -> type[Protocol]:
        return candidates[choose(data, candidates, last=True) or ""]

    return pick


class AutoConnection(asyncio.Protocol):
    """A TCP connection that has not said what it speaks."""

    __slots__ = (
        "address",
        "closed",
        "gateway",
        "host",
        "port",
        "since",
        "start",
        "timer",
        "transport",
    )

    def __init__(self, gateway: Gateway, host: str, port: int) -> None:
        self.gateway = gateway
        self.host = host
        self.port = port
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.since = now_ms()
        self.start = bytearray()
        self.closed = False
        self.timer: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # until it is made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("closed before it was clear what it speaks")

    def data_received(self, data: bytes) -> None:
        if self.closed or self.gateway.stopping:
            return
        self.start += data
        self._decide(last=len(self.start) >= BYTES)

    def eof_received(self) -> bool:
        self._decide(last=True)
        return not self.closed

    def _too_late(self) -> None:
        self._decide(last=True)

    def _decide(self, *, last: bool) -> None:
        if self.closed or not self.start:
            return
        try:
            make = self._maker(bytes(self.start), last=last)
        except ProtocolError as error:
            self.close(str(error))
            return
        if make is not None:
            self._hand_over(make)
        elif self.timer is None:
            self.timer = self.gateway.loop.call_later(SECONDS, self._too_late)

    def _maker(self, start: bytes, *, last: bool) -> Maker | None:
        """What this connection is; None: more bytes decide."""
        protocols = self.gateway.protocols
        mqtt = recognises_mqtt(start) if protocols.mqtt else False
        http = recognises_http(start) if protocols.http else False
        if mqtt:
            return mqtt_maker(list(protocols.mqtt.values()))
        if http:
            return http_maker(_http_protocol(start, protocols.http))
        if not last and (mqtt is None or http is None):
            return None
        name = choose(start, protocols.tcp, last=last)
        return tcp_maker(protocols.tcp[name]) if name else None

    def _hand_over(self, make: Maker) -> None:
        """Lets the connection be what it is, from its first byte."""
        gateway, transport = self.gateway, self.transport
        self._stop()
        connection = make(gateway, self.host, self.port)
        gateway.open.add(connection)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        connection.data_received(bytes(self.start))

    def _stop(self) -> None:
        self.closed = True
        if self.timer is not None:
            self.timer.cancel()
        self.gateway.open.discard(self)

    def _end(self, reason: str) -> None:
        if self.closed:
            return
        self._stop()
        self.gateway.tap_stranger(self.address, bytes(self.start) or None, f"closed: {reason}")
        self.gateway.admission.leave(self.host)

    def close(self, reason: str) -> None:
        """Ends it; nobody knows what it was."""
        if not self.closed:
            limited("device_connection_closed", reason=reason, protocol=AUTO, address=self.address)
            self.gateway.metrics.of(AUTO).errors += 1
            self._end(reason)
            self.transport.close()

    # What the gateway asks of an open connection.

    pending = ()

    def check(self, now: int) -> None:
        limit = self.gateway.settings.connection_hello
        if now - self.since > limit * 1000:
            self.close(f"did not say what it speaks within {limit} s")

    def discard(self) -> None:
        """What comes is not read any more."""

    def abort(self) -> None:
        self.transport.abort()


def _http_protocol(start: bytes, protocols: dict[str, type[Protocol]]) -> type[Protocol]:
    """Which of the protocols that travel by HTTP a request is meant for: one that recognises it,
    else the first."""
    for protocol in protocols.values():
        if protocol.recognises(start):
            return protocol
    return next(iter(protocols.values()))
