"""Settings of a device that the platform itself keeps and uses, by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from waypost.fleet.locking import lock_sources
from waypost.fleet.service import Write
from waypost.store.tables import sources


async def change_setting(write: Write, source_id: int, name: str, value: Any) -> None:
    """Sets one of them, or (None) takes it away. Others that change at the same time stay."""
    await lock_sources(write.connection, (source_id,))
    settings: dict[str, Any] = dict(
        (
            await write.connection.execute(
                select(sources.c.settings).where(sources.c.id == source_id)
            )
        ).scalar_one()
    )
    if value is None:
        settings.pop(name, None)
    else:
        settings[name] = value
    await write.connection.execute(
        update(sources).where(sources.c.id == source_id).values(settings=settings)
    )
    write.changes.sources.add(source_id)
