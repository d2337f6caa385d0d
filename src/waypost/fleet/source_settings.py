"""Settings of a device that the platform itself keeps and uses, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.locking import lock_sources
from waypost.fleet.service import Write
from waypost.store.sql import chunks
from waypost.store.tables import sources

#: Titles of digital outputs, by number.
OUTPUTS = "outputs"


async def settings_of(
    connection: AsyncConnection, source_ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """All of them, by source."""
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(source_ids):
        query = select(sources.c.id, sources.c.settings).where(sources.c.id.in_(some))
        found.update({row.id: row.settings for row in await connection.execute(query)})
    return found


async def change_setting(write: Write, source_id: int, name: str, value: Any) -> None:
    """Sets one of them, or (None) takes it away. Others that change at the same time stay."""
    await lock_sources(write.connection, (source_id,))
    settings = dict((await settings_of(write.connection, [source_id]))[source_id])
    if value is None:
        settings.pop(name, None)
    else:
        settings[name] = value
    await write.connection.execute(
        update(sources).where(sources.c.id == source_id).values(settings=settings)
    )
    write.changes.sources.add(source_id)
