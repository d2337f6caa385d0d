"""What an operator does without HTTP is the same with a running server and without one."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from waypost.accounts.first_start import USER_LOGIN, first_start
from waypost.accounts.passwords import Passwords
from waypost.admin.address import FILE, address_of
from waypost.admin.client import run
from waypost.admin.operations.base import Admin
from waypost.admin.requests import (
    AdminError,
    CommandList,
    DealerAdmit,
    DealerList,
    InboxList,
    OrderCreate,
    PasswordReset,
    PointsCount,
    Request,
    SimAdd,
    SimChange,
    SimList,
    TapDevice,
    TrackerImport,
    TrackerList,
    UserCreate,
    UserList,
)
from waypost.admin.server import AdminServer
from waypost.bus.local import LocalBus
from waypost.gateway.tap import Tap
from waypost.parts import Parts, open_parts
from waypost.settings import Settings
from waypost.store.lock import DataInUse
from waypost.store.tables import sessions

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000_000
DEVICE = "999000000000018"


@pytest.fixture
async def settings(database_url: str, data_dir: Path) -> Settings:
    """Of an installation that has run before."""
    made = Settings(data_dir=data_dir, database=database_url)
    async with AsyncExitStack() as stack:
        parts = await open_parts(made, stack)
        quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        await first_start(parts.database, made, NOW, quick)
        quick.close()
    return made


class Server:
    def __init__(self, parts: Parts, tap: Tap) -> None:
        self.parts = parts
        self.tap = tap


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Server]:
    """A server's admin socket on the installation."""
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, stack)
        tap = Tap(parts.bus, limit=10_000)
        await tap.start()
        stack.push_async_callback(tap.close)
        admin = Admin(
            settings, parts.database, parts.bus, parts.points, parts.accounts, parts.fleet, tap
        )
        listening = AdminServer(admin)
        await listening.start()
        stack.push_async_callback(listening.close)
        yield Server(parts, tap)


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Server]:
    async with serving(settings) as running:
        yield running


