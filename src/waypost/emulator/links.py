"""The connections of emulated devices: TCP (HTTP among it), UDP and MQTT.

One timer per device looks at everything once a second, so that a thousand devices cost a thousand
small calls a second and, but for MQTT's, no tasks.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import cast

import zmqtt

from waypost.clock import now_ms
from waypost.emulator.devices.base import Device
from waypost.protocols.base import Transport

#: Seconds before connecting again: the first, and the longest time.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Seconds that connecting may take.
CONNECT_TIMEOUT = 15.0
#: Bytes waiting to leave above which no more reports are written.
BACKLOG = 65_536
#: User name of the generic protocol's devices over MQTT.
MQTT_USER = "ngp_device"


class Link:
    """A device and its way to a server: ``start`` it, ``close`` it."""

    def __init__(
        self,
        device: Device,
        host: str = "",
        port: int = 0,
        *,
        spread: float = 0.0,
        password: str = "",
    ) -> None:
        """Without a ``host`` it connects as soon as somebody has told the device where to report.
        ``spread``: seconds until the first look, so that not all devices come at once;
        ``password``: the device's own, where the transport has a log-in (MQTT)."""
        self.device = device
        if host:
            device.point_at(host, port)
        #: Where the connection leads that stands or is opened.
        self.host, self.port = host, port
        self._kind = device.transport
        self._successor: Link | None = None
        self._loop = asyncio.get_running_loop()
        self._chance = Random(device.device_id)
        self._spread = spread
        self._password = password
        self._timer: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE
        self._resume_at = 0.0
        self._sent_at = 0.0
        self._closed = False

    def start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._spread, self._wake)

    async def close(self) -> None:
        """Closes the connection; reports that are in flight stay unacknowledged."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._drop()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._successor is not None:
            await self._successor.close()

    # What each kind of connection does -----------------------------------------------------------

    @property
    def _standing(self) -> bool:
        """There is a connection."""
        raise NotImplementedError

    async def _open(self) -> None:
        """Makes the connection. Raises OSError."""
        raise NotImplementedError

    def _write(self, data: bytes) -> None:
        raise NotImplementedError

    def _drop(self) -> None:
        """Ends the connection, if there is one."""
        raise NotImplementedError

    def _unanswered(self) -> None:
        """No acknowledgement came in time."""
        raise NotImplementedError

    def _room(self) -> bool:
        """The connection takes more at present."""
        return True

    # What they have in common --------------------------------------------------------------------

    def _wake(self) -> None:
        device, now = self.device, self._loop.time()
        self._timer = self._loop.call_later(min(device.interval / 1000, 1.0), self._wake)
        device.tick(now_ms())
        if device.server is None:
            return
        if self._elsewhere:
            self._move(*device.server)
        elif device.hang_up:
            self._drop()
        elif device.in_flight and now - self._sent_at > device.patience:
            self._unanswered()
        elif now < self._resume_at:
            return
        elif not self._standing:
            if self._opening is None and (device.waiting or device.stays_connected()):
                self._opening = self._loop.create_task(self._try_open())
        elif device.heartbeat and device.ready and now - self._sent_at > device.heartbeat:
            self._send(device.alive(now_ms()))
        else:
            self._pump()

    def _move(self, host: str, port: int) -> None:
        """The device was told to report elsewhere, or in another way."""
        self.host, self.port = host, port
        if self._opening is not None:
            self._opening.cancel()
        self._drop()
        self._pause, self._resume_at = FIRST_PAUSE, 0.0
        if self.device.transport is not self._kind:
            if self._timer is not None:
                self._timer.cancel()
            self.device.lost()
            self._successor = link(self.device, host, port, password=self._password)
            self._successor.start()

    async def _try_open(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._open()
        except OSError:  # TimeoutError is one
            self._rest()
        finally:
            self._opening = None

    def _opened(self) -> None:
        if self._closed:
            self._drop()
            return
        self._send(self.device.connected(now_ms()))
        self._pump()

    def _arrived(self, data: bytes) -> None:
        device = self.device
        before = device.count.acknowledged
        self._send(device.received(data, now_ms()))
        if device.count.acknowledged > before:
            self._pause = FIRST_PAUSE
            self._resume_at = 0.0
        if device.hang_up or self._elsewhere:
            self._drop()
        else:
            self._pump()

    @property
    def _elsewhere(self) -> bool:
        """The device wants to report elsewhere, or in another way."""
        device = self.device
        return device.server != (self.host, self.port) or device.transport is not self._kind

    def _gone(self) -> None:
        if self._successor is None:
            self.device.lost()
        if not self._elsewhere:
            self._rest()

    def _rest(self) -> None:
        """Does nothing for a while, each time for longer."""
        self._resume_at = self._loop.time() + self._pause * self._chance.uniform(0.7, 1.3)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _pump(self) -> None:
        while self._standing and self._room() and not self._elsewhere:
            packet = self.device.next_packet()
            if not packet:
                break
            self._send(packet)

    def _send(self, data: bytes) -> None:
        if data and self._standing:
            self._sent_at = self._loop.time()
            self._write(data)


class TcpLink(Link, asyncio.Protocol):
    """Over a TCP connection, HTTP's too."""

    _transport: asyncio.Transport | None = None

    @property
    def _standing(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def _open(self) -> None:
        await self._loop.create_connection(lambda: self, self.host, self.port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._opened()

    def data_received(self, data: bytes) -> None:
        self._arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._gone()

    def _room(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() < BACKLOG

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _unanswered(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class UdpLink(Link, asyncio.DatagramProtocol):
    """Over UDP: nothing tells that the server is there but its acknowledgements."""

    _transport: asyncio.DatagramTransport | None = None

    @property
    def _standing(self) -> bool:
        return self._transport is not None

    async def _open(self) -> None:
        await self._loop.create_datagram_endpoint(lambda: self, remote_addr=(self.host, self.port))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._opened()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._arrived(data)

    def error_received(self, exc: Exception) -> None:
        """The port is closed: there will be no acknowledgement."""
        if self.device.in_flight:
            self._unanswered()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._gone()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _unanswered(self) -> None:
        self.device.unanswered()
        self._rest()


class MqttLink(Link):
    """Over MQTT 3.1.1: a report is a PUBLISH with QoS 1, acknowledged by its PUBACK."""

    _client: zmqtt.MQTTClientV311 | None = None
    _publishing: asyncio.Task[None] | None = None
    _ending: asyncio.Task[None] | None = None

    @property
    def _standing(self) -> bool:
        return self._client is not None

    async def _open(self) -> None:
        client = zmqtt.create_client(
            self.host,
            self.port,
            client_id=self.device.device_id,
            username=MQTT_USER,
            password=self._password,
            reconnect=zmqtt.ReconnectConfig(enabled=False),
        )
        try:
            await client.connect()
        except zmqtt.MQTTConnectError as error:
            self.device.count.refused += 1
            raise ConnectionRefusedError(str(error)) from error
        except zmqtt.MQTTError as error:
            raise ConnectionError(str(error)) from error
        self._client = client
        self._opened()

    def _write(self, data: bytes) -> None:
        self._publishing = self._loop.create_task(self._publish(data))

    async def _publish(self, data: bytes) -> None:
        device, client = self.device, self._client
        if client is None:
            return
        try:
            await client.publish(f"ngp/{device.device_id}", data, qos=zmqtt.QoS.AT_LEAST_ONCE)
        except (zmqtt.MQTTError, OSError):
            self._drop()
            return
        device.accepted(1)
        self._pause = FIRST_PAUSE
        self._pump()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._ending = self._loop.create_task(self._disconnect(client))
            self._gone()

    async def _disconnect(self, client: zmqtt.MQTTClientV311) -> None:
        with suppress(zmqtt.MQTTError, OSError):  # it was gone already
            await client.disconnect()

    def _unanswered(self) -> None:
        self._drop()

    async def close(self) -> None:
        await super().close()
        for task in (self._publishing, self._ending):
            if task is not None and not task.done():
                await asyncio.wait([task], timeout=2)


def link(
    device: Device, host: str = "", port: int = 0, *, spread: float = 0.0, password: str = ""
) -> Link:
    """The link that the device's transport needs."""
    kinds: dict[Transport, type[Link]] = {Transport.UDP: UdpLink, Transport.MQTT: MqttLink}
    kind = kinds.get(device.transport, TcpLink)
    return kind(device, host, port, spread=spread, password=password)
