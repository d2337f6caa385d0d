"""Devices over TCP: what they hear, and when."""

from __future__ import annotations

import asyncio
import socket
import struct

from gateway_world import Client, World, until


async def test_a_log_in_is_answered_and_data_is_acknowledged_after_the_commit(
    world: World,
) -> None:
    world.ingest.manual = True
    device = await world.device()
    device.send("DATA a\n")
    await until(lambda: world.ingest.queue)
    assert await device.silent()
    world.ingest.commit()
    assert await device.line() == "ACK a"
    assert world.ingest.stored == [(1, "a")]


async def test_log_in_and_data_in_one_segment(world: World) -> None:
    world.directory.delay = 0.05
    device = await world.tcp()
    device.send("HELLO d1\nDATA a\nPING\nDATA b\n")
    assert [await device.line() for _ in range(4)] == ["OK", "ACK a", "PONG", "ACK b"]


async def test_bytes_one_by_one(world: World) -> None:
    device = await world.tcp()
    for byte in b"HELLO d1\nDATA a\n":
        device.send(bytes([byte]))
        await asyncio.sleep(0.001)
    assert [await device.line(), await device.line()] == ["OK", "ACK a"]


async def test_replies_keep_the_order_of_the_frames(world: World) -> None:
    world.ingest.manual = True
    device = await world.device()
    device.send("DATA a\nPING\nDATA b\n")
    await until(lambda: len(world.ingest.queue) == 2)
    assert await device.silent()
    # The second commit is done before the first.
    (_, _, first), (_, _, second) = world.ingest.queue
    second(None)
    assert await device.silent()
    first(None)
    assert [await device.line() for _ in range(3)] == ["ACK a", "PONG", "ACK b"]


async def test_what_cannot_be_stored_is_not_acknowledged_and_the_device_may_come_back(
    world: World,
) -> None:
    device = await world.device()
    world.ingest.error = RuntimeError("the disk is full")
    device.send("DATA a\n")
    assert await device.closed() == b""
    assert ("note", "closed: not stored: the disk is full") in world.tap("d1")
    world.ingest.error = None
    device = await world.device()
    device.send("DATA a\n")
    assert await device.line() == "ACK a"


async def test_garbage_closes_with_a_reason(world: World) -> None:
    device = await world.tcp()
    device.send(b"\x00\x01\x02\x03")
    assert await device.closed() == b""
    assert world.notes() == ["closed: a line begins with a letter, not bytearray(b'\\x00')"]


async def test_what_came_whole_before_garbage_still_counts(world: World) -> None:
    device = await world.device()
    device.send(b"DATA a\n\xff\xff")
    await device.closed()
    assert world.ingest.whats == ["a"]


async def test_a_frame_over_the_bound_closes(world: World) -> None:
    device = await world.device()
    device.send("DATA " + "x" * 500)
    assert await device.closed() == b""
    assert "no frame ends within 200 bytes" in str(world.tap("d1")[-1][1])


async def test_data_before_the_device_said_who_it_is(world: World) -> None:
    device = await world.tcp()
    device.send("DATA a\n")
    assert await device.closed() == b""
    assert world.notes() == ["closed: data before the device said who it is"]
    assert not world.ingest.stored


async def test_a_fault_in_a_decoder_hurts_only_its_connection(world: World) -> None:
    good, bad = await world.device(), await world.device()
    bad.send("CRASH\n")
    assert await bad.closed() == b""
    good.send("DATA a\n")
    assert await good.line() == "ACK a"
    assert ("note", "closed: internal error in the decoder") in world.tap("d1")


async def test_an_unusable_device_id(world: World) -> None:
    for wrong in ("", "x" * 150, "tab\there"):
        device = await world.tcp()
        device.send(f"HELLO {wrong}\n")
        assert await device.closed() == b""
    assert all("no usable device id" in note for note in world.notes())


async def test_a_frame_that_needs_the_record_is_read_again_with_it(world: World) -> None:
    device = await world.tcp()
    device.send("MODEL d1\n")
    assert await device.line() == "MODEL m1"
    stranger = await world.tcp()
    stranger.send("MODEL nobody\n")
    assert await stranger.line() == "MODEL None"


