"""Commands reach devices, and their answers are kept."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date
from typing import Any

import pytest
from gateway_world import Client, World, until
from sqlalchemy import insert, select

from waypost.clock import now_ms
from waypost.store.tables import command_attempts, commands, dealers, sources


@pytest.fixture
async def world(start: Any) -> World:
    """One registered device, and commands that wait one second for their answer."""
    running: World = await start(command_timeout=1)
    await add_source(running)
    return running


async def add_source(world: World) -> None:
    async with world.database.begin() as connection:
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
    world.directory.register("d1", 1)


async def give(world: World, text: str, *, reliable: bool = True) -> int:
    found: int = await world.queue.enqueue(1, text.encode(), "text", reliable, now=now_ms())
    return found


async def state(world: World, command_id: int) -> tuple[str, str | None, str | None]:
    query = select(commands.c.state, commands.c.answer, commands.c.error)
    async with world.database.read() as connection:
        row = (await connection.execute(query.where(commands.c.id == command_id))).one()
    return tuple(row)


async def becomes(world: World, command_id: int, wanted: str) -> tuple[str | None, str | None]:
    """Waits for a state; returns answer and error."""
    for _ in range(500):
        found, answer, error = await state(world, command_id)
        if found == wanted:
            return answer, error
        await asyncio.sleep(0.01)
    raise AssertionError(f"{found} instead of {wanted}")


async def test_a_connected_device_gets_it_at_once(world: World) -> None:
    device = await world.device()
    command_id = await give(world, "getinfo")
    assert await device.line() == f"CMD {command_id} getinfo"
    device.send(f"SAY {command_id} all well\n")
    assert await becomes(world, command_id, "acknowledged") == ("all well", None)


async def test_an_absent_device_gets_it_when_it_connects(world: World) -> None:
    first, second = await give(world, "one"), await give(world, "two")
    device = await world.device()
    assert await device.line() == f"CMD {first} one"
    assert await device.silent()  # one at a time
    device.send("SAY  done\n")  # an answer without a key means the oldest
    assert await device.line() == f"CMD {second} two"
    device.send(f"SAY {second} no\n")
    assert (await becomes(world, first, "acknowledged"))[0] == "done"
    assert await becomes(world, second, "failed") == ("no", "the device refused it")


async def test_a_lost_connection_repeats_a_reliable_command_only(world: World) -> None:
    device = await world.device()
    first = await give(world, "one")
    assert await device.line() == f"CMD {first} one"
    await device.close()
    await becomes(world, first, "queued")
    device = await world.device()
    assert await device.line() == f"CMD {first} one"
    device.send(f"SAY {first} ok\n")
    await becomes(world, first, "acknowledged")
    second = await give(world, "two", reliable=False)
    assert await device.line() == f"CMD {second} two"
    await device.close()
    assert await becomes(world, second, "failed") == (
        None,
        "the connection ended before an answer",
    )


async def test_a_silent_device_is_asked_again(world: World) -> None:
    device = await world.device()
    first = await give(world, "one")
    assert await device.line() == f"CMD {first} one"
    assert await device.line() == f"CMD {first} one"
    device.send(f"SAY {first} at last\n")
    assert (await becomes(world, first, "acknowledged"))[0] == "at last"
    second = await give(world, "two", reliable=False)
    assert await device.line() == f"CMD {second} two"
    assert (await becomes(world, second, "failed"))[1] == "no answer within 1 s"
    device.send(f"SAY {second} late\n")
    assert (await becomes(world, second, "acknowledged"))[0] == "late"


async def test_what_the_protocol_cannot_carry_fails(world: World) -> None:
    device = await world.device()
    command_id = await give(world, "x" * 60)
    assert (await becomes(world, command_id, "failed"))[1] == "longer than 50 characters"
    assert await device.silent()


async def test_a_command_without_an_answer_is_sent(world: World) -> None:
    device = await world.device()
    command_id = await give(world, "quiet please")
    assert await device.line() == f"CMD {command_id} quiet please"
    await becomes(world, command_id, "sent")


async def test_the_newest_of_two_connections_gets_it(world: World) -> None:
    older, newer = await world.device(), await world.device()
    first = await give(world, "one")
    assert await newer.line() == f"CMD {first} one"
    newer.send(f"SAY {first} ok\n")
    await becomes(world, first, "acknowledged")
    await newer.close()
    await until(lambda: len(world.gateway.sessions) == 1)
    second = await give(world, "two")
    assert await older.line() == f"CMD {second} two"


async def test_a_udp_device_that_was_just_heard(world: World) -> None:
    device = await world.udp()
    device.send("LOGDATA d1 a\n")
    assert await device.line() == "ACK a"
    command_id = await give(world, "one")
    assert await device.line() == f"CMD {command_id} one"
    device.send(f"SAY {command_id} ok\n")
    await becomes(world, command_id, "acknowledged")


async def test_stopping_gives_back_what_is_under_way(world: World) -> None:
    device = await world.device()
    reliable = await give(world, "one")
    assert await device.line() == f"CMD {reliable} one"
    await world.gateway.stop()
    assert (await state(world, reliable))[0] == "queued"


async def test_two_gateways_share_a_device(start: Any) -> None:
    """The gateway with the newest connection gets the command, and the other notices when that
    one ends. (Here both have one bus, as over NATS.)"""
    first: World = await start()
    await add_source(first)
    older = await first.device()
    second: World = await start()
    second.directory.register("d1", 1)
    for world in (first, second):
        world.gateway.settings.nats = "nats://somewhere"
        world.gateway.settings.database = "postgresql://somewhere"
    # One bus for both.
    second.gateway._bus = first.bus
    await first.bus.subscribe("session.*", second.gateway._on_session)
    newer = await second.device()
    await until(lambda: [one.superseded for one in first.gateway.sessions] == [True])
    second.gateway.commander._target(1)
    assert first.gateway.commander._target(1) is None
    await newer.close()
    await until(lambda: first.gateway.commander._target(1) is not None)
    command_id = await give(first, "one")
    assert await older.line() == f"CMD {command_id} one"


async def test_everything_works_on_a_device_with_commands_and_data(world: World) -> None:
    device: Client = await world.device()
    ids = [await give(world, f"number {n}") for n in range(3)]
    for command_id in ids:
        device.send(f"DATA {command_id}\n")
        lines = {await device.line(), await device.line()}
        assert f"ACK {command_id}" in lines
        device.send(f"SAY {command_id} ok\n")
        await becomes(world, command_id, "acknowledged")


async def test_what_a_protocol_cannot_tell_never_reaches_the_device(world: World) -> None:
    """Settings wait in the queue as JSON; a protocol without words for them must not send that."""
    device = await world.device()
    command_id = await world.queue.enqueue(1, b'{"mode": 1}', "tracking", True, now=now_ms())
    _, error = await becomes(world, command_id, "failed")
    assert error is not None
    assert error.endswith("has no way to tell a device: tracking")
    assert await device.silent()
    later = await give(world, "getinfo")
    assert await device.line() == f"CMD {later} getinfo"


# Instructions of several lines.


async def order(world: World, *lines: str, reliable: bool = True) -> int:
    payload = json.dumps(lines).encode()
    found: int = await world.queue.enqueue(1, payload, "lines", reliable, now=now_ms())
    return found


async def attempts(world: World, command_id: int) -> list[tuple[int, str | None]]:
    query = select(command_attempts.c.number, command_attempts.c.outcome)
    query = query.where(command_attempts.c.command_id == command_id)
    async with world.database.read() as connection:
        found = await connection.execute(query.order_by(command_attempts.c.number))
        return [tuple(row) for row in found]


async def test_each_line_follows_the_answer_to_the_one_before(world: World) -> None:
    device = await world.device()
    command_id = await order(world, "apn x", "server y", "interval 30")
    for line, answer in (("apn x", "ok 1"), ("server y", "ok 2"), ("interval 30", "ok 3")):
        assert await device.line() == f"CMD {command_id} {line}"
        assert await device.silent(0.05)
        assert (await state(world, command_id))[0] == "sent"
        device.send(f"SAY {command_id} {answer}\n")
    assert await becomes(world, command_id, "acknowledged") == ("ok 1\nok 2\nok 3", None)
    assert await attempts(world, command_id) == [(1, "answered")]


async def test_a_password_that_the_device_repeats_is_hidden(world: World) -> None:
    device = await world.device()
    command_id = await order(world, "apn x !s3cret", "interval 30")
    assert await device.line() == f"CMD {command_id} apn x !s3cret"
    device.send(f"SAY {command_id} apn is x, password is !s3cret\n")
    assert await device.line() == f"CMD {command_id} interval 30"
    device.send(f"SAY {command_id} ok\n")
    answer, _ = await becomes(world, command_id, "acknowledged")
    assert answer == "apn is x, password is ***\nok"


async def test_a_refused_line_ends_them(world: World) -> None:
    device = await world.device()
    command_id = await order(world, "one", "two", "three")
    assert await device.line() == f"CMD {command_id} one"
    device.send(f"SAY {command_id} ok\n")
    assert await device.line() == f"CMD {command_id} two"
    device.send(f"SAY {command_id} no\n")
    assert await becomes(world, command_id, "failed") == ("ok\nno", "the device refused it")
    assert await device.silent()
    later = await give(world, "getinfo")
    assert await device.line() == f"CMD {later} getinfo"


@pytest.mark.parametrize("reliable", [True, False])
async def test_a_connection_lost_between_two_lines(world: World, reliable: bool) -> None:
    """From the first line on again: nobody knows how far the device came."""
    device = await world.device()
    command_id = await order(world, "one", "two", reliable=reliable)
    assert await device.line() == f"CMD {command_id} one"
    device.send(f"SAY {command_id} ok\n")
    assert await device.line() == f"CMD {command_id} two"
    await device.close()
    if not reliable:
        _, error = await becomes(world, command_id, "failed")
        assert error == "the connection ended before an answer"
        assert await (await world.device()).silent()
        return
    await becomes(world, command_id, "queued")
    device = await world.device()
    for line in ("one", "two"):
        assert await device.line() == f"CMD {command_id} {line}"
        device.send(f"SAY {command_id} ok\n")
    await becomes(world, command_id, "acknowledged")
    assert await attempts(world, command_id) == [(1, "disconnected"), (2, "answered")]


@pytest.mark.parametrize("reliable", [True, False])
async def test_a_line_without_an_answer_in_time(world: World, reliable: bool) -> None:
    device = await world.device()
    command_id = await order(world, "one", "two", reliable=reliable)
    assert await device.line() == f"CMD {command_id} one"
    device.send(f"SAY {command_id} ok\n")
    assert await device.line() == f"CMD {command_id} two"
    if reliable:
        assert await device.line() == f"CMD {command_id} one"
        assert (await attempts(world, command_id))[0] == (1, "timeout")
    else:
        assert (await becomes(world, command_id, "failed"))[1] == "no answer within 1 s"


async def test_an_answer_to_a_line_that_comes_too_late_is_no_answer_to_all(world: World) -> None:
    device = await world.device()
    command_id = await order(world, "one", "two", reliable=False)
    assert await device.line() == f"CMD {command_id} one"
    await becomes(world, command_id, "failed")
    device.send(f"SAY {command_id} late\n")
    assert await device.silent()
    assert (await state(world, command_id))[0] == "failed"


async def test_lines_that_the_protocol_does_not_answer(world: World) -> None:
    device = await world.device()
    mixed = await order(world, "quiet 1", "loud 2", "quiet 3", "quiet 4", "loud 5", "quiet 6")
    for line in ("quiet 1", "loud 2"):
        assert await device.line() == f"CMD {mixed} {line}"
    assert await device.silent(0.05)
    device.send(f"SAY {mixed} two\n")
    for line in ("quiet 3", "quiet 4", "loud 5"):
        assert await device.line() == f"CMD {mixed} {line}"
    device.send(f"SAY {mixed} five\n")
    assert await device.line() == f"CMD {mixed} quiet 6"
    assert await becomes(world, mixed, "acknowledged") == ("two\nfive", None)
    silent = await order(world, "quiet 1", "quiet 2")
    for line in ("quiet 1", "quiet 2"):
        assert await device.line() == f"CMD {silent} {line}"
    for _ in range(100):
        if (await attempts(world, silent))[-1:] == [(1, "unanswered")]:
            break
        await asyncio.sleep(0.01)
    assert (await state(world, silent))[0] == "sent"


@pytest.mark.parametrize("lines", [["one", "x" * 60], []])
async def test_a_line_that_is_too_long_keeps_all_of_them_back(
    world: World, lines: list[str]
) -> None:
    device = await world.device()
    command_id = await order(world, *lines)
    _, error = await becomes(world, command_id, "failed")
    assert error in ("longer than 50 characters", "line needs nothing said for: lines")
    assert await device.silent()


# Many, and strange answers.


async def test_answers_to_nothing_do_no_harm(world: World) -> None:
    device = await world.device()
    device.send("SAY 99 what?\nSAY  hello\n")
    command_id = await give(world, "one")
    assert await device.line() == f"CMD {command_id} one"
    device.send(f"SAY 99 no\nSAY {command_id} ok\nSAY {command_id} ok again\n")
    assert await becomes(world, command_id, "acknowledged") == ("ok", None)


async def test_ten_thousand_commands_for_one_device(world: World) -> None:
    """They go out one by one, in order, as fast at the front of a long queue as of a short one;
    other devices and data do not wait for them."""
    row = {
        "source_id": 1,
        "channel": "gprs",
        "kind": "text",
        "reliable": True,
        "state": "queued",
        "created_at": now_ms(),
        "expires_at": now_ms() + 600_000,
        "attempts": 0,
    }
    async with world.database.begin() as connection:
        many = [{**row, "payload": f"number {n}".encode()} for n in range(10_000)]
        await connection.execute(insert(commands), many)
        first = await connection.scalar(select(commands.c.id).order_by(commands.c.id).limit(1))
    device = await world.device()
    began = time.monotonic()
    for n in range(100):
        assert await device.line() == f"CMD {first + n} number {n}"
        device.send(f"SAY {first + n} ok\n")
    assert time.monotonic() - began < 15
    assert await device.line() == f"CMD {first + 100} number 100"
    device.send("DATA 1\n")
    assert await device.line() == "ACK 1"
