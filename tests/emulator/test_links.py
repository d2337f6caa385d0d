"""Over real sockets: what a server has not acknowledged is sent again, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from waypost.clock import now_ms
from waypost.emulator.devices import kinds
from waypost.emulator.devices.base import Device
from waypost.emulator.fleet import Fleet
from waypost.emulator.links import Link, link
from waypost.emulator.vehicle import Vehicle
from waypost.protocols.base import Transport

pytestmark = pytest.mark.anyio
IMEI = "999000000000018"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waypost.emulator.links.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("waypost.emulator.links.LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(Device, "patience", 0.1)


def tracker(transport: Transport = Transport.TCP, reports: int = 30) -> Device:
    """A Teltonika that makes a report every 20 ms."""
    now = now_ms()
    return kinds()["teltonika"](
        IMEI, Vehicle(1, now), now, interval=20, transport=transport, most=reports
    )


async def finish(running: Link) -> Device:
    """Waits until the device is rid of all its reports."""
    running.start()
    try:
        async with asyncio.timeout(15):
            while not running.device.done:  # noqa: ASYNC110  (a device tells nobody)
                await asyncio.sleep(0.01)
    finally:
        await running.close()
    return running.device


class TcpServer:
    """Takes Teltonika packets; ``behave`` says what to do with the n-th of all: acknowledge it
    (True), say nothing (None), or hang up (False)."""

    def __init__(self, behave: Callable[[int], bool | None]) -> None:
        self.behave = behave
        self.packets = 0
        self.taken: list[int] = []
        self.connections = 0

    async def __aenter__(self) -> TcpServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            assert await reader.readexactly(size) == IMEI.encode()
            writer.write(b"\x01")
            while True:
                head = await reader.readexactly(8)
                body = await reader.readexactly(int.from_bytes(head[4:], "big") + 4)
                self.packets += 1
                what = self.behave(self.packets)
                if what is None:
                    continue
                if not what:
                    break
                self.taken += times_of(body)
                writer.write(body[1].to_bytes(4, "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def times_of(body: bytes) -> list[int]:
    """Times of the records of a codec 8E body with its checksum; all records of our device are
    equally long."""
    count = body[1]
    size = (len(body) - 7) // count
    return [int.from_bytes(body[2 + n * size : 10 + n * size], "big") for n in range(count)]


async def test_reports_survive_broken_connections_in_order() -> None:
    async with TcpServer(lambda number: number % 3 == 0 if number < 12 else True) as server:
        device = await finish(link(tracker(), "127.0.0.1", server.port))
    assert len(server.taken) == 30
    assert server.taken == sorted(set(server.taken))
    assert device.count.acknowledged == device.count.sent == 30
    assert device.count.repeated > 0
    assert server.connections > 5


async def test_a_server_that_says_nothing_is_left_and_tried_again() -> None:
    async with TcpServer(lambda number: True if number > 2 else None) as server:
        await finish(link(tracker(), "127.0.0.1", server.port))
    assert len(server.taken) == 30
    assert server.connections == 3


async def test_reports_made_while_the_server_is_away_come_late() -> None:
    async with TcpServer(lambda number: True) as server:
        port = server.port
    running = link(tracker(), "127.0.0.1", port)
    running.start()
    await asyncio.sleep(0.3)
    assert running.device.waiting > 5
    assert not running.device.online
    again = TcpServer(lambda number: True)
    again._server = await asyncio.start_server(again._serve, "127.0.0.1", port)
    await finish(running)
    again._server.close()
    assert again.taken == sorted(set(again.taken))
    assert len(again.taken) == 30


async def test_a_device_goes_where_it_is_told() -> None:
    async with TcpServer(lambda number: True) as first, TcpServer(lambda number: True) as second:
        running = link(tracker(reports=100))
        running.start()
        await asyncio.sleep(0.1)
        assert not running.device.online
        assert running.device.waiting > 0
        running.device.point_at("127.0.0.1", first.port)
        async with asyncio.timeout(5):
            while len(first.taken) < 5:  # noqa: ASYNC110  (a device tells nobody)
                await asyncio.sleep(0.01)
        running.device.point_at("127.0.0.1", second.port)
        device = await finish(running)
    assert second.taken
    assert len({*first.taken, *second.taken}) == device.count.reports == 100


async def test_a_device_changes_its_transport() -> None:
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(
        UdpServer, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    async with TcpServer(lambda number: True) as server:
        running = link(tracker(), "127.0.0.1", server.port)
        running.start()
        async with asyncio.timeout(5):
            while not server.taken:  # noqa: ASYNC110  (a device tells nobody)
                await asyncio.sleep(0.01)
        running.device.point_at("127.0.0.1", port, Transport.UDP)
        await finish(running)
    transport.close()
    assert datagrams.taken == sorted(datagrams.taken)
    assert len({*server.taken, *datagrams.taken}) == 30


class UdpServer(asyncio.DatagramProtocol):
    """Acknowledges every third datagram only."""

    def __init__(self) -> None:
        self.datagrams = 0
        self.taken: list[int] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.datagrams += 1
        if self.datagrams % 3:
            return
        body = data[8 + len(IMEI) :] + bytes(4)  # as in TCP, where a checksum follows
        self.taken += times_of(body)
        answer = b"\x00\x05" + data[2:4] + b"\x01" + data[5:6] + bytes((body[1],))
        self.transport.sendto(answer, addr)  # type: ignore[attr-defined]


async def test_datagrams_are_sent_again_until_acknowledged() -> None:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(UdpServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    device = await finish(link(tracker(Transport.UDP), "127.0.0.1", port))
    transport.close()
    assert server.taken == sorted(set(server.taken))
    assert len(server.taken) == 30
    assert device.count.repeated > 0


async def test_http_reports_are_sent_again_after_a_refusal() -> None:
    bodies: list[bytes] = []
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                body = await reader.readexactly(size)
                requests += 1
                status = (b"500 Fault", b"403 Forbidden", b"200 OK")[min(requests - 1, 2)]
                if status.startswith(b"200"):
                    bodies.append(body)
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fleet = Fleet()
    port = server.sockets[0].getsockname()[1]
    fleet.add("ngp", "truck-1", "127.0.0.1", port, interval=0.02, most=10)
    device = await finish(fleet.links[0])
    server.close()
    assert len(set(bodies)) == len(bodies) == 10
    assert device.count.refused == 2
    assert device.count.acknowledged == 10


@pytest.fixture
async def refusing() -> AsyncIterator[int]:
    """The port of a server that lets nobody in."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x00")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_refused_device_keeps_its_reports_and_comes_back(refusing: int) -> None:
    running = link(tracker(), "127.0.0.1", refusing)
    running.start()
    await asyncio.sleep(0.4)
    await running.close()
    assert running.device.count.refused > 2
    assert running.device.count.sent == 0
    assert running.device.waiting > 0
