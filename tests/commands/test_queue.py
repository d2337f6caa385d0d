"""The queue's promises: at least once or at most once, in order, never two for one attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from waypost.bus.local import LocalBus
from waypost.commands import Attempt, CommandQueue
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import command_attempts, commands, dealers, metadata, sources

NOW = 1_790_000_000_000
MINUTE = 60_000


@pytest.fixture
async def database(database_url: str, data_dir: Path) -> AsyncIterator[Database]:
    opened = await Database.open(Settings(database=database_url, data_dir=data_dir))
    async with opened.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(insert(dealers).values(id=1, title="", created_at=NOW))
        for number in (1, 2):
            await connection.execute(
                insert(sources).values(
                    id=number,
                    device_id=f"d{number}",
                    model="m",
                    dealer_id=1,
                    creation_date=date(2026, 1, 1),
                    registered_at=NOW,
                )
            )
    yield opened
    await opened.close()


@pytest.fixture
def queue(database: Database) -> CommandQueue:
    return CommandQueue(database, LocalBus(), Settings())


async def row(database: Database, command_id: int) -> Any:
    async with database.read() as connection:
        query = select(commands).where(commands.c.id == command_id)
        return (await connection.execute(query)).one()


async def attempts(database: Database, command_id: int) -> list[tuple[int, str, str | None]]:
    query = (
        select(command_attempts.c.number, command_attempts.c.gateway, command_attempts.c.outcome)
        .where(command_attempts.c.command_id == command_id)
        .order_by(command_attempts.c.number)
    )
    async with database.read() as connection:
        return [tuple(found) for found in await connection.execute(query)]


async def claim(queue: CommandQueue, source_id: int = 1, now: int = NOW) -> Attempt:
    attempt, _ = await queue.claim(source_id, "g1", now=now)
    assert attempt is not None
    return attempt


async def test_a_command_goes_from_the_request_to_the_answer(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"getinfo", "text", True, now=NOW, user_id=3)
    assert (await row(database, command_id)).state == "queued"
    assert await queue.waiting([1, 2]) == {1}
    attempt = await claim(queue)
    assert (attempt.command_id, attempt.number, attempt.payload) == (command_id, 1, b"getinfo")
    sent = await row(database, command_id)
    assert (sent.state, sent.sent_at, sent.attempts) == ("sent", NOW, 1)
    assert await queue.waiting([1, 2]) == set()
    await queue.keyed(attempt, "77")
    await queue.answered(attempt, "all\0 well", ok=True, now=NOW + 5)
    done = await row(database, command_id)
    assert (done.state, done.answer, done.finished_at) == ("acknowledged", "all well", NOW + 5)
    assert await attempts(database, command_id) == [(1, "g1", "answered")]


async def test_who_listens_is_told(database: Database) -> None:
    bus = LocalBus()
    told: list[str] = []
    await bus.subscribe("command.*", lambda subject, payload: told.append(subject))
    queue = CommandQueue(database, bus, Settings())
    command_id = await queue.enqueue(2, b"x", "text", True, now=NOW)
    await queue.cancel(command_id, now=NOW)
    assert told == ["command.2", "command.2"]


async def test_commands_keep_their_order_and_their_source(queue: CommandQueue) -> None:
    for payload in (b"one", b"two", b"three"):
        await queue.enqueue(1, payload, "text", True, now=NOW)
    await queue.enqueue(2, b"other", "hex", False, now=NOW)
    assert [(await claim(queue)).payload for _ in range(3)] == [b"one", b"two", b"three"]
    assert await queue.claim(1, "g1", now=NOW) == (None, None)
    other = await claim(queue, 2)
    assert (other.payload, other.kind, other.reliable) == (b"other", "hex", False)


async def test_two_gateways_never_have_one_attempt(database: Database, queue: CommandQueue) -> None:
    ids = [await queue.enqueue(1, b"x", "text", True, now=NOW) for _ in range(6)]
    claims = await asyncio.gather(*(queue.claim(1, f"g{n}", now=NOW) for n in range(12)))
    got = [attempt.command_id for attempt, _ in claims if attempt is not None]
    rest = []
    while (left := (await queue.claim(1, "late", now=NOW))[0]) is not None:
        rest.append(left.command_id)
    assert sorted(got + rest) == ids


async def test_a_reliable_command_is_repeated_with_growing_waits(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    now, waits = NOW, []
    for _ in range(4):
        attempt = await claim(queue, now=now)
        sent = now
        await queue.timed_out(attempt, now=now + MINUTE)
        none, due = await queue.claim(1, "g1", now=now + 1)
        assert none is None
        assert due is not None
        waits.append((due - sent) // MINUTE)
        now = due
    assert waits == [1, 2, 4, 8]
    assert (await row(database, command_id)).state == "queued"


async def test_a_lost_connection_is_tried_at_once_and_then_less_often(
    queue: CommandQueue,
) -> None:
    await queue.enqueue(1, b"restart", "text", True, now=NOW)
    await queue.disconnected(await claim(queue), now=NOW + 10)
    await queue.disconnected(await claim(queue, now=NOW + 20), now=NOW + 30)
    none, due = await queue.claim(1, "g1", now=NOW + 40)
    assert none is None
    assert due == NOW + 20 + MINUTE


async def test_one_that_waits_does_not_hold_up_the_next(queue: CommandQueue) -> None:
    await queue.enqueue(1, b"never answered", "text", True, now=NOW)
    await queue.enqueue(1, b"next", "text", True, now=NOW)
    await queue.timed_out(await claim(queue), now=NOW + 1)
    assert (await claim(queue, now=NOW + 2)).payload == b"next"


@pytest.mark.parametrize("how", ["timed_out", "disconnected"])
async def test_one_that_is_not_reliable_is_sent_once(
    database: Database, queue: CommandQueue, how: str
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", False, now=NOW)
    await getattr(queue, how)(await claim(queue), now=NOW + 5)
    failed = await row(database, command_id)
    assert (failed.state, failed.finished_at) == ("failed", NOW + 5)
    assert failed.error
    assert await queue.claim(1, "g1", now=NOW + 10 * MINUTE) == (None, None)


async def test_what_cannot_be_encoded_fails_with_its_reason(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    await queue.refused(await claim(queue), "longer than 50 characters", now=NOW)
    failed = await row(database, command_id)
    assert (failed.state, failed.error) == ("failed", "longer than 50 characters")


async def test_a_device_may_refuse(database: Database, queue: CommandQueue) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    await queue.answered(await claim(queue), "ERROR", ok=False, now=NOW)
    failed = await row(database, command_id)
    assert (failed.state, failed.answer) == ("failed", "ERROR")


async def test_a_protocol_without_answers(database: Database, queue: CommandQueue) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    await queue.delivered(await claim(queue), now=NOW)
    sent = await row(database, command_id)
    assert (sent.state, sent.finished_at) == ("sent", NOW)
    await queue.sweep(now=NOW + 30 * 86_400_000)
    assert (await row(database, command_id)).state == "sent"


async def test_a_crashed_gateway_finds_what_it_left(
    database: Database, queue: CommandQueue
) -> None:
    reliable = await queue.enqueue(1, b"x", "text", True, now=NOW)
    other = await queue.enqueue(1, b"y", "text", False, now=NOW)
    foreign = await queue.enqueue(2, b"z", "text", True, now=NOW)
    await claim(queue)
    await claim(queue)
    await queue.claim(2, "g2", now=NOW)
    assert await queue.recover("g1", now=NOW + 1) == 2
    assert (await row(database, reliable)).state == "queued"
    failed = await row(database, other)
    assert (failed.state, failed.error) == ("failed", "the server stopped before an answer")
    assert (await row(database, foreign)).state == "sent"
    assert (await claim(queue, now=NOW + 2)).number == 2


async def test_the_only_gateway_finds_what_any_left(
    database: Database, queue: CommandQueue
) -> None:
    """Its name is another one after the crash where its ports are."""
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    await claim(queue)
    assert await queue.recover(None, now=NOW + 1) == 1
    assert (await row(database, command_id)).error == "the server stopped before an answer"
    assert (await claim(queue, now=NOW + 2)).number == 2


async def test_instructions_that_take_long_are_not_taken_for_lost(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"{}", "registration", True, now=NOW)
    attempt = await claim(queue)
    for minute in (2, 4, 6):
        await queue.goes_on(attempt, now=NOW + minute * MINUTE)
        await queue.sweep(now=NOW + (minute + 1) * MINUTE)
    assert (await row(database, command_id)).state == "sent"


async def test_attempts_of_gateways_that_are_no_more_are_found(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    await claim(queue)
    await queue.sweep(now=NOW + 2 * MINUTE)
    assert (await row(database, command_id)).state == "sent"
    await queue.sweep(now=NOW + 4 * MINUTE)
    assert (await row(database, command_id)).state == "queued"
    assert await attempts(database, command_id) == [(1, "g1", "gateway_lost")]


async def test_the_end_of_its_life(database: Database, queue: CommandQueue) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    end = NOW + 7 * 86_400_000
    await queue.sweep(now=end - 1)
    assert (await row(database, command_id)).state == "queued"
    assert await queue.claim(1, "g1", now=end) == (None, None)
    await queue.sweep(now=end)
    expired = await row(database, command_id)
    assert (expired.state, expired.finished_at) == ("expired", end)


async def test_cancelling(database: Database, queue: CommandQueue) -> None:
    first = await queue.enqueue(1, b"x", "text", True, now=NOW)
    second = await queue.enqueue(1, b"y", "text", True, now=NOW)
    assert await queue.cancel(first, now=NOW)
    attempt = await claim(queue)
    assert attempt.command_id == second
    assert await queue.cancel(second, now=NOW)
    await queue.timed_out(attempt, now=NOW + MINUTE)
    assert await queue.claim(1, "g1", now=NOW + 60 * MINUTE) == (None, None)
    assert {(await row(database, one)).state for one in (first, second)} == {"cancelled"}
    assert not await queue.cancel(second, now=NOW)


@pytest.mark.parametrize("how", ["timed_out", "disconnected"])
@pytest.mark.parametrize("reliable", [True, False])
async def test_a_late_answer_counts(
    database: Database, queue: CommandQueue, how: str, reliable: bool
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", reliable, now=NOW)
    attempt = await claim(queue)
    await queue.keyed(attempt, "5")
    await getattr(queue, how)(attempt, now=NOW + MINUTE)
    later = NOW + 2 * MINUTE
    assert not await queue.late_answer(2, "well", key=None, ok=True, now=later)
    assert not await queue.late_answer(1, "well", key="6", ok=True, now=later)
    assert await queue.late_answer(1, "well", key="5", ok=True, now=later)
    assert (await row(database, command_id)).state == "acknowledged"
    assert not await queue.late_answer(1, "well", key=None, ok=True, now=later)


async def test_an_attempt_ends_once(database: Database, queue: CommandQueue) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    attempt = await claim(queue)
    await queue.answered(attempt, "well", ok=True, now=NOW + 1)
    await queue.timed_out(attempt, now=NOW + 2)
    await queue.disconnected(attempt, now=NOW + 3)
    assert (await row(database, command_id)).state == "acknowledged"
    assert await attempts(database, command_id) == [(1, "g1", "answered")]


async def test_an_old_attempt_does_not_end_a_newer_one(
    database: Database, queue: CommandQueue
) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    old = await claim(queue)
    await queue.recover("g1", now=NOW + 1)
    await claim(queue, now=NOW + 2)
    await queue.timed_out(old, now=NOW + 3)
    assert (await row(database, command_id)).state == "sent"


async def test_commands_by_sms_are_left_alone(database: Database, queue: CommandQueue) -> None:
    command_id = await queue.enqueue(1, b"x", "text", True, now=NOW)
    async with database.begin() as connection:
        await connection.execute(update(commands).values(channel="sms"))
    assert await queue.waiting([1]) == set()
    assert await queue.claim(1, "g1", now=NOW) == (None, None)
    assert (await row(database, command_id)).state == "queued"


async def test_many_at_once_each_their_own(database: Database, queue: CommandQueue) -> None:
    """Forty gateways ask at once while one write cannot be made: each command is claimed once, in
    order, and only the one write fails."""
    given = [await queue.enqueue(1, b"x", "text", True, now=NOW) for _ in range(30)]
    asked = [queue.claim(1, f"g{number}", now=NOW) for number in range(40)]
    wrong = queue.keyed(Attempt(2**70, 1, 1, "text", b"", True, NOW), "key")
    async with asyncio.timeout(30):
        *claimed, failed = await asyncio.gather(*asked, wrong, return_exceptions=True)
    assert isinstance(failed, Exception)
    found = [one[0].command_id for one in claimed if one[0] is not None]
    assert sorted(found) == given
    assert database.sqlite is False or found == given
    for command_id in given:
        assert len(await attempts(database, command_id)) == 1
