"""Devices that nobody registered: seen, not acknowledged, and taken up once they are claimed."""

from __future__ import annotations

import asyncio

from gateway_world import World, until

from waypost.gateway import connection, identity


async def test_the_log_in_is_answered_and_data_is_not(world: World) -> None:
    device = await world.device("new")
    device.send("DATA a\nPING\n")
    assert await device.line() == "PONG"
    assert await device.silent()
    assert not world.ingest.stored


async def test_registering_takes_up_what_the_device_sent_last(world: World) -> None:
    device = await world.device("new")
    device.send("DATA a\nDATA b\n")
    assert await device.silent()
    world.directory.register("new", 5)
    assert await device.line() == "ACK b"
    assert world.ingest.stored == [(5, "b")]
    device.send("DATA a\n")
    assert await device.line() == "ACK a"
    assert ("note", "registered while connected") in world.tap("new")


async def test_registering_during_the_look_up_is_not_missed(world: World) -> None:
    world.directory.delay = 0.1
    device = await world.tcp()
    device.send("HELLO new\nDATA a\n")
    await until(lambda: world.directory.lookups)
    world.directory.register("new", 5)
    assert [await device.line(), await device.line()] == ["OK", "ACK a"]


async def test_a_lost_notice_only_delays(world: World, monkeypatch: object) -> None:
    for module in (connection, identity):
        monkeypatch.setattr(module, "LOOK_AGAIN_MS", 50)  # type: ignore[attr-defined]
    device = await world.device("new")
    device.send("DATA a\n")
    assert await device.silent()
    quiet = world.directory._by_key.copy()
    world.directory._by_key.clear()
    world.directory.register("new", 5)
    world.directory._by_key.update(quiet)
    device.send("DATA b\n")
    assert await device.line() == "ACK b"


async def test_a_device_that_is_given_up_is_closed(world: World) -> None:
    device = await world.device()
    world.directory.give_up("d1")
    assert await device.closed() == b""
    assert world.tap("d1")[-1] == ("note", "closed: the device is no longer registered")
    assert world.ingest.opened[1] == 0


async def test_changed_settings_hold_from_then_on(world: World) -> None:
    device = await world.device()
    world.directory.register("d1", 1, model="m2")
    await asyncio.sleep(0.05)
    device.send("MODEL d1\nDATA a\n")
    assert [await device.line(), await device.line()] == ["MODEL m2", "ACK a"]
    assert world.ingest.opened[1] == 1


async def test_a_change_during_another_look_up_is_not_missed(world: World) -> None:
    device = await world.device()
    world.directory.delay = 0.1
    device.send("FOR beacon x\n")
    lookups = world.directory.lookups
    await until(lambda: world.directory.lookups > lookups)
    world.directory.register("d1", 1, model="m2")
    assert await device.line() == "ACK both"
    device.send("MODEL d1\n")
    assert await device.line() == "MODEL m2"


async def test_an_id_that_moves_to_another_source(world: World) -> None:
    device = await world.device()
    record = world.directory.records["d1"]
    world.directory.register("d1", 9)
    world.directory._tell(record.source_id)
    await asyncio.sleep(0.05)
    device.send("DATA a\n")
    assert await device.line() == "ACK a"
    assert world.ingest.stored == [(9, "a")]
    assert world.ingest.opened[1] == 0


async def test_the_inbox_shows_it_until_it_is_claimed(world: World) -> None:
    inbox = world.gateway.inbox
    device = await world.device("new")
    device.send("DATA a\nDATA b\n")
    assert await device.silent()
    await inbox.write()
    (stranger,) = await inbox.read()
    assert (stranger.device_id, stranger.protocol, stranger.model) == ("new", "line", "Liner")
    assert stranger.address.startswith("127.0.0.1:")
    assert (stranger.count, stranger.latitude, stranger.longitude) == (3, 41.0, 2.0)
    assert stranger.first_seen_at <= stranger.last_seen_at
    world.directory.register("new", 5)
    assert await device.line() == "ACK b"
    await inbox.write()
    assert not await inbox.read()
