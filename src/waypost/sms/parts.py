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
from waypost.sms.provider import Report, plain
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
        plain(message_id): {
            "provider": provider,
            "message_id": plain(message_id),
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
    return await _ends(
        connection, {(row.command_id, row.number) for row in found if row.state != ACCEPTED}
    )


async def note_reports(
    connection: AsyncConnection, reports: Sequence[tuple[str, Report]], *, now: int
) -> list[Concluded]:
    """Reports, with the names of their providers. The attempts that they end: those that are known
    and have no part left that is still on its way. A second report on a part changes nothing."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for provider, report in reports:
        message_id = plain(report.message_id)
        rows.setdefault(
            (provider, message_id),
            {
                "provider": provider,
                "message_id": message_id,
                "state": report.state,
                "reason": report.reason and plain(report.reason),
                "at": now,
            },
        )
    adding = _insert(connection)(sms_parts).values(list(rows.values()))
    adding = adding.on_conflict_do_update(
        index_elements=["provider", "message_id"],
        set_={"state": adding.excluded.state, "reason": adding.excluded.reason},
        where=sms_parts.c.state == ACCEPTED,
    ).returning(sms_parts.c.command_id, sms_parts.c.number)
    found = (await connection.execute(adding)).all()
    return await _ends(
        connection, {(row.command_id, row.number) for row in found if row.command_id is not None}
    )


async def _ends(connection: AsyncConnection, attempts: set[tuple[int, int]]) -> list[Concluded]:
    """Those of the attempts that no report is awaited for any more."""
    if not attempts:
        return []
    waiting = func.sum(case((sms_parts.c.state == ACCEPTED, 1), else_=0))
    failed = func.sum(case((sms_parts.c.state == "failed", 1), else_=0))
    query = (
        select(
            sms_parts.c.command_id,
            sms_parts.c.number,
            commands.c.reliable,
            waiting.label("waiting"),
            failed.label("failed"),
            func.max(sms_parts.c.reason).label("reason"),
        )
        .join(commands, commands.c.id == sms_parts.c.command_id)
        .where(sms_parts.c.command_id.in_({command_id for command_id, _ in attempts}))
        .group_by(sms_parts.c.command_id, sms_parts.c.number, commands.c.reliable)
        .order_by(sms_parts.c.command_id, sms_parts.c.number)
    )
    return [
        Concluded(row.command_id, row.number, row.reliable, not row.failed, row.reason)
        for row in await connection.execute(query)
        if (row.command_id, row.number) in attempts and (row.failed or not row.waiting)
    ]


def _insert(connection: AsyncConnection) -> Any:
    """The dialect's INSERT, which knows what to do about a row that is there."""
    if connection.dialect.name == "sqlite":
        return sqlalchemy.dialects.sqlite.insert
    return sqlalchemy.dialects.postgresql.insert
