"""Who and what there is in the API's tests; the fixture ``world`` makes it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from sqlalchemy import insert, update

from waypost.accounts.model import SessionKind
from waypost.api.http import HttpApi
from waypost.api.services import Services
from waypost.ingest import Foldings, Ingest
from waypost.store.tables import panel_accounts, security_groups, users
from waypost.telemetry.message import Message

PASSWORD = "Correct-horse1!"
#: 2024-03-09 12:00:00 UTC: before summer time in New York, whose users see 07:00:00.
NOON = 1_709_985_600_000


class Clock:
    """The server's time, which tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now / 1000

    def pass_(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


class World:
    """Everything there is. Who calls is named: ``user`` (in New York), ``stranger`` (another user
    of the dealer), ``foreigner`` (another dealer's user), ``sub`` (a sub-user of ``user`` with the
    right ``tag_update``), ``panel`` and ``other_panel``."""

    def __init__(
        self, services: Services, ingest: Ingest, foldings: Foldings, clock: Clock
    ) -> None:
        self.services = services
        self.ingest = ingest
        self.foldings = foldings
        self.clock = clock
        self.api = HttpApi(services, clock=clock, tick=clock)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.api), base_url="http://waypost"
        )
        self.ids: dict[str, int] = {}
        self.hashes: dict[str, str] = {}
        self.dealer_id = 0
        self.tariff_id = 0
        self.password_hash = ""
        self._imei = 350_000_000_000_000

    async def call(self, path: str, who: str | None = "user", **params: Any) -> dict[str, Any]:
        """Calls an action with JSON and gives its reply. The path of a panel action begins with
        ``panel/``; ``who`` None sends no hash."""
        if path.startswith("panel/") and who == "user":
            who = "panel"
        if who is not None:
            params.setdefault("hash", self.hashes[who])
        reply = await self.client.post(f"/v2/{path}", json=params)
        return self.checked(reply)

    @staticmethod
    def checked(reply: httpx.Response) -> dict[str, Any]:
        """The reply, which keeps the form that every reply has."""
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        body: dict[str, Any] = reply.json()
        assert next(iter(body)) == "success"
        assert body["success"] is (reply.status_code == 200)
        if not body["success"]:
            assert set(body["status"]) == {"code", "description"}
        return body

    async def code(self, path: str, who: str | None = "user", **params: Any) -> int:
        """The error code that a call answers; 0: none."""
        body = await self.call(path, who, **params)
        return 0 if body["success"] else int(body["status"]["code"])

    async def add_user(self, name: str, dealer_id: int, **columns: Any) -> int:
        """A user with a session, by name."""
        async with self.services.database.begin() as connection:
            user_id = await connection.scalar(
                insert(users)
                .values(
                    dealer_id=dealer_id,
                    login=f"{name}@example.org",
                    password_hash=self.password_hash,
                    created_at=NOON,
                    **columns,
                )
                .returning(users.c.id)
            )
            assert user_id is not None
            self.ids[name] = user_id
            self.hashes[name] = await self.services.accounts.sessions.create_for_user(
                connection, user_id, SessionKind.LOGIN, self.clock.now
            )
        return user_id

    async def add_panel(self, name: str, dealer_id: int, permissions: dict[str, Any]) -> int:
        """A panel account with a session, by name."""
        async with self.services.database.begin() as connection:
            account_id = await connection.scalar(
                insert(panel_accounts)
                .values(
                    dealer_id=dealer_id,
                    login=str(dealer_id) if name == "panel" else name,
                    password_hash=self.password_hash,
                    permissions=permissions,
                    created_at=NOON,
                )
                .returning(panel_accounts.c.id)
            )
            assert account_id is not None
            self.ids[name] = account_id
            self.hashes[name] = await self.services.accounts.sessions.create_for_panel(
                connection, account_id, self.clock.now
            )
        return account_id

    async def register(self, label: str, who: str = "user", **params: Any) -> dict[str, Any]:
        """A registered tracker as ``tracker/register`` answers it."""
        self._imei += 1
        params = {
            "label": label,
            "group_id": 0,
            "plugin_id": 44,
            "model": "telfmb120",
            "device_id": str(self._imei),
            **params,
        }
        reply = await self.call("tracker/register", who, **params)
        assert reply["success"], reply
        value: dict[str, Any] = reply["value"]
        return value

    async def report(self, tracker: dict[str, Any], *messages: Message) -> None:
        """What the device says now, stored."""
        await self.foldings.settled()
        live = await self.ingest.open(tracker["source"]["id"], 366)
        stored: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self.ingest.submit(live, messages, self.clock.now, stored.set_result)
        assert await stored is None
        self.ingest.release(live)

    async def grant(self, *rights: str) -> None:
        """Gives the sub-user exactly these rights."""
        async with self.services.database.begin() as connection:
            await connection.execute(update(security_groups).values(rights=list(rights)))
        self.services.accounts.sessions.forget_user(self.ids["sub"])
