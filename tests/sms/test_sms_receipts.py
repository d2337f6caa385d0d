"""Delivery receipts, whatever form the SMSC gives them, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sms_center import SmsCenter
from sms_stage import PHONES, open_stage

from waypost.sms import queue

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("form", ["both", "text", "parameters"])
@pytest.mark.parametrize(
    ("sent", "reported"),
    [
        ("text", "text"),
        ("decimal", "decimal"),
        ("hexadecimal", "decimal"),
        ("decimal", "hexadecimal"),
        ("hexadecimal", "hexadecimal"),
    ],
)
async def test_ids_in_every_form(
    center: SmsCenter, data_dir: Path, sent: str, reported: str, form: str
) -> None:
    center.set(ids=sent, receipts={"delay": 0, "ids": reported, "form": form})
    settings = center.settings(sms_smpp_sent_id=sent, sms_smpp_report_id=reported)
    async with open_stage(data_dir, **settings) as stage:
        await stage.becomes(await stage.tell("hello"), "acknowledged")
        await center.heard("delivered", status=0)


@pytest.mark.parametrize("delay", [None, 0, 100])
@pytest.mark.parametrize("reliable", [True, False])
async def test_receipts_early_and_late(
    center: SmsCenter, data_dir: Path, database_url: str, delay: int | None, reliable: bool
) -> None:
    """One that overtakes the answer to the submission counts, too."""
    center.set(receipts={"delay": delay})
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        short = await stage.tell("hello", reliable=reliable)
        long = await stage.tell("x" * 400, 2, reliable=reliable)
        for command in (short, long):
            await stage.becomes(command, "acknowledged")
            assert await stage.attempts(command) == ["delivered"]
        await center.heard("delivered", 4, status=0)


@pytest.mark.parametrize(
    ("stat", "reason"),
    [
        ("UNDELIV", "the network reports UNDELIV, error 005"),
        ("EXPIRED", "the network reports EXPIRED, error 005"),
        ("REJECTD", "the network reports REJECTD, error 005"),
    ],
)
async def test_what_did_not_arrive(
    center: SmsCenter, data_dir: Path, database_url: str, stat: str, reason: str
) -> None:
    center.set(receipts={"delay": 0, "stat": stat, "err": "005"})
    settings = center.settings(command_timeout=1, sms_attempts=2)
    async with open_stage(data_dir, database_url, **settings) as stage:
        once = await stage.tell("once", reliable=False)
        row = await stage.becomes(once, "failed")
        assert row.error == reason
        assert await stage.attempts(once) == ["undelivered"]
        again = await stage.tell("again", 2)
        row = await stage.becomes(again, "failed")
        assert row.error == f"{reason} (2 attempts)"
        assert await stage.attempts(again) == ["undelivered", "undelivered"]


async def test_one_part_that_did_not_arrive_spoils_the_whole(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    good, bad = {"delay": 0}, {"delay": 0, "stat": "UNDELIV"}
    center.answer({"receipt": good}, {"receipt": bad}, {"receipt": good})
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        command = await stage.tell("x" * 400, reliable=False)
        await stage.becomes(command, "failed")


async def test_news_on_the_way_ends_nothing(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await stage.tell("hello")
        await stage.sent(command)
        (sent,) = center.all("submit")
        for number, stat in enumerate(("ENROUTE", "ACCEPTD"), 1):
            center.receipt(sent["id"], stat=stat)
            await center.heard("delivered", number, status=0)
        row = await stage.command(command)
        assert (row.state, row.finished_at) == ("sent", None)
        # The last word counts, and only the first of the last words.
        for number, stat in enumerate(("DELIVRD", "UNDELIV"), 3):
            center.receipt(sent["id"], stat=stat)
            await center.heard("delivered", number, status=0)
        assert (await stage.command(command)).state == "acknowledged"
        assert await stage.attempts(command) == ["delivered"]


async def test_receipts_on_unknown_ids_and_unreadable_ones(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        await center.heard("bind")
        center.receipt("no-such-id")
        center.receipt("x" * 3000, form="parameters")
        center.receipt("a\0b", form="parameters")
        await center.heard("delivered", 3, status=0)
        receipt: dict[str, Any] = {"fields": {"esm_class": 4, "data_coding": 0}}
        center.deliver("1", "this is no receipt", tag="bad", **receipt)
        (bad,) = await center.heard("delivered", tag="bad")
        assert bad["status"] != 0
        await stage.sent(await stage.tell("hello"))


async def test_the_message_in_a_receipt_decides_nothing(center: SmsCenter, data_dir: Path) -> None:
    """A receipt ends with the beginning of the message, which somebody wrote."""
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await stage.tell("hello", reliable=False)
        await stage.sent(command)
        (sent,) = center.all("submit")
        text = f"id:{sent['id']} sub:001 dlvrd:000 stat:UNDELIV err:1 text:stat:DELIVRD id:7"
        center.deliver("1", text, fields={"esm_class": 4, "data_coding": 0})
        row = await stage.becomes(command, "failed")
        assert row.error == "the network reports UNDELIV, error 1"


async def test_a_receipt_after_the_answer_of_the_device(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        command = await stage.tell("getver")
        await stage.sent(command)
        center.deliver(PHONES[1], "Ver:03.27")
        await stage.becomes(command, "acknowledged")
        (sent,) = center.all("submit")
        center.receipt(sent["id"])
        await center.heard("delivered", 2, status=0)
        row = await stage.command(command)
        assert (row.state, row.answer) == ("acknowledged", "Ver:03.27")
        assert await stage.attempts(command) == ["answered"]


async def test_a_centre_without_receipts(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings(sms_smpp_reports=False)) as stage:
        command = await stage.tell("hello")
        row = await stage.until(command, lambda row: row.finished_at)
        assert (row.state, await stage.attempts(command)) == ("sent", ["unanswered"])
        (sent,) = center.all("submit")
        assert sent["registered_delivery"] == 0


async def test_no_receipt_within_its_life_says_so(
    center: SmsCenter, data_dir: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LATE_REPORT", 0)
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        command = await stage.tell("hello", life=400)
        await stage.sent(command)

        async def over() -> bool:
            assert stage.sender is not None
            await stage.sender.expire()
            return bool((await stage.command(command)).finished_at)

        while not await over():
            pass
        row = await stage.command(command)
        assert (row.state, row.error) == ("expired", "no delivery report came")
        # It comes all the same.
        (sent,) = center.all("submit")
        center.receipt(sent["id"])
        await stage.becomes(command, "acknowledged")
