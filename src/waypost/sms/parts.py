"""Short messages that a provider has, by its ids, and the reports on them.

A report may overtake the news of what it reports on: it is kept, and found when that comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy.dialects.postgresql
import sqlalchemy.dialects.sqlite
from sqlalchemy import and_, case, func, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.sms.attempts import ACCEPTED, Concluded
from waypost.sms.provider import Report
from waypost.store.tables import commands, sms_parts

#: A report on an id that was not known then, and so long ago (ms), was on another message: some
#: providers use their ids again.
STRAY = 3_600_000

Named = tuple[int, int, str]
"""Command, number of the attempt, and the provider's id of a part of it."""


async def note_parts(
    connection: AsyncConnection, provider: str, named: Sequence[Named], *, now: int
) -> list[Concluded]:
    """The provider has these parts. What early reports have ended already."""
    rows = {
        message_id: {
            "provider": provider,
            "message_id": message_id,
            "command_id": command_id,
            "number": number,
            "state": ACCEPTED,
            "at": now,
        }
        for command_id, number, message_id in named
    }
    adding = _insert(connection)(sms_parts).values(list(rows.values()))
    early = and_(sms_parts.c.command_id.is_(None), sms_parts.c.at > now - STRAY)
    adding = adding.on_conflict_do_update(
        index_elements=["provider", "message_id"],
        set_={
            "command_id": adding.excluded.command_id,
            "number": adding.excluded.number,
            "at": adding.excluded.at,
            "state": case((early, sms_parts.c.state), else_=adding.excluded.state),
            "reason": case((early, sms_parts.c.reason), else_=null()),
        },
    ).returning(sms_parts.c.command_id, sms_parts.c.number, sms_parts.c.state)
    found = (await connection.execute(adding)).all()
    ended = {(row.command_id, row.number) for row in found if row.state != ACCEPTED}
    ends = [await _end(connection, command_id, number) for command_id, number in sorted(ended)]
    return [end for end in ends if end is not None]


async def note_report(
    connection: AsyncConnection, provider: str, report: Report, *, now: int
) -> Concluded | None:
    """A report. The attempt that it ends, if it is known and has no part left that is still on its
    way; a second report on a part changes nothing."""
    adding = _insert(connection)(sms_parts).values(
        provider=provider,
        message_id=report.message_id,
        state=report.state,
        reason=report.reason,
        at=now,
    )
    adding = adding.on_conflict_do_update(
        index_elements=["provider", "message_id"],
        set_={"state": adding.excluded.state, "reason": adding.excluded.reason},
        where=sms_parts.c.state == ACCEPTED,
    ).returning(sms_parts.c.command_id, sms_parts.c.number)
    row = (await connection.execute(adding)).first()
    if row is None or row.command_id is None:
        return None
    return await _end(connection, row.command_id, row.number)


async def _end(connection: AsyncConnection, command_id: int, number: int) -> Concluded | None:
    waiting = func.sum(case((sms_parts.c.state == ACCEPTED, 1), else_=0))
    failed = func.sum(case((sms_parts.c.state == "failed", 1), else_=0))
    query = (
        select(
            waiting.label("waiting"),
            failed.label("failed"),
            func.max(sms_parts.c.reason).label("reason"),
            commands.c.reliable,
        )
        .join(commands, commands.c.id == sms_parts.c.command_id)
        .where(sms_parts.c.command_id == command_id, sms_parts.c.number == number)
        .group_by(commands.c.reliable)
    )
    row = (await connection.execute(query)).one()
    if row.waiting and not row.failed:
        return None
    return Concluded(command_id, number, row.reliable, not row.failed, row.reason)


def _insert(connection: AsyncConnection) -> Any:
    """The dialect's INSERT, which knows what to do about a row that is there."""
    if connection.dialect.name == "sqlite":
        return sqlalchemy.dialects.sqlite.insert
    return sqlalchemy.dialects.postgresql.insert
