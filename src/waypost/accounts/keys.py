"""API keys: hashes that do not end by themselves, at most twenty an account."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import api_keys, users

LIMIT = 20


async def create(connection: AsyncConnection, user_id: int, title: str, now: int) -> str:
    """A new key; its hash. Raises :class:`Refused` with 268 where there are enough."""
    # The account's row is the lock that makes counting and adding one step.
    await connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    count = await connection.scalar(
        select(func.count()).select_from(api_keys).where(api_keys.c.user_id == user_id)
    )
    if (count or 0) >= LIMIT:
        raise Refused(268)
    hash_ = secrets.token_hex(16)
    await connection.execute(
        insert(api_keys).values(hash=hash_, user_id=user_id, title=title, created_at=now)
    )
    return hash_


async def remove(connection: AsyncConnection, user_id: int, hash_: str) -> None:
    """Raises :class:`Refused` with 201 for a key that this account does not have."""
    gone = await connection.execute(
        delete(api_keys).where(api_keys.c.hash == hash_, api_keys.c.user_id == user_id)
    )
    if not gone.rowcount:
        raise Refused(201)


async def of_user(connection: AsyncConnection, user_id: int) -> list[Any]:
    """The account's keys, oldest first."""
    rows = await connection.execute(
        select(api_keys)
        .where(api_keys.c.user_id == user_id)
        .order_by(api_keys.c.created_at, api_keys.c.hash)
    )
    return list(rows)
