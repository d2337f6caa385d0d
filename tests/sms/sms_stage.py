"""What sends SMS in a server, without the rest of it: the outgoing queue on a database, the sender
with its provider, and a device or two with a phone number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, select

from waypost.bus.local import LocalBus
from waypost.settings import Settings
from waypost.sms.inbound import Inbound
from waypost.sms.sender import Sender
from waypost.sms.service import provider_maker
from waypost.store.engine import Database
from waypost.store.tables import (
    command_attempts,
    commands,
    dealers,
    metadata,
    sms_incoming,
    sources,
)

#: Numbers of the devices 1, 2 ...; the model of all, which is told things by SMS.
PHONES = {1: "491510000001", 2: "491510000002"}
MODEL = "telfmb920"
HOUR = 3_600_000


#: What sets a device up; two texts to a device of the model.
REGISTRATION = {
    "server": {"host": "gps.example.org", "port": 5027},
    "apn": {"name": "internet", "user": "me", "password": "apnsecret"},
    "interval": 30,
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _always() -> bool:
    return True


class Stage:
    """Made by :func:`open_stage`."""

    def __init__(self, settings: Settings, database: Database, bus: LocalBus) -> None:
        self.settings = settings
        self.database = database
        self.bus = bus
        #: Where what comes in goes; there is one in every process.
        self.inbound = Inbound(database, settings)
        self.sender: Sender | None = None

    async def start(self, leads: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Starts to send, as long as ``leads`` says so."""
        make = provider_maker(self.settings)
        assert make is not None
        self.sender = Sender(
            self.database, self.bus, self.settings, make, leads or _always, self.inbound
        )
        await self.sender.start()

    async def stop(self) -> None:
        if self.sender is not None:
            await self.sender.close()
            self.sender = None

    async def tell(
        self,
        text: str | dict[str, Any],
        source_id: int = 1,
        *,
        kind: str = "text",
        reliable: bool = True,
        life: int = HOUR,
        recipient: str | None = None,
    ) -> int:
        """Queues an SMS to a device, as actions do; the command's id."""
        payload = text.encode() if isinstance(text, str) else msgspec.json.encode(text)
        async with self.database.begin() as connection:
            made = await connection.scalar(
                insert(commands)
                .values(
                    source_id=source_id,
                    channel="sms",
                    recipient=recipient,
                    kind=kind,
                    payload=payload,
                    reliable=reliable,
                    state="queued",
                    created_at=now_ms(),
                    expires_at=now_ms() + life,
                )
                .returning(commands.c.id)
            )
        assert made is not None
        self.bus.publish(f"sms.{source_id}")
        return int(made)

    async def command(self, command_id: int) -> Any:
        """The row of a command."""
        query = select(commands).where(commands.c.id == command_id)
        async with self.database.read() as connection:
            return (await connection.execute(query)).one()

    async def attempts(self, command_id: int) -> list[str | None]:
        """What became of the attempts at a command."""
        query = (
            select(command_attempts.c.outcome)
            .where(command_attempts.c.command_id == command_id)
            .order_by(command_attempts.c.number)
        )
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def incoming(self) -> list[tuple[str, str, str, int | None]]:
        """What came in: (kind, sender, text, the command that it answers)."""
        query = select(
            sms_incoming.c.kind,
            sms_incoming.c.sender,
            sms_incoming.c.text,
            sms_incoming.c.command_id,
        ).order_by(sms_incoming.c.id)
        async with self.database.read() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def until(
        self, command_id: int, condition: Callable[[Any], Any], seconds: float = 60
    ) -> Any:
        """Waits until a command's row is as wanted; gives it."""
        end = time.monotonic() + seconds
        while True:
            row = await self.command(command_id)
            if condition(row):
                return row
            seen = (row.state, row.attempts, row.answer, row.error, row.finished_at)
            assert time.monotonic() < end, f"not in {seconds} s, but: {seen}"
            await asyncio.sleep(0.02)

    async def becomes(self, command_id: int, state: str, seconds: float = 60) -> Any:
        """Waits for the state of a command; gives its row."""
        return await self.until(command_id, lambda row: row.state == state, seconds)

    async def expired(self, reason: str) -> None:
        """Waits until nothing can be sent for this reason; then a command ends with it."""
        end = time.monotonic() + 60
        while True:
            assert self.sender is not None
            trouble = self.sender._provider and self.sender._provider.trouble
            if trouble and reason in trouble:
                break
            assert time.monotonic() < end, f"not {reason!r}, but {trouble!r}"
            await asyncio.sleep(0.02)
        command = await self.tell("too late", life=0)
        await self.sender.expire()
        row = await self.command(command)
        assert (row.state, row.attempts) == ("expired", 0)
        assert row.error.startswith("not sent in time: ")
        assert reason in row.error

    async def sent(self, command_id: int) -> Any:
        """Waits until the provider has taken a command; gives its row."""
        end = time.monotonic() + 60
        while not (outcomes := await self.attempts(command_id)) or outcomes[-1] is None:
            assert time.monotonic() < end, "it was not taken"
            await asyncio.sleep(0.02)
        return await self.command(command_id)

    async def sent_again(self, command_id: int) -> tuple[Any, list[str | None]]:
        """Waits until the provider has taken a command at the second attempt; its row, and what
        became of both."""
        await self.until(command_id, lambda row: row.attempts == 2)
        return await self.sent(command_id), await self.attempts(command_id)


async def add_devices(database: Database) -> None:
    """The devices of ``PHONES``, in empty tables. Each has the password ``devpass``."""
    async with database.begin() as connection:
        await connection.execute(insert(dealers).values(id=1, title="", created_at=0))
        for number, phone in PHONES.items():
            await connection.execute(
                insert(sources).values(
                    id=number,
                    device_id=f"35693803564380{number}",
                    model=MODEL,
                    phone=phone,
                    password="devpass",
                    dealer_id=1,
                    creation_date=date(2026, 1, 1),
                    registered_at=0,
                )
            )


@asynccontextmanager
async def open_stage(
    data_dir: Path, database_url: str = "", /, *, started: bool = True, **settings: Any
) -> AsyncIterator[Stage]:
    """A stage with an empty database; unless ``started``, nothing sends yet."""
    chosen = Settings(data_dir=data_dir, database=database_url, **settings)
    database = await Database.open(chosen)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await add_devices(database)
    bus = LocalBus()
    stage = Stage(chosen, database, bus)
    try:
        if started:
            await stage.start()
        yield stage
    finally:
        await stage.stop()
        await bus.close()
        await database.close()
