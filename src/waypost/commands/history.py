"""What devices were told lately, and what became of it."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.commands.shown import shown_payload
from waypost.store.tables import command_attempts, commands


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver a command. Moments in ms."""

    number: int
    sent: int
    finished: int | None
    outcome: str | None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A command as people may see it. Moments in ms."""

    id: int
    channel: str
    kind: str
    command: str
    reliable: bool
    state: str
    user_id: int | None
    panel_account_id: int | None
    created: int
    sent: int | None
    finished: int | None
    expires: int
    #: Not to be tried again before.
    due: int | None
    answer: str | None
    error: str | None
    attempts: list[Try]


async def recent(
    connection: AsyncConnection, source_id: int, *, limit: int, offset: int
) -> tuple[list[Told], int]:
    """Commands of a source, the newest first, and how many there are."""
    which = commands.c.source_id == source_id
    count = await connection.scalar(select(func.count()).where(which)) or 0
    query = select(commands).where(which).order_by(commands.c.id.desc())
    rows = (await connection.execute(query.limit(limit).offset(offset))).all()
    attempts: dict[int, list[Try]] = {row.id: [] for row in rows}
    tried = (
        select(command_attempts)
        .where(command_attempts.c.command_id.in_(list(attempts)))
        .order_by(command_attempts.c.command_id, command_attempts.c.number)
    )
    for one in await connection.execute(tried):
        attempts[one.command_id].append(
            Try(number=one.number, sent=one.sent_at, finished=one.finished_at, outcome=one.outcome)
        )
    found = [
        Told(
            id=row.id,
            channel=row.channel,
            kind=row.kind,
            command=shown_payload(row.kind, row.payload, row.shown),
            reliable=row.reliable,
            state=row.state,
            user_id=row.user_id,
            panel_account_id=row.panel_account_id,
            created=row.created_at,
            sent=row.sent_at,
            finished=row.finished_at,
            expires=row.expires_at,
            due=row.due_at if row.finished_at is None else None,
            answer=row.answer,
            error=row.error,
            attempts=attempts[row.id],
        )
        for row in rows
    ]
    return found, count
