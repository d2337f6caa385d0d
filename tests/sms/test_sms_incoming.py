"""SMS from outside: answers of devices, everybody else's, and what is no message at all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog
from sms_center import SmsCenter
from sms_stage import PHONES, REGISTRATION, Stage, open_stage
from sqlalchemy import update

from waypost.commands.shown import shown_payload
from waypost.sms import inbound, smpp_session
from waypost.store.tables import sources

pytestmark = pytest.mark.anyio

STRANGER = "491709999999"


async def ask(stage: Stage, text: str, source_id: int = 1) -> int:
    """A command that is on its way to a device."""
    command = await stage.tell(text, source_id)
    await stage.sent(command)
    return command


async def test_an_answer_ends_its_command(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        command = await ask(stage, "getver")
        other = await ask(stage, "getver", 2)
        center.deliver("+" + PHONES[1], "Ver:03.27 Gerät € 🚚", tag="answer")
        row = await stage.becomes(command, "acknowledged")
        assert row.answer == "Ver:03.27 Gerät € 🚚"
        assert await stage.attempts(command) == ["answered"]
        assert (await stage.command(other)).state == "sent"
        # The centre is told so once it is stored.
        await center.heard("delivered", tag="answer", status=0)
        assert await stage.incoming() == [
            ("answer", "+" + PHONES[1], "Ver:03.27 Gerät € 🚚", command)
        ]


async def test_answers_come_in_the_order_of_the_questions(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        told = [await ask(stage, f"question {number}") for number in range(3)]
        for number in range(4):
            center.deliver(PHONES[1], f"answer {number}", tag=f"answer {number}")
            await center.heard("delivered", tag=f"answer {number}", status=0)
        assert [(await stage.command(command)).answer for command in told] == [
            "answer 0",
            "answer 1",
            "answer 2",
        ]
        assert (await stage.incoming())[-1] == ("unprompted", PHONES[1], "answer 3", None)


async def test_a_command_of_two_texts_has_two_answers(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        command = await stage.tell(REGISTRATION, kind="registration")
        await stage.sent(command)
        assert len(center.texts(PHONES[1])) == 2
        for number in (1, 2, 3):
            center.deliver(PHONES[1], f"ok {number}", tag=f"{number}")
            await center.heard("delivered", tag=f"{number}", status=0)
        assert (await stage.command(command)).answer == "ok 1\nok 2"
        assert [one[0] for one in await stage.incoming()] == ["answer", "answer", "unprompted"]


async def test_passwords_are_seen_by_nobody(center: SmsCenter, data_dir: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with open_stage(data_dir, **center.settings()) as stage:
            command = await stage.tell(REGISTRATION, kind="registration")
            await stage.sent(command)
            center.deliver(PHONES[1], "devpass accepted, 2003:apnsecret", tag="answer")
            await center.heard("delivered", tag="answer", status=0)
            row = await stage.command(command)
            stored = await stage.incoming()
    # The device had them.
    assert all("devpass" in text for text in center.texts(PHONES[1]))
    assert "apnsecret" in center.texts(PHONES[1])[0]
    assert row.answer == "*** accepted, 2003:***"
    listed = shown_payload(row.kind, row.payload, row.shown)
    assert "2003:***" in listed
    assert "gps.example.org" in listed
    for seen in (str(logs), str(stored), listed, str(row.error)):
        assert "devpass" not in seen
        assert "apnsecret" not in seen


async def test_a_password_that_is_a_number_does_not_hide_others(
    center: SmsCenter, data_dir: Path
) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        async with stage.database.begin() as connection:
            await connection.execute(update(sources).values(password="0000"))
        command = await stage.tell({"type": "sms"}, kind="location_request")
        await stage.sent(command)
        center.deliver(PHONES[1], "0000 ok. Lat:52.000012 Lon:0.0000 20000 pwd=0000.", tag="it")
        await center.heard("delivered", tag="it", status=0)
        row = await stage.command(command)
        assert row.answer == "*** ok. Lat:52.000012 Lon:0.0000 20000 pwd=***."
        center.deliver(PHONES[1], "password 0000", tag="unasked")
        await center.heard("delivered", tag="unasked", status=0)
        assert (await stage.incoming())[-1][:3] == ("unprompted", PHONES[1], "password ***")


@pytest.mark.parametrize("how", ["udh", "udh16", "sar"])
@pytest.mark.parametrize("order", [[1, 2, 3], [3, 1, 2], [2, 2, 3, 1]])
async def test_long_answers(center: SmsCenter, data_dir: Path, how: str, order: list[int]) -> None:
    text = "".join(f"{number:03} слово, " for number in range(18))
    assert 2 * 67 < len(text) <= 3 * 67
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getinfo")
        center.deliver(PHONES[1], text, how=how, size=67, order=order, reference=300, tag="part")
        row = await stage.becomes(command, "acknowledged")
        assert row.answer == text
        await center.heard("delivered", len(order), tag="part", status=0)


async def test_a_long_answer_in_one_piece(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getinfo")
        center.deliver(PHONES[1], "x" * 1000, how="payload")
        assert (await stage.becomes(command, "acknowledged")).answer == "x" * 1000


async def test_a_part_that_never_comes(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getinfo")
        center.deliver(PHONES[1], "aaabbbccc", how="udh", size=3, order=[1, 3], tag="part")
        await center.heard("delivered", 2, tag="part", status=0)
        await stage.stop()
        assert (await stage.command(command)).answer == "aaa…ccc"


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, "1b65 00 1b28 6f6b 1b29", "€@{ok}"),
        (1, "6f6b40", "ok@"),
        (3, "4772fc6e", "Grün"),
        (4, "00ff7f", "00ff7f"),
        (6, "b4d0", "Да"),
        (8, "0414 0430", "Да"),
        (8, "0414 04", "Д�"),
        (0xF1, "6f6b", "ok"),
        (0, "", ""),
        (0, "ff", "�"),
        (0, "610062", "a@b"),
    ],
)
async def test_alphabets(
    center: SmsCenter, data_dir: Path, coding: int, octets: str, text: str
) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getinfo")
        fields = {"data_coding": coding}
        center.deliver(PHONES[1], "", hex=octets.replace(" ", ""), fields=fields, tag="it")
        await center.heard("delivered", tag="it", status=0)
        assert (await stage.command(command)).answer == text


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        (PHONES[1], "answer"),
        ("+" + PHONES[1], "answer"),
        ("00" + PHONES[1], "answer"),
        (PHONES[2], "unprompted"),
        (STRANGER, "unknown"),
        ("BANK", "unknown"),
        (f"x{PHONES[1]}", "unknown"),
        ("", "unknown"),
        (PHONES[1][:-1], "unknown"),
    ],
)
async def test_only_the_devices_own_number_answers(
    center: SmsCenter, data_dir: Path, sender: str, kind: str
) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getver")
        center.deliver(sender, "it was me", tag="it")
        await center.heard("delivered", tag="it", status=0)
        assert [one[0] for one in await stage.incoming()] == [kind]
        state = (await stage.command(command)).state
        assert state == ("acknowledged" if kind == "answer" else "sent")


async def test_what_was_not_asked_for_by_sms_has_no_answer(
    center: SmsCenter, data_dir: Path
) -> None:
    """Neither a message to somebody else for the device's sake, nor what never went out."""
    center.answer({}, {"status": 0x0B})
    async with open_stage(data_dir, **center.settings()) as stage:
        invitation = await stage.tell(
            {"label": "Bus", "device_id": "4711"}, kind="invitation", recipient="+49 170 1"
        )
        await stage.sent(invitation)
        refused = await stage.tell("never went out")
        await stage.becomes(refused, "failed")
        assert center.texts("491701") == ["Bus: log in to the tracking app with the id 4711"]
        center.deliver(PHONES[1], "yes?", tag="it")
        await center.heard("delivered", tag="it", status=0)
        assert await stage.incoming() == [("unprompted", PHONES[1], "yes?", None)]


