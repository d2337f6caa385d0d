"""What the queue promises, whatever the provider: on both engines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sms_stage import now_ms, open_stage
from sqlalchemy import update

from waypost.sms.provider import Accepted, NotSent, Uncertain
from waypost.sms.queue import SmsQueue
from waypost.store.tables import commands, sources

pytestmark = pytest.mark.anyio


async def test_what_cannot_be_said_or_has_nobody_to_go_to_fails(
    data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, started=False, sms_provider="log") as stage:
        async with stage.database.begin() as connection:
            await connection.execute(update(sources).where(sources.c.id == 2).values(phone=None))
        told = {
            await stage.tell("hello", 2): "the device has no phone number",
            await stage.tell("hello", recipient="nobody"): "nobody is no phone number",
            await stage.tell({}, kind="dance"): "",
            await stage.tell("{", kind="registration"): "not a registration",
            await stage.tell("[]", kind="invitation"): "not an invitation",
        }
        fine = await stage.tell("hello")
        await stage.start()
        for command, reason in told.items():
            row = await stage.becomes(command, "failed")
            assert reason in row.error
            assert row.attempts == 0
        await stage.sent(fine)


async def test_a_model_that_nobody_can_tell_anything(data_dir: Path, database_url: str) -> None:
    async with open_stage(data_dir, database_url, sms_provider="log") as stage:
        for model in ("no_such_model", "ios_app"):
            async with stage.database.begin() as connection:
                await connection.execute(update(sources).values(model=model))
            row = await stage.becomes(
                await stage.tell({"type": "sms"}, kind="location_request"), "failed"
            )
            assert row.error


@pytest.mark.parametrize("reliable", [True, False])
async def test_a_sender_that_crashed(data_dir: Path, database_url: str, reliable: bool) -> None:
    async with open_stage(
        data_dir, database_url, started=False, sms_provider="log", command_timeout=1
    ) as stage:
        command = await stage.tell("hello", reliable=reliable)
        queue = SmsQueue(stage.database, stage.settings)
        claimed, _ = await queue.claim(10, (), "one that crashes", now=now_ms())
        assert [each.command_id for each in claimed] == [command]
        assert (await queue.claim(10, (), "another", now=now_ms()))[0] == []
        await stage.start()
        if reliable:
            _, outcomes = await stage.sent_again(command)
            assert outcomes == ["gateway_lost", "unanswered"]
        else:
            row = await stage.becomes(command, "failed")
            assert row.error == "the server stopped while it was being sent"
            assert await stage.attempts(command) == ["gateway_lost"]


async def test_no_attempt_is_claimed_twice(data_dir: Path, database_url: str) -> None:
    async with open_stage(data_dir, database_url, started=False, sms_provider="log") as stage:
        told = [await stage.tell(f"{number}", 1 + number % 2) for number in range(20)]
        queue = SmsQueue(stage.database, stage.settings)
        found = await asyncio.gather(
            *(queue.claim(20, (), f"sender {n}", now=now_ms()) for n in range(4))
        )
        claimed = [each.command_id for batch, _ in found for each in batch]
        assert sorted(claimed) == told
        busy, _ = await queue.claim(20, (1, 2), "s", now=now_ms())
        assert busy == []


async def test_what_did_not_leave_was_no_attempt(data_dir: Path, database_url: str) -> None:
    async with open_stage(data_dir, database_url, started=False, sms_provider="log") as stage:
        command = await stage.tell("hello", reliable=False)
        queue = SmsQueue(stage.database, stage.settings)
        ((each,), _) = await queue.claim(1, (), "s", now=now_ms())
        await queue.settle([(each, NotSent("the line is cut \0" + "x" * 5000))], now=now_ms())
        row = await stage.command(command)
        assert (row.state, row.attempts, row.sent_at) == ("queued", 0, None)
        assert row.error.startswith("the line is cut x")
        assert await stage.attempts(command) == []
        ((each,), _) = await queue.claim(1, (), "s", now=now_ms())
        assert each.number == 1


async def test_waits_grow_and_end(data_dir: Path, database_url: str) -> None:
    async with open_stage(
        data_dir, database_url, started=False, sms_provider="log", sms_attempts=3
    ) as stage:
        command = await stage.tell("hello", life=10**9)
        queue = SmsQueue(stage.database, stage.settings)
        now = now_ms()
        for number, wait in enumerate((60_000, 120_000), 1):
            ((each,), _) = await queue.claim(1, (), "s", now=now)
            assert each.number == number
            await queue.settle([(each, Uncertain("?"))], now=now)
            assert await queue.claim(1, (), "s", now=now + wait - 1) == ([], now + wait)
            now += wait
        ((each,), _) = await queue.claim(1, (), "s", now=now)
        await queue.settle([(each, Uncertain("?"))], now=now)
        row = await stage.command(command)
        assert (row.state, row.error) == ("failed", "? (3 attempts)")


async def test_a_command_taken_back_while_it_is_on_its_way(
    data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, started=False, sms_provider="log") as stage:
        command = await stage.tell("hello")
        queue = SmsQueue(stage.database, stage.settings)
        ((each,), _) = await queue.claim(1, (), "s", now=now_ms())
        async with stage.database.begin() as connection:
            await connection.execute(update(commands).values(state="cancelled", finished_at=1))
        await queue.settle([(each, Accepted(("id",), reported=True))], now=now_ms())
        row = await stage.command(command)
        assert (row.state, row.finished_at) == ("cancelled", 1)
        await queue.settle([(each, Uncertain("?"))], now=now_ms())
        assert (await stage.command(command)).state == "cancelled"


async def test_ten_thousand_wait_while_one_goes_out(data_dir: Path, database_url: str) -> None:
    """A full queue makes a claim no slower than it has to be."""
    async with open_stage(data_dir, database_url, started=False, sms_provider="log") as stage:
        row = {
            "source_id": 1,
            "channel": "sms",
            "kind": "text",
            "payload": b"hello",
            "reliable": True,
            "state": "queued",
            "created_at": now_ms(),
            "expires_at": now_ms() + 3_600_000,
        }
        async with stage.database.begin() as connection:
            await connection.execute(commands.insert(), [row] * 10_000)
        queue = SmsQueue(stage.database, stage.settings)
        assert await queue.queued() == 10_000
        for _ in range(20):
            claimed, _ = await queue.claim(10, (), "s", now=now_ms())
            assert len(claimed) == 10
            await queue.settle([(each, Accepted()) for each in claimed], now=now_ms())
        assert await queue.queued() == 9_800
        await queue.fail_open("no SMS provider is set up", now=now_ms())
        assert await queue.queued() == 0