@pytest.fixture(params=["server", "alone"])
async def installation(
    settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[Settings]:
    """With a running server, and without one."""
    async with AsyncExitStack() as stack:
        if request.param == "server":
            await stack.enter_async_context(serving(settings))
        yield settings


async def ask(settings: Settings, request: Request) -> Any:
    async def say(progress: Any) -> None:
        raise AssertionError(f"unexpected progress {progress}")

    return await run(settings, request, say)


async def test_users_are_made_listed_and_let_in_again(installation: Settings) -> None:
    settings = installation
    assert await ask(settings, PointsCount()) == {"points": 0}
    made = await ask(settings, UserCreate(login="Ann@Example.org", time_zone="Europe/Berlin"))
    assert made["login"] == "ann@example.org"
    listed = await ask(settings, UserList())
    assert [row["login"] for row in listed] == [USER_LOGIN, "ann@example.org"]
    reset = await ask(settings, PasswordReset(login="ann@example.org"))
    assert reset["password"] != made["password"]
    assert await ask(settings, TrackerList(user="ann@example.org")) == []
    assert await ask(settings, InboxList()) == []
    for wrong, text in (
        (UserCreate(login="ann@example.org"), "206"),
        (UserCreate(login="no mail address"), "E-mail"),
        (UserCreate(login="b@example.org", password="short"), "12 to 20"),
        (UserCreate(login="b@example.org", time_zone="Mars/Olympus"), "time zone"),
        (UserCreate(login="b@example.org", dealer=99), "dealer"),
        (PasswordReset(login="nobody@example.org"), "nobody@example.org"),
        (PointsCount(device=DEVICE), DEVICE),
        (CommandList(device=DEVICE), DEVICE),
        (TrackerList(user="nobody@example.org"), "nobody@example.org"),
    ):
        with pytest.raises(AdminError, match=text):
            await ask(settings, wrong)


async def test_what_dealers_sell(installation: Settings) -> None:
    settings = installation
    (dealer,) = await ask(settings, DealerList())
    assert (dealer["title"], dealer["block"]) == ("Waypost", "NOT_BLOCKED")
    assert await ask(settings, SimList()) == []
    made = await ask(settings, SimAdd(iccid="8970101006", phone="+49 170 1234567", apn="web"))
    assert (made["iccid"], made["phone"]) == ("8970101006", "491701234567")
    await ask(settings, SimChange(iccid="8970101006", blocked=True))
    assert await ask(settings, SimList()) == [
        {
            "iccid": "8970101006",
            "phone": "491701234567",
            "apn": "web",
            "dealer": dealer["id"],
            "bundle": None,
            "blocked": True,
            "deleted": False,
        }
    ]
    assert (await ask(settings, OrderCreate(user=USER_LOGIN, amount=2, sum=34.3)))["id"] == 1
    admitted = await ask(settings, DealerAdmit(dealer=dealer["id"]))
    assert admitted == {"id": dealer["id"], "block": "NOT_BLOCKED"}
    for wrong, text in (
        (SimAdd(iccid="8970101006", phone="491700000000"), "247"),
        (SimAdd(iccid="8970101007", phone="491701234567"), "247"),
        (SimAdd(iccid="89 70", phone="491700000000"), "ICCID"),
        (SimAdd(iccid="8970101007", phone="me"), "phone"),
        (SimAdd(iccid="8970101007", phone="491700000000", dealer=99), "dealer"),
        (SimChange(iccid="0000"), "blocked or deleted"),
        (SimChange(iccid="0000", deleted=True), "226"),
        (OrderCreate(user="nobody@example.org", amount=1, sum=1), "nobody@example.org"),
        (DealerAdmit(dealer=99), "99"),
    ):
        with pytest.raises(AdminError, match=text):
            await ask(settings, wrong)


async def test_a_reset_ends_the_sessions_of_user_and_panel(
    settings: Settings, server: Server
) -> None:
    accounts = server.parts.accounts
    for login in (USER_LOGIN, "1"):
        password = (await ask(settings, PasswordReset(login=login)))["password"]
        if login == "1":
            await accounts.log_in_panel(login, password, "test", NOW)
        else:
            await accounts.log_in_user(login, password, None, "test", NOW)
        await ask(settings, PasswordReset(login=login, password="Another-pass1!"))
        async with server.parts.database.read() as connection:
            assert (await connection.execute(sessions.select())).all() == []


async def test_a_file_of_devices_is_imported_whole_or_not_at_all(installation: Settings) -> None:
    head = "label,model,device_id,group\n"
    lines = [f"Van {n},navixy_ngp,van-{n:06d},Vans\n" for n in range(1200)]
    seen: list[dict[str, int]] = []

    async def keep(progress: dict[str, int]) -> None:
        seen.append(progress)

    async def load(text: str) -> Any:
        return await run(installation, TrackerImport(user=USER_LOGIN, data=text.encode()), keep)

    with pytest.raises(AdminError, match=r"nothing was imported\nline 3: .*\nline 5: "):
        await load(head + lines[0] + "x,nosuch,1,\n" + lines[1] + lines[1])
    assert await ask(installation, TrackerList()) == []
    made = await load(head + "".join(lines))
    assert made["registered"] == 1200
    assert made["groups_made"] == ["Vans"]
    assert seen[-1] == {"stored": 1200, "of": 1200}
    assert len(seen) > 1
    listed = await ask(installation, TrackerList(user=USER_LOGIN))
    assert [row["device_id"] for row in listed] == [f"van-{n:06d}" for n in range(1200)]
    assert await ask(installation, PointsCount(device="van-000007")) == {"points": 0}
    assert await ask(installation, CommandList(device="van-000007")) == []
    with pytest.raises(AdminError, match="registered already"):
        await load(head + lines[7])


async def test_tap_shows_what_is_kept_and_then_what_comes(
    settings: Settings, server: Server
) -> None:
    tap = server.tap
    tap.add(tap.device(DEVICE), NOW, "in", b"\x01\x02", "10.0.0.1:5000")
    seen: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    watching = asyncio.create_task(run(settings, TapDevice(device=DEVICE), seen.put))
    kept = await asyncio.wait_for(seen.get(), 5)
    assert kept == {
        "time": "2025-10-09T08:53:20Z",
        "kind": "in",
        "data": "0102",
        "address": "10.0.0.1:5000",
    }
    live: dict[str, str] = {}
    for _ in range(50):
        tap.add(tap.device(DEVICE), NOW, "note", "closed", "10.0.0.1:5000")
        try:
            live = await asyncio.wait_for(seen.get(), 0.1)
            break
        except TimeoutError:
            continue
    assert live["data"] == "closed"
    watching.cancel()
    shown: list[Any] = []

    async def keep(entry: Any) -> None:
        shown.append(entry)

    await run(settings, TapDevice(device=DEVICE, once=True), keep)
    assert shown[0] == kept


async def test_a_reader_that_has_left_is_not_taken_for_the_server(
    settings: Settings, server: Server
) -> None:
    tap = server.tap
    tap.add(tap.device(DEVICE), NOW, "in", b"\x01\x02", "10.0.0.1:5000")

    async def show(entry: Any) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await run(settings, TapDevice(device=DEVICE), show)


async def test_nothing_is_tapped_where_no_server_runs(settings: Settings) -> None:
    with pytest.raises(AdminError, match="no gateway"):
        await ask(settings, TapDevice(device=DEVICE, once=True))


async def test_only_the_owner_may_ask_and_one_server_listens(
    settings: Settings, server: Server
) -> None:
    mode = (settings.data_dir / FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    parts = server.parts
    second = AdminServer(
        Admin(settings, parts.database, LocalBus(), parts.points, parts.accounts, parts.fleet)
    )
    with pytest.raises(AdminError, match="another process"):
        await second.start()
    assert await ask(settings, PointsCount()) == {"points": 0}


async def test_a_socket_left_by_a_killed_server_is_in_nobodys_way(settings: Settings) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        before = os.getcwd()
        os.chdir(settings.data_dir)  # a path that is short enough for the system
        try:
            left.bind(FILE)
        finally:
            os.chdir(before)
    assert await ask(settings, PointsCount()) == {"points": 0}
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, stack)
        listening = AdminServer(
            Admin(settings, parts.database, parts.bus, parts.points, parts.accounts, parts.fleet)
        )
        await listening.start()
        stack.push_async_callback(listening.close)
        assert await ask(settings, PointsCount()) == {"points": 0}
    assert not (settings.data_dir / FILE).exists()


async def test_a_wrong_request_is_told_so(settings: Settings, server: Server) -> None:
    for line in (
        b"nonsense",
        b"[]",
        b"{}",
        b'{"command": "no.such"}',
        b'{"command": "points.count", "device": 5}',
        b'{"command": "points.count", "unknown": 5}',
        b"\xff\xfe",
    ):
        with address_of(settings.data_dir) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        writer.write(line + b"\n")
        assert "not a request" in json.loads(await reader.readline())["error"]
        assert await reader.read() == b""
        writer.close()


async def test_without_data_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="no database"):
        await ask(Settings(data_dir=tmp_path / "empty"), PointsCount())
    assert not (tmp_path / "empty").exists()


async def test_data_in_use_by_a_server_without_socket_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.admin.client.STARTING", 0.1)
    used = Settings(data_dir=tmp_path)
    async with AsyncExitStack() as stack:
        await open_parts(used, stack)
        with pytest.raises(DataInUse):
            await ask(used, PointsCount())


async def test_a_server_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    starting = Settings(data_dir=tmp_path)
    async with AsyncExitStack() as stack:
        parts = await open_parts(starting, stack)
        asked = asyncio.create_task(ask(starting, PointsCount()))
        await asyncio.sleep(0.2)
        listening = AdminServer(
            Admin(starting, parts.database, parts.bus, parts.points, parts.accounts, parts.fleet)
        )
        await listening.start()
        stack.push_async_callback(listening.close)
        assert await asked == {"points": 0}
