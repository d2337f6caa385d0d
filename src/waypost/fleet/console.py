"""Keys to the console of a device: whoever has one may watch it and command it for a while."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.rows import TrackerRow
from waypost.refusal import Refused
from waypost.store.tables import console_keys, trackers, users

#: How long a key opens a console (ms). Once open, it stays so.
LIFE = 5 * 60 * 1000


class ConsoleKey(msgspec.Struct, frozen=True):
    """A key, and the moment (seconds since 1970) that has to be shown with it."""

    key: str
    timestamp: int


async def make_key(
    connection: AsyncConnection, row: TrackerRow, panel_account_id: int, now: int
) -> ConsoleKey:
    """A key to the console of the device of ``row``. Raises :class:`Refused` 230 for a tracker that
    is deleted or blocked."""
    if row.deleted or row.blocked:
        raise Refused(230)
    made = ConsoleKey(secrets.token_hex(20), now // 1000)
    await connection.execute(
        insert(console_keys).values(
            key=_digest(made.key),
            tracker_id=row.id,
            panel_account_id=panel_account_id,
            timestamp=made.timestamp,
            expires_at=now + LIFE,
        )
    )
    return made


async def find_key(
    connection: AsyncConnection, shown: ConsoleKey, dealer_id: int, now: int
) -> int | None:
    """The tracker whose console this key opens for this dealer; None: it opens none (any more)."""
    query = (
        select(console_keys.c.key, console_keys.c.tracker_id)
        .join(trackers, trackers.c.id == console_keys.c.tracker_id)
        .join(users, users.c.id == trackers.c.user_id)
        .where(
            console_keys.c.key == _digest(shown.key),
            console_keys.c.timestamp == shown.timestamp,
            console_keys.c.expires_at > now,
            users.c.dealer_id == dealer_id,
        )
    )
    row = (await connection.execute(query)).first()
    return None if row is None else int(row.tracker_id)


async def forget_keys(connection: AsyncConnection, now: int) -> None:
    """Deletes keys that open nothing any more."""
    await connection.execute(delete(console_keys).where(console_keys.c.expires_at <= now))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
