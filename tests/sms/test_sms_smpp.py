"""Sending through an SMSC of another project: texts, receipts, pace, and everything that breaks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sms_center import QUEUE_FULL, THROTTLED, SmsCenter
from sms_stage import PHONES, open_stage

pytestmark = pytest.mark.anyio

#: Every character of the GSM alphabet that is no control character, and of its extension.
GSM = (
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€"


async def test_a_text_arrives_as_it_was_written(center: SmsCenter, data_dir: Path) -> None:
    center.set(receipts={"delay": 0})
    async with open_stage(data_dir, **center.settings(sms_smpp_system_type="GPS")) as stage:
        command = await stage.tell("getinfo\nat once")
        row = await stage.becomes(command, "acknowledged")
        assert await stage.attempts(command) == ["delivered"]
        assert row.error is None
    assert center.texts(PHONES[1]) == ["getinfo\nat once"]
    (bind,) = center.all("bind")
    assert (bind["kind"], bind["version"], bind["system_type"]) == ("bind_transceiver", 0x34, "GPS")
    (sent,) = center.all("submit")
    assert (sent["from"], sent["source"], sent["destination"]) == ("49300", [3, 0], [1, 1])
    assert sent["registered_delivery"] == 1
    assert sent["valid_until"] / 1000 == pytest.approx(time.time() + 3600, abs=60)
    assert center.all("unbind")


@pytest.mark.parametrize("how", ["udh", "sar", "payload"])
@pytest.mark.parametrize(
    ("text", "coding", "parts"),
    [
        (GSM + EXTENSION, 0, 1),
        ("x" * 160, 0, 1),
        ("x" * 161, 0, 2),
        # The extension's characters are two: none is cut in half.
        ("x" * 152 + "€" * 100, 0, 3),
        ("ж" * 70, 8, 1),
        ("ж" * 71, 8, 2),
        ("x" * 66 + "🚚" * 20, 8, 2),
        ("много слов " * 100, 8, 17),
    ],
)
async def test_long_texts_and_alphabets(
    center: SmsCenter, data_dir: Path, how: str, text: str, coding: int, parts: int
) -> None:
    async with open_stage(data_dir, **center.settings(sms_smpp_long=how)) as stage:
        command = await stage.tell(text)
        await stage.sent(command)
        assert center.texts() == [text]
        sent = center.all("submit")
        assert {one["data_coding"] for one in sent} == {coding}
        if how == "payload":
            assert [one["payload"] for one in sent] == [parts > 1]
        else:
            assert len(sent) == parts
            assert all(bool(one["udh"]) == (how == "udh" and parts > 1) for one in sent)
            assert all(bool(one["sar"]) == (how == "sar" and parts > 1) for one in sent)


async def test_too_long_a_text_fails_and_says_so(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await stage.tell("x" * (153 * 255 + 1))
        other = await stage.tell("short", 2)
        row = await stage.becomes(command, "failed")
        assert "256 short messages" in row.error
        await stage.sent(other)
    assert center.texts() == ["short"]


@pytest.mark.parametrize("status", [THROTTLED, QUEUE_FULL])
async def test_a_throttled_text_goes_out_later(
    center: SmsCenter, data_dir: Path, status: int
) -> None:
    center.answer({"status": status})
    async with open_stage(data_dir, **center.settings(command_timeout=1)) as stage:
        command = await stage.tell("hello")
        await stage.until(command, lambda row: row.finished_at or center.texts())
        await stage.sent(command)
    one, other = center.all("submit")
    assert other["at"] - one["at"] >= 900
    assert center.texts() == ["hello"]
