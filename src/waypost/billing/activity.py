"""Days on which devices were active: those (UTC) on which they connected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, exists, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.store.sql import chunks
from waypost.store.tables import active_days, sources

#: Connections may become known late by as many days.
DAYS = 2
#: ``tracker/active/history/list`` looks back over two years.
KEPT = timedelta(days=800)


def day_of(ms: int) -> date:
    """The day (UTC) of a moment in milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def start_of(day: date) -> int:
    """The first millisecond of a day (UTC)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


async def note_active_days(connection: AsyncConnection, now: int) -> None:
    """Notes the days of the devices' last connections. It must run several times a day: a
    connected device says so every few minutes, and only the last time is kept."""
    today = day_of(now)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        begin = start_of(day)
        noted = exists(
            select(active_days.c.source_id).where(
                active_days.c.source_id == sources.c.id, active_days.c.day == day
            )
        )
        await connection.execute(
            insert(active_days).from_select(
                ["source_id", "day"],
                select(sources.c.id, literal(day)).where(
                    sources.c.last_connection_at >= begin,
                    sources.c.last_connection_at < begin + 86_400_000,
                    ~noted,
                ),
            )
        )


async def forget_active_days(connection: AsyncConnection, now: int) -> None:
    """Deletes what nobody can ask for any more."""
    before = day_of(now) - KEPT
    await connection.execute(delete(active_days).where(active_days.c.day < before))


async def active_days_of(
    connection: AsyncConnection, source_ids: Sequence[int], since: date
) -> dict[int, list[date]]:
    """The active days of these sources from ``since`` on, by source."""
    found: dict[int, list[date]] = {}
    for some in chunks(source_ids):
        query = select(active_days.c.source_id, active_days.c.day).where(
            active_days.c.source_id.in_(some),
            active_days.c.day >= since,
        )
        for source_id, day in await connection.execute(query):
            found.setdefault(source_id, []).append(day)
    return found
