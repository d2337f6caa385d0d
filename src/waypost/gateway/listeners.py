"""The ports that devices connect to: which there are, and opening them."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waypost.gateway.auto import AUTO, AUTO_PORT, AutoConnection, udp_chooser
from waypost.gateway.http import http_maker
from waypost.gateway.mqtt import MQTT, MQTT_PORT, mqtt_maker
from waypost.gateway.tcp import Door, tcp_maker
from waypost.gateway.udp import Choose, UdpEndpoint
from waypost.protocols.base import Protocol, Transport
from waypost.settings import Settings, SettingsError

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Connections that the system keeps until they are accepted.
BACKLOG = 2048
#: Seconds that a device may take to agree on TLS.
HANDSHAKE = 30.0
#: Bytes of datagrams that the system keeps until they are read.
RECEIVE_BUFFER = 4 * 1024 * 1024
#: Tries to find one number that is free for TCP and for UDP.
TRIES = 30
#: What ``device_port`` calls all ports that it does not name.
ALL = "all"


class Protocols:
    """The protocols that devices may speak here, by what carries them."""

    def __init__(self, every: Mapping[str, type[Protocol]]) -> None:
        self.every = dict(sorted(every.items()))
        self.tcp = self._by(Transport.TCP)
        self.udp = self._by(Transport.UDP)
        self.http = self._by(Transport.HTTP)
        self.mqtt = self._by(Transport.MQTT)

    def _by(self, transport: Transport) -> dict[str, type[Protocol]]:
        return {
            name: protocol
            for name, protocol in self.every.items()
            if transport in protocol.transports
        }

    def canonical(self, name: str) -> str | None:
        """The protocol of this name or alias, or a shared port, or None."""
        if name in self.every or name in (AUTO, MQTT):
            return name
        for protocol in self.every.values():
            if name in protocol.aliases:
                return protocol.name
        return None


@dataclass(slots=True)
class Port:
    """One port to open: what answers on it."""

    name: str
    number: int
    #: Makes the connection, or None where the protocol has no TCP.
    make: Any = None
    choose: Choose | None = None
    tls: bool = False


def plan(settings: Settings, protocols: Protocols) -> list[Port]:
    """The ports that the settings ask for. Raises :class:`SettingsError` for names that are no
    protocol."""
    wanted: dict[str, int] = {}
    for given, number in settings.device_port.items():
        name = given if given == ALL else protocols.canonical(given)
        if name is None:
            known = ", ".join([*protocols.every, AUTO, MQTT, ALL])
            raise SettingsError(f"device_port: no protocol is named {given!r}; there are {known}")
        wanted[name] = number
    secure = set()
    for given in settings.tls_protocols:
        name = protocols.canonical(given)
        if name is None:
            raise SettingsError(f"tls_protocols: no protocol is named {given!r}")
        secure.add(name)
    if secure and settings.tls_certificate is None:
        raise SettingsError("tls_protocols needs tls_certificate and tls_key")

    def port_of(name: str, default: int) -> int:
        return wanted.get(name, wanted.get(ALL, default))

    ports: list[Port] = []
    for name, protocol in protocols.every.items():
        transports = protocol.transports
        if not transports & {Transport.TCP, Transport.UDP, Transport.HTTP}:
            continue
        port = Port(name, port_of(name, protocol.port), tls=name in secure)
        if Transport.TCP in transports:
            port.make = tcp_maker(protocol)
        elif Transport.HTTP in transports:
            port.make = http_maker(protocol)
        if Transport.UDP in transports:
            port.choose = _always(protocol)
        ports.append(port)
    if protocols.mqtt:
        make = mqtt_maker(list(protocols.mqtt.values()))
        ports.append(Port(MQTT, port_of(MQTT, MQTT_PORT), make, tls=MQTT in secure))
    auto = Port(AUTO, port_of(AUTO, AUTO_PORT), AutoConnection, tls=AUTO in secure)
    auto.choose = udp_chooser(protocols.udp)
    ports.append(auto)
    return ports


def _always(protocol: type[Protocol]) -> Choose:
    def choose(data: bytes) -> type[Protocol]:
        return protocol

    return choose


class Listeners:
    """The open ports."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._servers: list[asyncio.Server] = []
        self._endpoints: list[UdpEndpoint] = []
        #: Number by name, once open.
        self.ports: dict[str, int] = {}

    async def open(self, ports: list[Port]) -> None:
        """Opens all of them, or none: raises :class:`SettingsError` for one that cannot be."""
        if self._gateway.settings.share_ports and not hasattr(socket, "SO_REUSEPORT"):
            raise SettingsError("share_ports: this system cannot share ports")
        context = tls_context(self._gateway.settings) if any(port.tls for port in ports) else None
        try:
            for port in ports:
                self.ports[port.name] = await self._open(port, context if port.tls else None)
        except BaseException:
            self.close_streams()
            self.close_datagrams()
            raise

    async def _open(self, port: Port, context: ssl.SSLContext | None) -> int:
        host = self._gateway.settings.device_host
        for attempt in range(TRIES):
            number = port.number
            server = None
            try:
                if port.make is not None:
                    server = await self._listen(port, host, number, context)
                    number = server.sockets[0].getsockname()[1]
                if port.choose is not None:
                    number = await self._bind(port, port.choose, host, number)
            except OSError as error:
                if server is not None:
                    server.close()
                if port.number == 0 and error.errno == errno.EADDRINUSE and attempt < TRIES - 1:
                    continue  # free for TCP, taken for UDP: another one
                raise SettingsError(_cannot_open(port, host, number, error)) from None
            if server is not None:
                self._servers.append(server)
            return number
        raise SettingsError(f"no port is free for {port.name} on {host}")

    async def _listen(
        self, port: Port, host: str, number: int, context: ssl.SSLContext | None
    ) -> asyncio.Server:
        gateway, name, make = self._gateway, port.name, port.make
        return await gateway.loop.create_server(
            lambda: Door(gateway, name, make),
            host,
            number,
            backlog=BACKLOG,
            reuse_port=gateway.settings.share_ports or None,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE if context is not None else None,
        )

    async def _bind(self, port: Port, choose: Choose, host: str, number: int) -> int:
        gateway = self._gateway
        family, _, _, _, address = (
            await gateway.loop.getaddrinfo(host, number, type=socket.SOCK_DGRAM)
        )[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if gateway.settings.share_ports:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(address)
            _, endpoint = await gateway.loop.create_datagram_endpoint(
                lambda: UdpEndpoint(gateway, port.name, choose), sock=sock
            )
        except BaseException:
            sock.close()
            raise
        self._endpoints.append(endpoint)
        return int(sock.getsockname()[1])

    def close_streams(self) -> None:
        """Accepts no further TCP connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    def close_datagrams(self) -> None:
        """Closes the UDP sockets."""
        for endpoint in self._endpoints:
            endpoint.transport.close()
        self._endpoints.clear()


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS as a server, with the settings' certificate. Raises :class:`SettingsError`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(str(settings.tls_certificate), str(settings.tls_key))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"tls_certificate, tls_key: {error}") from None
    return context


def _cannot_open(port: Port, host: str, number: int, error: OSError) -> str:
    setting = f"--device-port {port.name}=PORT (device_port in waypost.toml)"
    if error.errno == errno.EADDRINUSE:
        why = "is in use by another program"
    elif error.errno == errno.EACCES:
        why = "may not be opened by this user"
    else:
        why = f"cannot be opened: {error.strerror or error}"
        setting += ", or device_host"
    return f"port {number} on {host} for {port.name} {why}; choose another with {setting}"
