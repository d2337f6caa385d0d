"""Giving a device up: its id and phone can be registered anew, its trackers are gone."""

from __future__ import annotations

from sqlalchemy import not_, select, update

from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.ties import untie
from waypost.refusal import Refused
from waypost.store.tables import sources, trackers

#: Stands between a device id that was given up and the number of its source; no device id that can
#: be registered has it.
GONE = "~"


async def corrupt(
    outbox: Outbox, row: TrackerRow, *, with_clones: bool, if_connected: bool = True
) -> None:
    """Gives up the device of ``row`` (no clone, locked). The live connection closes when it hears
    of it. Raises :class:`Refused`: 252 where it is given up already; 243 for a device that has
    connected, or one that took the place of such, unless ``if_connected``; 253 with the ids of its
    clones where there are any and they are not to go too."""
    write, connection = outbox.write, outbox.write.connection
    if row.corrupted:
        raise Refused(252)
    active = row.connected_at is not None or row.replaced_at is not None
    if active and not if_connected:
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
            sim_card_id=None,
        )
    )
    await connection.execute(
        update(trackers).where(trackers.c.source_id == row.source_id).values(deleted=True)
    )
    await untie(connection, [row.id, *clones])
    await outbox.cancel(row.source_id)
    write.changes.users.add(row.user_id)
    write.changes.users.update(other.user_id for other in others)
    write.changes.sources.add(row.source_id)
    write.changes.devices.add(row.device_id)