async def test_the_protocol_may_end_the_connection(world: World) -> None:
    device = await world.device()
    device.send("DATA a\nBYE\nDATA b\n")
    assert await device.closed() == b"ACK a\nBYE\n"


async def test_a_device_that_sends_and_leaves_is_stored(world: World) -> None:
    world.directory.delay = 0.05
    for how in ("close", "end", "reset"):
        device = await world.tcp()
        device.send(f"HELLO d1\nDATA {how}\n")
        await device.writer.drain()
        if how == "end":
            device.writer.write_eof()
            assert await device.closed() == b"OK\nACK end\n"
        elif how == "reset":
            await asyncio.sleep(0.01)
            sock: socket.socket = device.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            device.writer.transport.abort()
        else:
            device.writer.close()
        await until(lambda how=how: how in world.ingest.whats)  # type: ignore[misc]
    await until(lambda: not world.gateway.open)
    assert world.gateway.admission.count == 0
    assert world.ingest.opened[1] == 0
    assert world.directory.watchers == 0


async def test_silent_connections_are_closed(start: object) -> None:
    world = await start(connection_hello=1, connection_idle=1)  # type: ignore[operator]
    world.directory.register("d1", 1)
    nobody, device = await world.tcp(), await world.device()
    half = await world.tcp()
    half.send("HEL")
    assert await nobody.closed() == b""
    assert await half.closed() == b""
    assert await device.closed() == b""
    assert "closed: did not say who it is within 1 s" in world.notes()
    assert world.tap("d1")[-1] == ("note", "closed: silent for 1 s")


async def test_limits_on_connections(start: object) -> None:
    world = await start(connections_per_address=2)  # type: ignore[operator]
    world.directory.register("d1", 1)
    first, second = await world.device(), await world.device()
    third = await world.tcp()
    assert await third.closed() == b""
    assert "refused: the setting connections_per_address allows no more" in world.notes()
    await first.close()
    await until(lambda: world.gateway.admission.count == 1)
    again = await world.device()
    again.send("DATA a\n")
    assert await again.line() == "ACK a"
    await second.close()


async def test_a_rate_slows_down_and_loses_nothing(start: object) -> None:
    world = await start(connection_rate=20)  # type: ignore[operator]
    world.directory.register("d1", 1)
    device = await world.device()
    begin = asyncio.get_running_loop().time()
    device.send("".join(f"DATA {n}\n" for n in range(30)))
    assert [await device.line() for _ in range(30)] == [f"ACK {n}" for n in range(30)]
    assert 0.3 < asyncio.get_running_loop().time() - begin < 3


async def test_a_device_that_waits_for_no_answer_is_held_back_and_loses_nothing(
    world: World,
) -> None:
    world.ingest.manual = True
    device = await world.device()
    device.send("".join(f"DATA {n}\n" for n in range(500)))
    await until(lambda: len(world.ingest.queue) >= 64)
    await asyncio.sleep(0.05)
    assert len(world.ingest.queue) == 64
    world.ingest.manual = False
    world.ingest.commit()
    assert [await device.line() for _ in range(500)] == [f"ACK {n}" for n in range(500)]


async def test_a_full_queue_stops_reading(world: World) -> None:
    devices = [await world.device() for _ in range(5)]
    world.ingest.full = True
    for number, device in enumerate(devices):
        device.send(f"DATA {number}\n" * 100)
    await asyncio.sleep(0.05)
    for device in devices:
        device.send("DATA late\n")
    await asyncio.sleep(0.05)
    assert not world.ingest.stored
    world.ingest.make_room()
    for number, device in enumerate(devices):
        assert [await device.line() for _ in range(101)] == [f"ACK {number}"] * 100 + ["ACK late"]


async def test_a_device_that_does_not_read_is_not_read_from(world: World) -> None:
    device = await world.device()
    transport = device.reader._transport  # type: ignore[attr-defined]
    transport.pause_reading()
    flood = b"PING\n" * 20_000
    sent = 0
    try:
        for _ in range(200):
            device.send(flood)
            sent += 20_000
            await asyncio.wait_for(device.writer.drain(), 0.3)
    except TimeoutError:
        pass
    (session,) = world.gateway.sessions
    assert session.unacknowledged <= 64
    assert transport.get_write_buffer_size() > 0  # it is held back
    other = await world.device()
    other.send("DATA a\n")
    assert await other.line() == "ACK a"
    device.writer.transport.abort()


