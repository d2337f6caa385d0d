"""Giving a device up: its id and phone can be registered anew, its trackers are gone."""

from __future__ import annotations

from sqlalchemy import not_, select, update

from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.tables import commands, sources, trackers

#: Stands between a device id that was given up and the number of its source; no device id that can
#: be registered has it.
GONE = "~"


async def corrupt(
    write: Write, row: TrackerRow, now: int, *, with_clones: bool, if_connected: bool = True
) -> None:
    """Gives up the device of ``row`` (no clone). The live connection closes when it hears of it.
    Raises :class:`Refused`: 243 for a device that has connected, unless ``if_connected``; 253 with
    the ids of its clones where there are any and they are not to go too; 252 where somebody was
    faster."""
    connection = write.connection
    source = (
        await connection.execute(
            select(sources.c.corrupted, sources.c.connected_at)
            .where(sources.c.id == row.source_id)
            .with_for_update()
        )
    ).one()
    if source.corrupted:
        raise Refused(252)
    if source.connected_at is not None and not if_connected:
        raise Refused(243)
    others = (
        await connection.execute(
            select(trackers.c.id, trackers.c.user_id, trackers.c.clone).where(
                trackers.c.source_id == row.source_id, not_(trackers.c.deleted)
            )
        )
    ).all()
    clones = sorted(other.id for other in others if other.clone)
    if clones and not with_clones:
        raise Refused(253, list=clones)
    await connection.execute(
        update(sources)
        .where(sources.c.id == row.source_id)
        .values(
            corrupted=True,
            former_device_id=sources.c.device_id,
            device_id=f"{row.device_id}{GONE}{row.source_id}",
            phone=None,
        )
    )
    await connection.execute(
        update(trackers).where(trackers.c.source_id == row.source_id).values(deleted=True)
    )
    await connection.execute(
        update(commands)
        .where(commands.c.source_id == row.source_id, commands.c.finished_at.is_(None))
        .values(state="cancelled", finished_at=now)
    )
    write.changes.users.add(row.user_id)
    write.changes.users.update(other.user_id for other in others)
    write.changes.sources.add(row.source_id)
    write.changes.devices.add(row.device_id)