async def test_what_is_no_message(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await ask(stage, "getver")
        header = {"fields": {"esm_class": 0x40, "data_coding": 0}}
        for number, octets in enumerate(("05000302", "0500030b0209", "ff"), 1):
            center.deliver(PHONES[1], "", hex=octets, tag=f"{number}", **header)
            (answer,) = await center.heard("delivered", tag=f"{number}")
            assert answer["status"] != 0
        # A deliver_sm that says nothing at all, and one that ends too early.
        center.order("raw", hex="00000010" + "00000005" + "00000000" + "00001001")
        center.order("raw", hex="00000015" + "00000005" + "00000000" + "00001002" + "0001013439")
        center.deliver(PHONES[1], "Ver:1", tag="good")
        await center.heard("delivered", tag="good", status=0)
        assert (await stage.command(command)).answer == "Ver:1"
        assert len(center.all("bind")) == 1


async def test_many_at_once_are_all_stored(
    center: SmsCenter, data_dir: Path, database_url: str
) -> None:
    async with open_stage(data_dir, database_url, **center.settings()) as stage:
        await center.heard("bind")
        for number in range(300):
            center.deliver(STRANGER, f"{number}", tag="flood")
        await center.heard("delivered", 300, tag="flood", status=0)
        assert len(await stage.incoming()) == 300


async def test_more_than_there_is_room_for_is_to_come_again(
    center: SmsCenter, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "MOST_WAITING", 0)
    async with open_stage(data_dir, **center.settings()) as stage:
        await center.heard("bind")
        center.deliver(STRANGER, "one", tag="one")
        (answer,) = await center.heard("delivered", tag="one")
        assert answer["status"] == 0x64
        monkeypatch.setattr(smpp_session, "MOST_DELIVERIES", 0)
        center.deliver(STRANGER, "two", tag="two")
        (answer,) = await center.heard("delivered", tag="two")
        assert answer["status"] == 0x14
        assert await stage.incoming() == []


async def test_a_database_that_is_away(
    center: SmsCenter, data_dir: Path, postgres: str, postgres_server: Any
) -> None:
    """Nothing is called received that is not stored."""
    async with open_stage(data_dir, postgres, **center.settings()) as stage:
        command = await ask(stage, "getver")
        name = postgres.rsplit("?", 1)[0].rsplit("/", 1)[1]

        def connections(allowed: bool) -> None:
            postgres_server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed};")
            postgres_server.psql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{name}' AND pid <> pg_backend_pid();"
            )

        await asyncio.to_thread(connections, False)
        center.deliver(PHONES[1], "Ver:1", tag="lost")
        (answer,) = await center.heard("delivered", tag="lost")
        assert answer["status"] == 0x64
        await asyncio.to_thread(connections, True)
        center.deliver(PHONES[1], "Ver:1", tag="again")
        await center.heard("delivered", tag="again", status=0)
        assert (await stage.command(command)).answer == "Ver:1"
