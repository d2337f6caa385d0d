"""An SMSC that refuses, is slow, talks nonsense, dies and comes back."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from sms_center import INVALID_DESTINATION, SYSTEM_ERROR, THROTTLED, SmsCenter
from sms_stage import PHONES, Stage, open_stage

from waypost.jobs.leader import SMS_LOCK, PostgresLeader
from waypost.sms import provider
from waypost.store.engine import asyncpg_dsn

pytestmark = pytest.mark.anyio


# Answers.


async def test_what_the_centre_does_not_take_fails_with_its_reason(
    center: SmsCenter, data_dir: Path
) -> None:
    center.answer({"status": INVALID_DESTINATION}, {"status": 0x0487})
    async with open_stage(data_dir, **center.settings()) as stage:
        first = await stage.tell("one")
        row = await stage.becomes(first, "failed")
        assert row.error == "the SMSC answers: invalid recipient (status 0x0B)"
        second = await stage.tell("two")
        row = await stage.becomes(second, "failed")
        assert "0x487" in row.error
        assert await stage.attempts(second) == ["refused"]


@pytest.mark.parametrize("reliable", [True, False])
async def test_what_it_may_take_later_is_tried_again(
    center: SmsCenter, data_dir: Path, reliable: bool
) -> None:
    center.answer({"status": SYSTEM_ERROR})
    async with open_stage(data_dir, **center.settings(command_timeout=1)) as stage:
        command = await stage.tell("hello", reliable=reliable)
        row, outcomes = await stage.sent_again(command)
        # Nothing had gone out, so at most once holds.
        assert row.state == "sent"
        assert outcomes == ["refused", "accepted"]
        assert row.error is None
    assert center.texts() == ["hello"]


async def test_attempts_end(center: SmsCenter, data_dir: Path) -> None:
    center.answer(*[{"status": SYSTEM_ERROR}] * 5)
    settings = center.settings(command_timeout=1, sms_attempts=2)
    async with open_stage(data_dir, **settings) as stage:
        row = await stage.becomes(await stage.tell("hello"), "failed")
        assert row.error.endswith("(status 0x08) (2 attempts)")


@pytest.mark.parametrize("reliable", [True, False])
async def test_no_answer_is_uncertain(center: SmsCenter, data_dir: Path, reliable: bool) -> None:
    center.answer({"silent": True})
    settings = center.settings(sms_timeout=1, command_timeout=1)
    async with open_stage(data_dir, **settings) as stage:
        command = await stage.tell("hello", reliable=reliable)
        other = await stage.tell("to another", 2)
        await stage.sent(other)
        if reliable:
            _, outcomes = await stage.sent_again(command)
            assert outcomes == ["timeout", "accepted"]
        else:
            row = await stage.becomes(command, "failed")
            assert row.error == "no answer within 1 s"
            assert len(center.all("submit", to=PHONES[1])) == 1


async def test_a_slow_centre_is_waited_for(center: SmsCenter, data_dir: Path) -> None:
    center.set(delay=700)
    async with open_stage(data_dir, **center.settings(sms_timeout=5)) as stage:
        command = await stage.tell("hello")
        assert (await stage.command(command)).state in ("queued", "sent")
        await stage.sent(command)
    assert len(center.all("submit")) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        "00000004" + "80000004" + "00000000" + "00000002",  # shorter than its own header
        "7fffffff" + "80000004" + "00000000" + "00000002",  # 2 GB
        "474554202f20485454502f312e310d0a",  # another protocol
        "00000010" + "80000015" + "00000000" + "00000002",  # an answer to something else
        "00000010" + "80000000" + "00000003" + "00000002",  # generic_nack
        "00000011" + "80000004" + "00000000" + "00000002" + "41",  # an id without its end
    ],
)
async def test_malformed_answers(center: SmsCenter, data_dir: Path, nonsense: str) -> None:
    center.answer({"raw": nonsense})
    settings = center.settings(sms_timeout=2, command_timeout=1)
    async with open_stage(data_dir, **settings) as stage:
        command = await stage.tell("hello", reliable=False)
        row = await stage.until(command, lambda row: row.finished_at or row.state == "sent")
        await stage.sent(command)
        row = await stage.command(command)
        assert row.state in ("failed", "sent")
        assert row.state == "sent" or row.error
        other = await stage.tell("and on", 2)
        await stage.sent(other)
        assert center.texts(PHONES[2]) == ["and on"]


async def test_an_answer_without_an_id_is_all_there_is_to_know(
    center: SmsCenter, data_dir: Path
) -> None:
    center.set(ids="none")
    async with open_stage(data_dir, **center.settings()) as stage:
        row = await stage.until(await stage.tell("hello"), lambda row: row.finished_at)
        assert row.state == "sent"
        assert await stage.attempts(row.id) == ["unanswered"]


async def test_answers_to_nothing_and_unknown_requests(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        await center.heard("bind")
        center.order("raw", hex="00000010" + "80000004" + "00000000" + "00009999")
        center.order("raw", hex="00000010" + "00000099" + "00000000" + "00000077")
        center.order("enquire", tag="there?")
        await center.heard("alive", tag="there?", status=0)
        command = await stage.tell("hello")
        await stage.sent(command)
    assert len(center.all("bind")) == 1


# Pace.


async def test_the_rate_limit_is_kept(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, started=False, **center.settings(sms_rate=20)) as stage:
        for number in range(20):
            await stage.tell(f"{number}")
        started = time.monotonic()
        await stage.start()
        await center.heard("submit", 20)
        assert time.monotonic() - started >= 0.75
    assert center.texts(PHONES[1]) == [f"{number}" for number in range(20)]


async def test_the_window_is_kept(center: SmsCenter, data_dir: Path) -> None:
    center.set(delay=100)
    settings = center.settings(sms_window=3)
    async with open_stage(data_dir, started=False, **settings) as stage:
        told = [
            await stage.tell(f"{number}", recipient=None, source_id=1 + number % 2)
            for number in range(12)
        ]
        await stage.start()
        for command in told:
            await stage.sent(command)
    assert max(one["outstanding"] for one in center.all("submit")) <= 3
    # One after the other to each device.
    for number in (1, 2):
        assert center.texts(PHONES[number]) == [str(n) for n in range(12) if 1 + n % 2 == number]


async def test_the_centres_own_limit_is_met_without_a_loss(
    center: SmsCenter, data_dir: Path
) -> None:
    center.set(rate=10)
    async with open_stage(data_dir, started=False, **center.settings()) as stage:
        told = [await stage.tell(f"{number}", 1 + number % 2) for number in range(25)]
        await stage.start()
        for command in told:
            row = await stage.sent(command)
            assert (row.state, row.attempts) == ("sent", 1)
    assert center.all("submit", status=THROTTLED)
    assert sorted(center.texts(), key=int) == [f"{number}" for number in range(25)]


async def test_while_the_centre_throttles_for_long_texts_wait_in_the_queue(
    center: SmsCenter, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "LONGEST_TURN", 0.5)
    center.answer(*[{"status": THROTTLED}] * 2)
    async with open_stage(data_dir, **center.settings()) as stage:
        told = [await stage.tell(f"{number}", reliable=False) for number in range(5)]
        row = await stage.until(told[0], lambda row: row.error)
        assert (row.state, row.attempts, row.error) == ("queued", 0, provider.TOO_MUCH)
        assert await stage.attempts(told[0]) == []
        for command in told:
            await stage.sent(command)
    assert center.texts() == ["0", "1", "2", "3", "4"]


# Connections.


@pytest.mark.parametrize("reliable", [True, False])
async def test_a_connection_that_breaks_before_the_answer(
    center: SmsCenter, data_dir: Path, reliable: bool
) -> None:
    center.answer({"drop": True})
    async with open_stage(data_dir, **center.settings(command_timeout=1)) as stage:
        command = await stage.tell("hello", reliable=reliable)
        if reliable:
            _, outcomes = await stage.sent_again(command)
            assert outcomes == ["timeout", "accepted"]
        else:
            row = await stage.becomes(command, "failed")
            assert "ended the connection" in row.error or "broke" in row.error
            # It is never sent again, and the connection is there for others.
            other = await stage.tell("another", 2)
            await stage.sent(other)
            assert len(center.all("submit", to=PHONES[1])) == 1


async def test_the_centre_dies_and_comes_back(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        await stage.sent(await stage.tell("before"))
        center.kill()
        await stage.expired("no connection to the SMSC: ")
        waiting = [await stage.tell(f"while away {n}", reliable=False) for n in range(3)]
        await asyncio.sleep(0.3)
        for command in waiting:
            row = await stage.command(command)
            assert (row.state, row.attempts) == ("queued", 0)
        center.start()
        for command in waiting:
            assert (await stage.sent(command)).state == "sent"
    assert center.texts() == ["before", *(f"while away {n}" for n in range(3))]


async def test_a_centre_that_is_not_there_at_the_start(center: SmsCenter, data_dir: Path) -> None:
    settings = center.settings()
    center.away()
    async with open_stage(data_dir, **settings) as stage:
        command = await stage.tell("hello")
        await stage.expired("no connection to the SMSC: ")
        row = await stage.command(command)
        assert row.state == "queued"
        assert row.error.startswith("no connection to the SMSC: "), "it says what it waits for"
        center.listen()
        assert (await stage.sent(command)).error is None
    assert center.texts() == ["hello"]


@pytest.mark.parametrize(
    ("rules", "login", "reason"),
    [
        ({}, {"sms_smpp_password": "wrong"}, "wrong password"),
        ({}, {"sms_smpp_system_id": "nobody"}, "unknown system id"),
        ({"bind": 0x0D}, {}, "bind failed"),
        ({"bind": "silent"}, {"sms_timeout": 1}, "no answer to the log-in"),
    ],
)
async def test_a_log_in_that_is_refused(
    center: SmsCenter, data_dir: Path, rules: dict[str, Any], login: dict[str, Any], reason: str
) -> None:
    center.set(**rules)
    async with open_stage(data_dir, **center.settings(**login)) as stage:
        await stage.expired(reason)
        assert center.texts() == []
        # It goes on trying, and gets in once that is set right.
        if rules:
            center.set(bind=None)
            await stage.sent(await stage.tell("now"))
            assert center.texts() == ["now"]


async def test_the_centre_says_good_bye(center: SmsCenter, data_dir: Path) -> None:
    async with open_stage(data_dir, **center.settings()) as stage:
        await center.heard("bind")
        center.order("unbind")
        await center.heard("alive", tag="unbind", status=0)
        await center.heard("bind", 2)
        await stage.sent(await stage.tell("hello"))


async def test_a_silent_centre_is_asked_and_left(center: SmsCenter, data_dir: Path) -> None:
    settings = center.settings(sms_smpp_enquire=1, sms_timeout=1)
    async with open_stage(data_dir, **settings) as stage:
        await center.heard("enquired", 2)
        assert len(center.all("bind")) == 1
        center.set(alive=False)
        await center.heard("bind", 2)
        await stage.sent(await stage.tell("hello"))


async def test_stopping_waits_for_what_is_under_way(center: SmsCenter, data_dir: Path) -> None:
    center.set(delay=500)
    async with open_stage(data_dir, **center.settings()) as stage:
        command = await stage.tell("hello", reliable=False)
        await center.heard("submit")
        await stage.stop()
        row = await stage.command(command)
        assert (row.state, await stage.attempts(command)) == ("sent", ["accepted"])


async def test_stopping_while_connecting_leaves_nothing_open(
    center: SmsCenter, data_dir: Path
) -> None:
    center.set(bind="silent")
    async with open_stage(data_dir, **center.settings()) as stage:
        await center.heard("bind")
        started = time.monotonic()
        await stage.stop()
        assert time.monotonic() - started < 3
        await center.heard("closed")


async def test_one_process_of_several_sends_and_another_takes_over(
    center: SmsCenter, data_dir: Path, postgres: str
) -> None:
    leaders = [PostgresLeader(asyncpg_dsn(postgres), SMS_LOCK) for _ in range(2)]
    async with open_stage(data_dir, postgres, started=False, **center.settings()) as stage:
        other = Stage(stage.settings, stage.database, stage.bus)
        both = dict(zip(leaders, (stage, other), strict=True))
        for leader, one in both.items():
            await one.start(leader.leads)
        await stage.sent(await stage.tell("first"))
        await asyncio.sleep(0.5)
        assert len(center.all("bind")) == 1
        center.deliver(PHONES[1], "still here", tag="it")
        await center.heard("delivered", tag="it", status=0)
        # The one that sends ends, and gives its lock up.
        (leading,) = [leader for leader in leaders if leader._connection is not None]
        await both[leading].stop()
        await leading.close()
        await center.heard("bind", 2)
        await stage.sent(await stage.tell("second", 2))
        for leader, one in both.items():
            await one.stop()
            await leader.close()
    assert center.texts() == ["first", "second"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of ``localhost`` that nobody else knows, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *name, "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


async def test_tls(
    center: SmsCenter,
    data_dir: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cert, key = certificate
    center.away()
    center.listen(key=key.read_text(), cert=cert.read_text())
    settings = center.settings(sms_smpp_tls=True, sms_smpp_host="localhost")
    async with open_stage(data_dir / "untrusted", **settings) as stage:
        await stage.expired("certificate verify failed")
    assert not center.all("bind")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    async with open_stage(data_dir / "trusted", **settings) as stage:
        await stage.sent(await stage.tell("hello"))
    assert center.texts() == ["hello"]
