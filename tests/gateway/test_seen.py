"""What people see of devices: connection times, events, the inbox, the tap, figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from gateway_world import World, until
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import insert, select

from waypost.bus.local import LocalBus
from waypost.bus.taps import IN, NOTE, tap_subject, watch
from waypost.gateway.activity import Activity
from waypost.gateway.inbox import Inbox
from waypost.gateway.tap import NAMELESS, Tap
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import dealers, device_events, inbox, metadata, sources
from waypost.telemetry.message import Message


@pytest.fixture
async def database(database_url: str, data_dir: Path) -> AsyncIterator[Database]:
    opened = await Database.open(Settings(database=database_url, data_dir=data_dir))
    async with opened.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await add_source(connection)
    yield opened
    await opened.close()


async def add_source(connection: Any) -> None:
    await connection.execute(insert(dealers).values(id=1, title="", created_at=0))
    await connection.execute(
        insert(sources).values(
            id=1,
            device_id="d1",
            model="m",
            dealer_id=1,
            creation_date=date(2026, 1, 1),
            registered_at=0,
        )
    )


# Connection times and events.


async def test_connection_times_and_events(database: Database) -> None:
    activity = Activity(database)
    activity.touch(1, "d1", 1000)
    activity.touch(1, "replaced meanwhile", 5000)
    activity.event(1, "second_connection", "from here and there", 1500)
    await activity.write()
    activity.touch(1, "d1", 2000)
    await activity.write()
    await activity.write()
    async with database.read() as connection:
        times = select(sources.c.connected_at, sources.c.last_connection_at)
        assert tuple((await connection.execute(times)).one()) == (1000, 2000)
        event = (await connection.execute(select(device_events))).one()
    assert (event.source_id, event.kind, event.at) == (1, "second_connection", 1500)


async def test_a_second_live_connection_is_an_event_once(world: World) -> None:
    async with world.database.begin() as connection:
        await add_source(connection)
    for _ in range(3):
        await world.device()
    assert any("while the connection from" in str(text) for _, text in world.tap("d1"))
    udp = await world.udp()
    udp.send("LOGDATA d1 a\n")
    assert await udp.line() == "ACK a"
    await world.gateway.activity.write()
    async with world.database.read() as connection:
        (event,) = (await connection.execute(select(device_events))).all()
        (row,) = (await connection.execute(select(sources))).all()
    assert event.kind == "second_connection"
    assert event.text.count("127.0.0.1:") == 2
    assert row.connected_at is not None


# The inbox.


def stranger(protocol: str = "line", model: str | None = None) -> Any:
    return SimpleNamespace(
        protocol=SimpleNamespace(name=protocol), address="10.0.0.1:999", model=model
    )


def position(at: int | None, latitude: float) -> Message:
    return Message(time=at, digest_of=b"", latitude=latitude, longitude=2.0)


async def test_the_inbox_adds_up(database: Database) -> None:
    box = Inbox(database, 100)
    box.note(stranger(model="GV300"), "x1", position(2000, 1.0))
    box.note(stranger(), "x1", position(1000, 9.0))
    await box.write()
    box.note(stranger(), "x1", position(1500, 8.0))
    box.note(stranger("other"), "x1", None)
    await box.write()
    box.note(stranger(), "x1", position(3000, 3.0))
    await box.write()
    found = {one.protocol: one for one in await box.read()}
    assert (found["line"].count, found["line"].latitude, found["line"].position_at) == (
        4,
        3.0,
        3000,
    )
    assert found["line"].model == "GV300"
    assert (found["other"].count, found["other"].latitude) == (1, None)


async def test_the_inbox_is_bounded_and_forgets_the_oldest(database: Database) -> None:
    box = Inbox(database, 5)
    for number in range(12):
        box.note(stranger(), f"x{number:02}", None)
        await box.write()
        await asyncio.sleep(0.002)
    async with database.read() as connection:
        rows = (await connection.execute(select(inbox.c.device_id))).scalars().all()
    assert sorted(rows) == [f"x{number:02}" for number in range(7, 12)]
    for number in range(20):
        box.note(stranger(), f"y{number:02}", None)
    await box.write()
    assert {one.device_id for one in await box.read()} == {f"y{number}" for number in range(15, 20)}
    assert len(await box.read(limit=2)) == 2


async def test_registered_devices_leave_the_inbox(database: Database) -> None:
    box = Inbox(database, 100)
    for name in ("d1", "x1", "x2"):
        box.note(stranger(), name, None)
    await box.write()
    assert {one.device_id for one in await box.read()} == {"x1", "x2"}  # d1 is registered
    box.claimed(["x1"], shown=True)
    box.note(stranger(), "x2", None)
    await box.write()
    async with database.read() as connection:
        rows = (await connection.execute(select(inbox.c.device_id))).scalars().all()
    assert sorted(rows) == ["d1", "x2"]


async def test_a_database_that_is_away_loses_nothing(database: Database) -> None:
    box, activity = Inbox(database, 100), Activity(database)
    box.note(stranger(), "x1", None)
    activity.touch(1, "d1", 1000)
    begin = database.begin
    database.begin = _away  # type: ignore[method-assign, assignment]
    for batch in (box, activity):
        with pytest.raises(OSError, match="away"):
            await batch.write()
    box.note(stranger(), "x1", None)
    database.begin = begin  # type: ignore[method-assign]
    await box.write()
    await activity.write()
    (found,) = await box.read()
    assert found.count == 2
    async with database.read() as connection:
        assert (await connection.execute(select(sources.c.connected_at))).scalar() == 1000


def _away() -> Any:
    raise OSError("away")


# The tap.


def test_a_trace_is_bounded() -> None:
    tap = Tap(LocalBus(), limit=10_000)
    trace = tap.device("d1")
    for number in range(1000):
        tap.add(trace, number, IN, b"x" * 100, "a")
    entries = tap.read("d1")
    assert entries[-1].time == 999
    assert 30 < len(entries) <= 45
    tap.add(trace, 1000, IN, b"y" * 50_000, "a")
    assert [entry.time for entry in tap.read("d1")] == [1000]


def test_all_traces_together_are_bounded() -> None:
    tap = Tap(LocalBus(), limit=10_000, total=100_000)
    traces = [tap.device(f"d{number}") for number in range(50)]
    for trace in traces:
        for number in range(30):
            tap.add(trace, number, IN, b"x" * 100, "a")
    kept = [number for number in range(50) if tap.read(f"d{number}")]
    assert 5 < len(kept) < 20
    assert 49 in kept
    # One that was forgotten goes on.
    tap.add(traces[0], 99, IN, b"again", "a")
    assert [entry.data for entry in tap.read("d0")] == [b"again"]


def test_nameless_traces_are_bounded_and_merge_into_the_devices() -> None:
    tap = Tap(LocalBus(), limit=10_000)
    for number in range(NAMELESS + 50):
        tap.add(tap.nameless(f"a:{number}"), number, NOTE, "closed", f"a:{number}")
    assert len(tap.read_nameless()) == NAMELESS
    trace = tap.nameless("b:1")
    tap.add(trace, 1, IN, b"hello", "b:1")
    tap.device("d1", trace)
    assert [entry.data for entry in tap.read("d1")] == [b"hello"]
    assert "b:1" not in tap.read_nameless()
    for port in (2, 3):
        tap.add(tap.nameless(f"c:{port}"), port, IN, b"?", f"c:{port}")
    assert [entry.time for entry in tap.read("c:2")] == [2]
    assert [entry.time for entry in tap.read("c")] == [2, 3]


async def test_watching_over_the_bus(world: World) -> None:
    seen: list[Any] = []
    device_id = "d1"
    await world.bus.subscribe(
        tap_subject(device_id), lambda _, payload: seen.append(msgspec.msgpack.decode(payload))
    )
    device = await world.device()
    assert not seen
    watch(world.bus, device_id, 60)
    device.send("DATA a\n")
    assert await device.line() == "ACK a"
    assert [(entry[1], entry[2]) for entry in seen] == [("in", b"DATA a\n"), ("out", b"ACK a\n")]
    world.bus.publish("taps.watch", b"nonsense")


# Figures.


async def test_figures(world: World) -> None:
    registry = CollectorRegistry()
    registry.register(world.gateway.metrics)
    device = await world.device()
    device.send("DATA a\n")
    assert await device.line() == "ACK a"
    bad = await world.tcp()
    bad.send(b"\x00\x00")
    await bad.closed()
    await until(lambda: len(world.gateway.open) == 1)
    text = generate_latest(registry).decode()
    for line in (
        'waypost_gateway_connections{protocol="line"} 1.0',
        'waypost_gateway_frames_total{protocol="line"} 2.0',
        'waypost_gateway_messages_total{protocol="line"} 1.0',
        'waypost_gateway_errors_total{protocol="line"} 1.0',
        'waypost_gateway_bytes_in_total{protocol="line"} 18.0',
        "waypost_gateway_devices 1.0",
        "waypost_gateway_unacknowledged 0.0",
    ):
        assert line in text
