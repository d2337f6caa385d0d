"""Log-in with a code from an e-mail, from the first call to the last, over a real mail server."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from api_opening import (
    new_world,
    open_foldings,
    open_ingest,
    open_services,
    quick_passwords,
    settle,
)
from api_world import PASSWORD, World
from mail_server import MailServer, until
from sqlalchemy import select, update
from structlog.testing import capture_logs

from waypost.accounts.second_factor import CODE_LIFE
from waypost.mail.queue import LEASE, MailQueue
from waypost.mail.sender import MailSender
from waypost.mail.service import transport_of
from waypost.mail.transport import SENT, Result
from waypost.settings import Settings
from waypost.store.tables import commands, dealers, sessions

ALLOWED = {"type": "allowed", "factor_types": ["email"]}


@pytest.fixture
def settings(tmp_path: Path, mail_server: MailServer, database_url: str) -> Settings:
    told = mail_server.settings(database=database_url)
    return Settings(data_dir=tmp_path / "data", api_rate=0, **told)


@pytest.fixture
async def silent(settings: Settings) -> AsyncIterator[World]:
    """A world whose users must bring a code, and where nobody sends any."""
    async with (
        open_services(settings, quick_passwords()) as services,
        open_ingest(services) as ingest,
        open_foldings(services, ingest) as foldings,
    ):
        world = new_world(services, ingest, foldings)
        await settle(world)
        # Letters live by the clock of the process that sends them.
        world.clock.now = int(time.time() * 1000)
        for who in ("user", "panel"):
            world.hashes[who] = (await log_in(world, who))["hash"]
        await allow(world)
        yield world
        await world.client.aclose()


@pytest.fixture
async def world(silent: World) -> AsyncIterator[World]:
    """The same with a process that sends, if there is a way."""
    services = silent.services
    transport = transport_of(services.settings)
    if transport is None:
        yield silent
        return
    sender = MailSender(services.database, services.bus, services.settings, transport)
    await sender.start()
    yield silent
    await sender.close()


async def log_in(world: World, who: str = "user", **params: Any) -> dict[str, Any]:
    if who == "panel":
        login = {"login": str(world.dealer_id), "password": PASSWORD}
        return await world.call("panel/account/auth", None, **login)
    return await world.call(
        "user/auth", None, **{"login": f"{who}@example.org", "password": PASSWORD, **params}
    )


async def allow(world: World, settings: dict[str, Any] | None = None) -> None:
    reply = await world.call(
        "panel/user/mfa/settings/update", target={"type": "all"}, settings=settings or ALLOWED
    )
    assert reply["success"], reply


async def verify(world: World, hash_: str, code: str) -> int:
    return await world.code("user/auth/code/verify", None, hash=hash_, code=code)


def code_in(letter: EmailMessage) -> str:
    found = re.search(r"^ +(\d{6})\r?$", letter.get_content(), re.M)
    assert found is not None
    return found[1]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_the_code_from_the_letter_makes_half_a_log_in_a_whole(
    world: World, mail_server: MailServer
) -> None:
    half = await log_in(world)
    assert half == {
        "success": True,
        "type": "second_factor_required",
        "factor_type": "email",
        "hash": half["hash"],
    }
    (letter,) = await mail_server.got(1)
    assert letter["To"] == "user@example.org"
    code = code_in(letter)
    for path in ("tracker/list", "user/get_info", "user/logout", "api/key/list"):
        assert await world.code(path, None, hash=half["hash"]) == 4, "good for codes only"
    assert await verify(world, half["hash"], another(code)) == 282
    whole = await world.call("user/auth/code/verify", None, hash=half["hash"], code=f" {code} ")
    assert set(whole) == {"success", "hash"}
    assert await world.code("user/get_info", None, hash=whole["hash"]) == 0
    assert await verify(world, half["hash"], code) == 4, "once"
    assert await verify(world, whole["hash"], code) == 4
    assert await world.code("user/auth/code/resend", None, hash=world.hashes["user"]) == 4


async def test_after_five_wrong_codes_the_log_in_begins_again(
    world: World, mail_server: MailServer
) -> None:
    half = (await log_in(world))["hash"]
    code = code_in((await mail_server.got(1))[0])
    wrong = another(code)
    answers = await asyncio.gather(*(verify(world, half, wrong) for _ in range(20)))
    assert sorted(answers) == [4] * 15 + [282] * 5, "many at once gain nothing"
    assert await verify(world, half, code) == 4
    assert await world.code("user/auth/code/resend", None, hash=half) == 4
    # And there is no end to it by beginning again and again.
    second = (await log_in(world))["hash"]
    for _ in range(5):
        assert await verify(world, second, "x" * 40) == 282
    assert (await log_in(world))["status"]["code"] == 105
    world.clock.pass_(15 * 60 + 1)
    third = await log_in(world)
    assert third["type"] == "second_factor_required"
    assert await verify(world, half, code) == 4


async def test_a_code_is_good_for_a_quarter_of_an_hour(
    world: World, mail_server: MailServer
) -> None:
    half = (await log_in(world))["hash"]
    code = code_in((await mail_server.got(1))[0])
    world.clock.pass_(15 * 60)
    assert await verify(world, half, code) == 4


async def test_another_code_takes_the_place_of_the_first(
    world: World, mail_server: MailServer
) -> None:
    half = (await log_in(world))["hash"]
    first = code_in((await mail_server.got(1))[0])
    resend = {"path": "user/auth/code/resend", "who": None, "hash": half}
    assert await world.code(**resend) == 0
    assert await world.code(**resend) == 15
    second = code_in((await mail_server.got(2))[1])
    world.clock.pass_(5 * 60)
    assert await world.code(**resend) == 0
    third = code_in((await mail_server.got(3))[2])
    for old in {first, second} - {third}:
        assert await verify(world, half, old) == 282
    assert await verify(world, half, third) == 0


async def test_only_whom_the_panel_allows_it_is_asked(
    world: World, mail_server: MailServer
) -> None:
    await allow(world, {"type": "disallowed"})
    assert (await log_in(world))["type"] == "authenticated"
    target = {"type": "selected", "ids": [world.ids["user"]]}
    await world.call("panel/user/mfa/settings/update", target=target, settings=ALLOWED)
    assert (await log_in(world))["type"] == "second_factor_required"
    assert (await log_in(world, "stranger"))["type"] == "authenticated"
    assert (await log_in(world, password="wrong"))["status"]["code"] == 102
    await mail_server.got(1)
    assert len(mail_server.letters) == 1, "a wrong password sends nothing"


async def test_of_a_code_nothing_is_kept_or_logged(world: World, mail_server: MailServer) -> None:
    with capture_logs() as logs:
        await log_in(world)
        code = code_in((await mail_server.got(1))[0])
        await until(lambda: any(entry["event"] == "mail_attempt" for entry in logs))
    assert code not in str(logs)
    assert "user@example.org" not in str(logs)
    async with world.services.database.read() as connection:
        (row,) = (await connection.execute(select(commands))).all()
        digests = (await connection.scalars(select(sessions.c.code))).all()
    assert (row.state, row.attempts, row.shown) == ("sent", 1, "a code to log in")
    assert code.encode() not in row.payload
    assert not any(digest is not None and code.encode() in digest for digest in digests)


async def test_a_server_that_does_not_take_it_yet_is_asked_again(
    world: World, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.mail.queue.FIRST_WAIT", 50)
    mail_server.answers = ["450 4.2.0 greylisted", "450 4.2.0 greylisted"]
    half = (await log_in(world))["hash"]
    (letter,) = await mail_server.got(1)
    assert await verify(world, half, code_in(letter)) == 0


async def test_letters_are_in_the_dealers_name(world: World, mail_server: MailServer) -> None:
    notification = {"email_from": "Fleet <fleet@dealer.example>", "email_footer": "Your fleet"}
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers)
            .where(dealers.c.id == world.dealer_id)
            .values(settings={"notification": notification})
        )
    await log_in(world)
    (letter,) = await mail_server.got(1)
    assert letter["From"] == notification["email_from"]
    assert letter.get_content().endswith("Your fleet\n")
    assert mail_server.envelopes[0].mail_from == "no-reply@waypost.example"


async def test_people_who_are_to_use_an_app_are_written_to(
    world: World, mail_server: MailServer
) -> None:
    made = await world.register(
        "Ann's phone",
        plugin_id=35,
        model="mobile_unknown",
        device_id=None,
        notification_email="ann@example.org",
    )
    (letter,) = await mail_server.got(1)
    assert letter["To"] == "ann@example.org"
    assert made["source"]["device_id"] in letter.get_content()
    assert "Ann's phone" in letter.get_content()
    async with world.services.database.read() as connection:
        mails = select(commands.c.recipient).where(commands.c.channel == "email")
        assert (await connection.scalars(mails)).all() == ["ann@example.org"]


async def test_what_somebody_sends_nobody_else_does_until_its_time_is_over(silent: World) -> None:
    services = silent.services
    half = (await log_in(silent))["hash"]
    queue = MailQueue(services.database, services.settings)

    async def state_of(command_id: int) -> Any:
        async with services.database.read() as connection:
            return await connection.scalar(
                select(commands.c.state).where(commands.c.id == command_id)
            )

    now = silent.clock.now
    claims = await asyncio.gather(*(queue.claim(5, now=now) for _ in range(4)))
    (first,) = [letter for letters, _ in claims for letter in letters]
    # Its sender died: another takes the letter, and what the first says then counts no more.
    assert await queue.claim(5, now=now + LEASE - 1) == ([], now + LEASE)
    ((second,), _) = await queue.claim(5, now=now + LEASE)
    assert (first.number, second.number) == (1, 2)
    await queue.settle([(first, Result("never", "unknown here"))], now=now)
    assert await state_of(first.command_id) == "queued"
    await queue.settle([(second, SENT)], now=now)
    assert await state_of(first.command_id) == "sent"
    assert await verify(silent, half, code_in(second.message)) == 0


async def test_a_letter_that_cannot_be_sent_in_time_is_given_up(silent: World) -> None:
    await log_in(silent)
    services = silent.services
    queue = MailQueue(services.database, services.settings)
    now = silent.clock.now
    ((letter,), _) = await queue.claim(5, now=now)
    await queue.settle([(letter, Result("later", "450 later"))], now=now)
    await queue.expire(now=now + CODE_LIFE)
    async with services.database.read() as connection:
        (row,) = (await connection.execute(select(commands))).all()
    assert (row.state, row.error) == ("expired", "not sent in time: 450 later")
    assert row.payload == b"{}"
    assert await queue.claim(5, now=now + CODE_LIFE) == ([], None)


async def test_what_waits_fails_once_there_is_no_mail_server(silent: World) -> None:
    await log_in(silent)
    services = silent.services
    await MailQueue(services.database, services.settings).fail_open("none is set up", now=1)
    async with services.database.read() as connection:
        (row,) = (await connection.execute(select(commands))).all()
    assert (row.state, row.error, row.payload) == ("failed", "none is set up", b"{}")


class TestWithoutAMailServer:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(data_dir=tmp_path / "data", api_rate=0)

    async def test_no_code_is_asked_for(self, world: World) -> None:
        assert (await log_in(world))["type"] == "authenticated"


class TestForTrying:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        told = {"mail_provider": "log", "mail_sender": "a@b.example"}
        return Settings(data_dir=tmp_path / "data", api_rate=0, **told)

    async def test_letters_are_files(self, world: World, tmp_path: Path) -> None:
        half = (await log_in(world))["hash"]
        folder = tmp_path / "data" / "mail"
        await until(lambda: bool(list(folder.glob("*.eml"))))
        (file,) = folder.glob("*.eml")
        assert file.stat().st_mode & 0o777 == 0o600
        found = re.search(r"^ +(\d{6})\r?$", file.read_text(), re.M)
        assert found is not None
        assert await verify(world, half, found[1]) == 0
