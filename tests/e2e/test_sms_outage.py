"""SMS of a server that dies: what was on its way is neither forgotten nor sent twice."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from platform_process import Platform, eventually
from sms_center import SmsCenter

#: Devices with their numbers.
PHONES = {"356938035643809": "491510000001", "356938035643817": "491510000002"}


def command(platform: Platform, imei: str, command_id: int) -> dict[str, Any]:
    for row in platform.rows("command", "list", "--device", imei):
        if row["id"] == command_id:
            return row
    raise AssertionError("forgotten")


def ask(data_dir: Path, imei: str, text: str, *, reliable: bool) -> int:
    """An SMS to a device, in the queue of the server in ``data_dir``."""
    now = time.time_ns() // 1_000_000
    database = sqlite3.connect(data_dir / "waypost.db", timeout=20)
    with database:
        made = database.execute(
            "INSERT INTO commands (source_id, channel, kind, payload, reliable, state, created_at,"
            " expires_at) SELECT id, 'sms', 'text', ?, ?, 'queued', ?, ? FROM sources"
            " WHERE device_id = ?",
            (text.encode(), reliable, now, now + 3_600_000, imei),
        )
    database.close()
    assert made.lastrowid is not None
    return made.lastrowid


def test_a_server_killed_between_the_message_and_the_centres_answer(data_dir: Path) -> None:
    with SmsCenter() as center:
        environment = center.environment(command_timeout=1)
        environment["WAYPOST_PUBLIC_ADDRESS"] = "gps.example.org"
        platform = Platform(data_dir, **environment)
        with platform:
            session = platform.user_hash()
            for imei, phone in PHONES.items():
                answer = platform.call(
                    "tracker/register",
                    hash=session,
                    label="Car",
                    group_id=0,
                    model="telfmb920",
                    plugin_id=44,
                    device_id=imei,
                    phone=phone,
                    apn_name="internet",
                )
                assert answer["success"], answer
                # Each device is told where to report.
                told = center.text_to(phone) + center.text_to(phone, after=1)
                assert "gps.example.org" in told

            # Both are with the centre, which does not say so.
            center.set(delay=100_000)
            one, other = PHONES
            reliable = ask(data_dir, one, "reliable", reliable=True)
            once = ask(data_dir, other, "at most once", reliable=False)
            center.wait("submit", text="reliable")
            center.wait("submit", text="at most once")
            platform.kill()
            center.set(delay=0)

            platform.start()
            row = eventually(lambda: (row := command(platform, other, once))["error"] and row, 40)
            assert (row["state"], row["attempts"]) == ("failed", 1)
            assert row["error"] == "the server stopped while it was being sent"
            center.wait("submit", 2, text="reliable")
            row = eventually(
                lambda: (row := command(platform, one, reliable))["error"] is None and row
            )
            assert (row["state"], row["attempts"]) == ("sent", 2)
            assert len(center.all("submit", text="at most once")) == 1

            # What the device says, and what somebody else does, is there to be seen.
            center.deliver("+" + PHONES[one], "Ver:1", tag="device")
            center.deliver("491709999999", "Ver:2", tag="stranger")
            center.wait("delivered", tag="device", status=0)
            center.wait("delivered", tag="stranger", status=0)
            seen = {row["from"]: (row["kind"], row["text"]) for row in platform.rows("sms", "list")}
            assert seen == {
                "+" + PHONES[one]: ("answer", "Ver:1"),
                "491709999999": ("unknown", "Ver:2"),
            }
            (row,) = platform.rows("sms", "list", "--device", one)
            assert row["command"] is not None


def test_an_unknown_provider_is_named(data_dir: Path) -> None:
    platform = Platform(data_dir, WAYPOST_SMS_PROVIDER="pigeon")
    with pytest.raises(AssertionError, match="sms_provider"):
        platform.start()


def test_without_a_provider_what_one_was_to_send_has_failed(data_dir: Path) -> None:
    with SmsCenter() as center:
        with Platform(data_dir, **center.environment()) as platform:
            imei = next(iter(PHONES))
            platform.register(platform.user_hash(), imei)
            center.away()
            waiting = ask(data_dir, imei, "hello", reliable=True)
            assert command(platform, imei, waiting)["state"] == "queued"
        with Platform(data_dir) as platform:
            row = eventually(lambda: command(platform, imei, waiting))
            assert (row["state"], row["error"]) == ("failed", "no SMS provider is set up")
