"""Devices over UDP."""

from __future__ import annotations

import asyncio

from gateway_world import World, until


async def test_datagrams_are_acknowledged_after_the_commit(world: World) -> None:
    world.ingest.manual = True
    device = await world.udp()
    device.send("LOGDATA d1 a\n")
    await until(lambda: world.ingest.queue)
    assert await device.silent()
    world.ingest.commit()
    assert await device.line() == "ACK a"
    device.send("DATA b\n")
    await until(lambda: world.ingest.queue)
    world.ingest.commit()
    assert await device.line() == "ACK b"
    assert world.directory.lookups == 1


async def test_what_cannot_be_stored_gets_no_answer_and_the_peer_goes_on(world: World) -> None:
    device = await world.udp()
    world.ingest.error = RuntimeError("the disk is full")
    device.send("LOGDATA d1 a\n")
    assert await device.silent()
    world.ingest.error = None
    device.send("LOGDATA d1 a\n")
    assert await device.line() == "ACK a"
    assert ("note", "not stored: the disk is full") in world.tap("d1")


async def test_an_unreadable_datagram_is_dropped_with_its_reason(world: World) -> None:
    device = await world.udp()
    device.send("LOGDATA d1 a\n")
    assert await device.line() == "ACK a"
    for wrong in ("WHAT\n", "DATA half", "\x01\x02"):
        device.send(wrong)
    device.send("DATA b\n")
    assert await device.line() == "ACK b"
    notes = [text for kind, text in world.tap("d1") if kind == "note"]
    assert len(notes) == 3
    assert all(str(note).startswith("error: ") for note in notes)


async def test_an_unregistered_peer_is_taken_up_once_claimed(world: World) -> None:
    device = await world.udp()
    device.send("LOGDATA new a\n")
    assert await device.silent()
    world.directory.register("new", 5)
    assert await device.line() == "ACK a"


async def test_a_directory_that_is_away(world: World) -> None:
    world.directory.error = OSError("no database")
    device = await world.udp()
    device.send("LOGDATA d1 a\n")
    assert await device.silent()
    world.directory.error = None
    device.send("LOGDATA d1 a\n")
    assert await device.line() == "ACK a"


async def test_silent_peers_are_forgotten(start: object) -> None:
    world = await start(connection_hello=1, connection_idle=1)  # type: ignore[operator]
    device = await world.udp()
    device.send("PING\n")
    assert await device.line() == "PONG"
    assert world.gateway.admission.count == 1
    await until(lambda: not world.gateway.open, 5)
    assert world.gateway.admission.count == 0


async def test_peers_are_bounded(start: object) -> None:
    world = await start(connections=3)  # type: ignore[operator]
    devices = [await world.udp() for _ in range(6)]
    for device in devices:
        device.send("PING\n")
        assert await device.line() == "PONG"
    assert len(world.gateway.open) == 3


async def test_the_auto_port_over_udp(world: World) -> None:
    device = await world.udp("auto")
    device.send("HELLO d1\n")
    assert await device.line() == "OK"
    device.send("DATA a\n")
    assert await device.line() == "ACK a"
    stranger = await world.udp("auto")
    stranger.send("\x01\x02\x03")
    await asyncio.sleep(0.05)
    assert any("no protocol begins with 01 02 03" in note for note in world.notes())