async def test_one_busy_device_does_not_hold_up_the_others(world: World) -> None:
    busy, other = await world.device(), await world.device()
    busy.send(b"PING\n" * 200_000)
    await asyncio.sleep(0.01)
    begin = asyncio.get_running_loop().time()
    other.send("PING\n")
    assert await other.line() == "PONG"
    assert asyncio.get_running_loop().time() - begin < 0.5
    busy.writer.transport.abort()


async def test_two_live_connections_of_one_device_are_seen_and_both_go_on(world: World) -> None:
    first, second = await world.device(), await world.device()
    for device in (first, second):
        device.send("DATA a\n")
        assert await device.line() == "ACK a"
    sessions = world.gateway.sessions.find("d1")
    assert sorted(session.superseded for session in sessions) == [False, True]
    assert {session.source_id for session in sessions} == {1}


async def test_another_device_on_the_same_connection(world: World) -> None:
    world.directory.register("d2", 2)
    device = await world.device()
    device.send("DATA a\nHELLO d2\nDATA b\n")
    assert [await device.line() for _ in range(3)] == ["ACK a", "OK", "ACK b"]
    assert world.ingest.stored == [(1, "a"), (2, "b")]
    assert world.ingest.opened == {1: 0, 2: 1}
    assert ("in", b"HELLO d1\n") in world.tap("d1")


async def test_a_packet_about_several_devices(world: World) -> None:
    world.directory.register("beacon", 7)
    device = await world.device()
    device.send("FOR beacon x\nFOR stranger y\nDATA z\n")
    assert [await device.line() for _ in range(3)] == ["ACK both", "ACK both", "ACK z"]
    assert world.ingest.stored == [(1, "own"), (7, "x"), (1, "own"), (1, "z")]
    assert world.ingest.opened[7] == 0


async def test_a_wrong_password_is_refused(world: World) -> None:
    world.directory.register("d2", 2, password="secret")
    wrong = await world.tcp()
    wrong.send("HELLO d2 guess\n")
    assert await wrong.closed() == b""
    right = await world.tcp()
    right.send("HELLO d2 secret\nDATA a\n")
    assert [await right.line(), await right.line()] == ["OK", "ACK a"]


async def test_a_directory_that_is_away_closes_the_connection(world: World) -> None:
    world.directory.error = OSError("no database")
    device = await world.tcp()
    device.send("HELLO d1\nDATA a\n")
    assert await device.closed() == b""
    world.directory.error = None
    world.ingest.open_error = OSError("no database")
    device = await world.tcp()
    device.send("HELLO d1\nDATA a\n")
    assert await device.closed() == b""
    world.ingest.open_error = None
    device = await world.device()
    device.send("DATA a\n")
    assert await device.line() == "ACK a"


async def test_the_tap_shows_both_directions_and_the_end(world: World) -> None:
    device = await world.device()
    device.send("DATA a\n")
    await device.line()
    await device.close()
    await until(lambda: not world.gateway.open)
    assert world.tap("d1") == [
        ("in", b"HELLO d1\n"),
        ("out", b"OK\n"),
        ("in", b"DATA a\n"),
        ("out", b"ACK a\n"),
        ("note", "closed: closed by the device"),
    ]


async def test_stopping_lets_commits_end_and_answers_leave(world: World) -> None:
    world.ingest.manual = True
    device = await world.device()
    device.send("DATA a\n")
    await until(lambda: world.ingest.queue)
    stopping = asyncio.create_task(world.gateway.stop())
    await asyncio.sleep(0.05)
    device.send("DATA b\n")  # too late: not read, not acknowledged
    world.ingest.commit()
    assert await device.closed() == b"ACK a\n"
    await stopping
    assert world.ingest.whats == ["a"]
    try:
        refused: Client | None = await world.tcp()
    except OSError:
        refused = None
    assert refused is None
