"""Where devices reach this server, as they are told.

The host is that of the setting ``public_address``. Ports are those that a gateway opened, which
may be another process: gateways say them on the bus when they start (``ports.told``), and
whenever somebody asks (``ports.ask``). Where none was heard, they are what the settings say.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from waypost.bus.base import Bus, Subscription
from waypost.protocols import find_protocol
from waypost.protocols.base import Protocol, Transport
from waypost.protocols.instructions import Outgoing, Server
from waypost.settings import Settings

_decode = msgspec.msgpack.Decoder(dict[str, int]).decode


class Unreachable(Exception):
    """A device cannot be told where to report; the text says why."""


class Addresses:
    """One per process. Make it with :meth:`open`."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        self._bus = bus
        self._settings = settings
        #: Ports that gateways opened, the newest word of each.
        self._heard: dict[str, int] = {}
        #: Those of this process.
        self._own: bytes = b""
        self._subscription: Subscription | None = None

    @classmethod
    async def open(cls, bus: Bus, settings: Settings) -> Addresses:
        self = cls(bus, settings)
        self._subscription = await bus.subscribe("ports.*", self._on_word)
        bus.publish("ports.ask")
        return self

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.close()

    def opened(self, ports: Mapping[str, int]) -> None:
        """This process's gateway listens on ``ports``, by protocol."""
        self._heard.update(ports)
        self._own = msgspec.msgpack.encode(dict(ports))
        self._bus.publish("ports.told", self._own)

    def _on_word(self, subject: str, payload: bytes) -> None:
        if subject == "ports.told":
            self._heard.update(_decode(payload))
        elif self._own:
            self._bus.publish("ports.told", self._own)

    def of(self, protocol: type[Protocol]) -> Server:
        """Where a device of this protocol is to report: by TCP where the protocol travels so.
        Raises :class:`Unreachable`."""
        settings = self._settings
        if not settings.public_host:
            raise Unreachable(
                "devices cannot be told where to report: the setting public_address is empty"
            )
        transport: Outgoing
        if Transport.TCP in protocol.transports:
            transport = "tcp"
        elif Transport.UDP in protocol.transports:
            transport = "udp"
        else:
            raise Unreachable(f"{protocol.name} travels neither by TCP nor by UDP")
        if transport == "tcp" and any(
            find_protocol(name) is protocol for name in settings.tls_protocols
        ):
            raise Unreachable(
                f"the port of {protocol.name} speaks TLS (tls_protocols), which devices must be "
                "set up for by hand"
            )
        port = self._port(protocol)
        if not port:
            raise Unreachable(f"the port of {protocol.name} is not known: no gateway is running")
        return Server(settings.public_host, port, transport)

    def _port(self, protocol: type[Protocol]) -> int:
        """0: not known."""
        if protocol.name in self._heard:
            return self._heard[protocol.name]
        given = self._settings.device_port
        for name, port in given.items():
            if find_protocol(name) is protocol:
                return port
        return given.get("all", protocol.port)
