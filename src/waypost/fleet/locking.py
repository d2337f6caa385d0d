"""Taking turns: two calls that change one tracker at once.

Whatever belongs to a device (its trackers in several accounts, what is bound to them, its settings)
is written by whoever holds the lock of its source. Locks are taken in one order: dealers, users,
sources by their ids; nothing else is waited for. SQLite has one writer anyway.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.rows import TrackerRow, fetch_row, rows_query
from waypost.store.sql import chunks
from waypost.store.tables import sources, trackers


async def lock_sources(connection: AsyncConnection, source_ids: Iterable[int]) -> None:
    """Nobody else writes to these sources until the end of the transaction. What was read of them
    before may be out of date."""
    for some in chunks(sorted(set(source_ids))):
        await connection.execute(
            select(sources.c.id)
            .where(sources.c.id.in_(some))
            .order_by(sources.c.id)
            .with_for_update(key_share=True)
        )


async def locked_row(connection: AsyncConnection, row: TrackerRow) -> TrackerRow | None:
    """``row`` as it is now, with its source locked; None where it is gone."""
    await lock_sources(connection, (row.source_id,))
    return await fetch_row(connection, rows_query().where(trackers.c.id == row.id))
