"""The gateway with the real ingest, directory and protocols, on both engines."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastcrc
import httpx
import pytest
from gateway_world import Client, until
from sqlalchemy import insert, select, update

from waypost.bus.local import LocalBus
from waypost.clock import now_ms
from waypost.commands import CommandQueue
from waypost.fleet.changes import Changes
from waypost.fleet.directory import Directory
from waypost.gateway import Gateway
from waypost.ingest import Ingest
from waypost.parts import points_store
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import commands, dealers, metadata, sources

IMEI = "356307042441013"
START = 1_790_000_000_000


@pytest.fixture
async def server(database_url: str, data_dir: Path) -> AsyncIterator[Any]:
    settings = Settings(
        database=database_url,
        data_dir=data_dir,
        device_host="127.0.0.1",
        device_port={"all": 0},
        command_timeout=2,
    )
    database = await Database.open(settings)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(dealers).values(id=1, title="", created_at=0))
    points = points_store(settings)
    await points.open()
    bus = LocalBus()
    directory = await Directory.open(database, bus, settings)
    ingest = Ingest(points, bus, owner="test")
    ingest.start()
    queue = CommandQueue(database, bus, settings)
    gateway = await Gateway.start(settings, database, bus, directory, ingest, queue)
    yield SimpleNamespace(
        gateway=gateway, database=database, points=points, bus=bus, queue=queue, ingest=ingest
    )
    await gateway.stop()
    await ingest.close()
    await directory.close()
    await points.close()
    await database.close()


async def register(server: Any, device_id: str, source_id: int, **values: Any) -> None:
    async with server.database.begin() as connection:
        await connection.execute(
            insert(sources).values(
                id=source_id,
                device_id=device_id,
                model="telfmu130",
                dealer_id=1,
                creation_date=date(2026, 1, 1),
                registered_at=START,
                **values,
            )
        )
    tell(server, device_id, source_id)


def tell(server: Any, device_id: str, source_id: int) -> None:
    changes = Changes()
    changes.sources.add(source_id)
    changes.devices.add(device_id)
    changes.publish(server.bus)


async def connect(server: Any, port: str = "teltonika") -> Client:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.gateway.ports[port])
    return Client(reader, writer)


def login(imei: str = IMEI) -> bytes:
    return struct.pack(">H", len(imei)) + imei.encode()


def packet(first: int, count: int) -> bytes:
    """A codec 8 packet of records a second apart."""
    records = b"".join(
        struct.pack(">QBiihHBH", START + n * 1000, 0, 24_000_000, 55_000_000, 80, 90, 9, 50)
        + bytes([0, 1, 1, 239, 1, 0, 0, 0])
        for n in range(first, first + count)
    )
    data = bytes([8, count]) + records + bytes([count])
    return struct.pack(">II", 0, len(data)) + data + struct.pack(">I", fastcrc.crc16.arc(data))


async def acknowledged(device: Client) -> int:
    return int.from_bytes(await asyncio.wait_for(device.reader.readexactly(4), 5))


async def test_acknowledged_records_are_stored_once(server: Any) -> None:
    await register(server, IMEI, 1)
    device = await connect(server)
    device.send(login() + packet(0, 20))
    assert await device.reader.readexactly(1) == b"\x01"
    assert await acknowledged(device) == 20
    assert await server.points.count(1) == 20
    device.send(packet(10, 20))
    assert await acknowledged(device) == 20
    assert await server.points.count(1) == 30
    await until(lambda: len(server.gateway.sessions) == 1)
    for _ in range(100):
        async with server.database.read() as connection:
            row = (await connection.execute(select(sources.c.connected_at))).scalar()
        if row:
            break
        await asyncio.sleep(0.02)
    assert row


async def test_registered_while_connected_and_given_up_again(server: Any) -> None:
    device = await connect(server, "auto")
    device.send(login() + packet(0, 5))
    assert await device.reader.readexactly(1) == b"\x01"
    assert await device.silent()
    await server.gateway.inbox.write()
    (stranger,) = await server.gateway.inbox.read()
    assert (stranger.device_id, stranger.protocol) == (IMEI, "teltonika")
    assert (stranger.latitude, stranger.longitude) == (55.0 / 10, 24.0 / 10)
    await register(server, IMEI, 1)
    assert await acknowledged(device) == 5
    assert await server.points.count(1) == 5
    assert not await server.gateway.inbox.read()
    async with server.database.begin() as connection:
        await connection.execute(update(sources).values(corrupted=True, device_id="corrupted-1"))
    tell(server, IMEI, 1)
    assert await device.closed() == b""


async def test_the_generic_protocol(server: Any) -> None:
    await register(server, "n1", 1)
    message = {
        "message_time": "2026-09-01T10:00:00Z",
        "location": {"gnss_time": "2026-09-01T10:00:00Z", "latitude": 41.0, "longitude": 2.0},
    }
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.gateway.ports['ngp']}"
    ) as client:
        for device_id, status in (("n1", 200), ("n2", 403)):
            answer = await client.post("/", json={"device_id": device_id, **message})
            assert answer.status_code == status
        assert (await client.post("/", content=b"{")).status_code == 400
        large = {"device_id": "n1", **message, "custom_blob": "x" * 9000}
        assert (await client.post("/", json=large)).status_code == 200
    assert await server.points.count(1) == 2


async def test_a_command_to_a_real_device(server: Any) -> None:
    await register(server, IMEI, 1)
    command_id = await server.queue.enqueue(1, b"getinfo", "text", True, now=now_ms())
    device = await connect(server)
    device.send(login())
    assert await device.reader.readexactly(1) == b"\x01"
    size = (await device.reader.readexactly(8))[4:]
    body = await device.reader.readexactly(int.from_bytes(size) + 4)
    assert b"getinfo" in body
    answer = bytes([0x0C, 1, 6]) + struct.pack(">I", 4) + b"well" + bytes([1])
    crc = struct.pack(">I", fastcrc.crc16.arc(answer))
    device.send(struct.pack(">II", 0, len(answer)) + answer + crc)
    for _ in range(200):
        async with server.database.read() as connection:
            query = select(commands.c.state, commands.c.answer)
            row = (await connection.execute(query.where(commands.c.id == command_id))).one()
        if row.state == "acknowledged":
            break
        await asyncio.sleep(0.02)
    assert tuple(row) == ("acknowledged", "well")


async def test_a_database_that_is_away_for_a_while(server: Any, engine: str) -> None:
    """Nothing is acknowledged meanwhile; the same connection goes on afterwards."""
    await register(server, IMEI, 1)
    device = await connect(server)
    device.send(login() + packet(0, 5))
    assert await device.reader.readexactly(1) == b"\x01"
    assert await acknowledged(device) == 5
    commit = server.points.commit

    async def away(batches: Any) -> None:
        raise ConnectionRefusedError("no database")

    server.points.commit = away
    device.send(packet(5, 5))
    assert await device.silent(0.3)
    server.points.commit = commit
    assert await acknowledged(device) == 5
    assert await server.points.count(1) == 10


async def test_stop_with_data_under_way(server: Any) -> None:
    await register(server, IMEI, 1)
    devices = []
    for _ in range(3):
        device = await connect(server)
        device.send(login())
        assert await device.reader.readexactly(1) == b"\x01"
        devices.append(device)
    for number, device in enumerate(devices):
        device.send(packet(number * 100, 10))
    await server.gateway.stop()
    acknowledged_records = 0
    for device in devices:
        acknowledged_records += len(await device.closed()) // 4 * 10
    assert acknowledged_records <= await server.points.count(1)
