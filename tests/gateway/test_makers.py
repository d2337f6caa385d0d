"""Emulated trackers of the makers come where SMS point them, and obey what is queued for them, over
real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from gateway_world import FakeDirectory, FakeIngest, until
from sqlalchemy import insert, select

from waypost.bus.local import LocalBus
from waypost.clock import now_ms
from waypost.commands import CommandQueue
from waypost.emulator.devices import kinds
from waypost.emulator.links import link
from waypost.emulator.vehicle import Vehicle
from waypost.gateway import Gateway
from waypost.protocols.base import Command, Device, Transport
from waypost.settings import Settings
from waypost.sms.compose import compose
from waypost.store.engine import Database
from waypost.store.tables import commands, dealers, metadata, sources

#: Settings of the emulated models' tracking profiles, and the seconds between two reports then.
TRACKING: dict[str, tuple[dict[str, Any], int]] = {
    "teltonika": (
        {
            "tracking_interval": 45,
            "tracking_distance": 250,
            "tracking_angle": 30,
            "on_stop_tracking_interval": 600,
            "sleep_mode": "disabled",
            "stop_detection": "ignition",
        },
        45,
    ),
    "gl200": ({"tracking_interval": 45, "tracking_distance": 250, "tracking_angle": 30}, 45),
    "atrack": ({"tracking_interval": 45, "tracking_distance": 250, "tracking_angle": 30}, 45),
    "wondex": ({"type": "interval", "psm_mode": 0, "tracking_interval": 45}, 45),
    "gt06": ({"tracking_interval": 45, "tracking_distance": 250}, 45),
    "meitrack": (
        {
            "tracking_interval": 45,
            "tracking_distance": 250,
            "tracking_angle": 30,
            "on_stop_tracking_interval": 600,
            "psm_interval": 3600,
            "psm_mode": 0,
        },
        50,
    ),
}


@pytest.fixture
async def server(data_dir: Path) -> AsyncIterator[Any]:
    settings = Settings(data_dir=data_dir, device_host="127.0.0.1", device_port={"all": 0})
    database = await Database.open(settings)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(dealers).values(id=1, title="", created_at=0))
        await connection.execute(
            insert(sources).values(
                id=1,
                device_id="1",
                model="x",
                dealer_id=1,
                creation_date=date(2026, 1, 1),
                registered_at=0,
            )
        )
    bus = LocalBus()
    directory: Any = FakeDirectory()
    ingest: Any = FakeIngest()
    queue = CommandQueue(database, bus, settings)
    gateway = await Gateway.start(settings, database, bus, directory, ingest, queue)
    yield SimpleNamespace(
        gateway=gateway, database=database, directory=directory, queue=queue, ingest=ingest
    )
    await gateway.stop()
    await database.close()


async def told(server: Any, kind: str, content: dict[str, Any]) -> Any:
    """The row of a command for source 1, once it is finished."""
    payload = msgspec.json.encode(content)
    command_id = await server.queue.enqueue(1, payload, kind, True, now=now_ms())
    query = select(commands).where(commands.c.id == command_id)
    for _ in range(500):
        async with server.database.read() as connection:
            row = (await connection.execute(query)).one()
        if row.finished_at is not None:
            return row
        await asyncio.sleep(0.02)
    raise AssertionError("the device never answered")


def registration(port: int, transport: Transport) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "port": port, "transport": str(transport)}
    return {"server": server, "apn": {"name": "internet.m2m"}, "interval": 10}


@pytest.mark.parametrize(
    ("name", "transport"),
    [
        *((name, Transport.TCP) for name in TRACKING),
        ("gl200", Transport.UDP),
        ("gt06", Transport.UDP),
    ],
)
async def test_it_comes_by_sms_tracks_as_told_and_then_reports_elsewhere(
    server: Any, name: str, transport: Transport
) -> None:
    kind = kinds()[name]
    device_id = "2000000017" if name == "wondex" else "999000000000018"
    server.directory.register(device_id, 1, model=kind.model)
    start = now_ms() // 1000 * 1000
    device = kind(device_id, Vehicle(5, start), start, interval=1000, transport=transport)
    connection = link(device)
    connection.start()
    try:
        content = registration(server.gateway.ports[name], transport)
        command = Command(1, msgspec.json.encode(content), "registration")
        for text in compose(command, Device(device_id, kind.model)):
            device.receive_sms(text.text)
        await until(lambda: server.gateway.sessions.find(device_id), 10)
        settings, seconds = TRACKING[name]
        row = await told(server, "tracking", settings)
        assert (row.state, row.error) == ("acknowledged", None)
        assert device.interval == seconds * 1000
        row = await told(server, "output", {"output": 1, "enable": True})
        assert (row.state, device.outputs) == ("acknowledged", 1)
        row = await told(server, "tracking", {})
        if name != "atrack":
            assert (row.state, bool(row.error)) == ("failed", True)
        port = server.gateway.ports["auto"]
        row = await told(server, "registration", registration(port, transport))
        assert (row.state, row.error) == ("acknowledged", None)
        assert device.server == ("127.0.0.1", port)
        await until(lambda: device.count.connections == 2, 10)
        assert device.interval == 10_000
    finally:
        await connection.close()


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
async def test_the_oldest_queclink_goes_where_it_is_told(server: Any, transport: Transport) -> None:
    kind = kinds()["gl100"]
    server.directory.register("999000000000018", 1, model=kind.model)
    start = now_ms() // 1000 * 1000
    device = kind("999000000000018", Vehicle(5, start), start, interval=1000, transport=transport)
    connection = link(device, "127.0.0.1", server.gateway.ports["gl100"])
    connection.start()
    try:
        await until(lambda: server.gateway.sessions.find(device.device_id), 10)
        row = await told(server, "location_request", {"type": "gprs"})
        assert row.state == "acknowledged"
        port = server.gateway.ports["auto"]
        row = await told(server, "registration", registration(port, transport))
        assert (row.state, row.error) == ("acknowledged", None)
        await until(lambda: device.count.connections == 2, 10)
        assert device.interval == 10_000
    finally:
        await connection.close()


async def test_a_position_that_was_asked_for_is_stored(server: Any) -> None:
    kind = kinds()["teltonika"]
    server.directory.register("999000000000018", 1, model=kind.model)
    start = now_ms() // 1000 * 1000
    device = kind("999000000000018", Vehicle(5, start), start, interval=60_000)
    connection = link(device, "127.0.0.1", server.gateway.ports["teltonika"])
    connection.start()
    try:
        await until(lambda: server.gateway.sessions.find(device.device_id), 10)
        row = await told(server, "location_request", {"type": "gprs"})
        assert row.state == "acknowledged"
        assert row.answer.startswith("GPS:1 ")
        assert str(row.answer.encode()) in server.ingest.whats
    finally:
        await connection.close()
