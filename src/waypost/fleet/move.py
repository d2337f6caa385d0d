"""Moving a tracker to another account of the same dealer, with its history."""

from __future__ import annotations

from sqlalchemy import not_, select, update
from sqlalchemy.exc import IntegrityError

from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.statuses import assign_listing
from waypost.fleet.ties import leave_account
from waypost.refusal import Refused
from waypost.store.tables import trackers


async def move(outbox: Outbox, row: TrackerRow, user_id: int) -> None:
    """Gives ``row`` (no clone, locked) to the account ``user_id``, which must be checked. It keeps
    its id; group, tags, rules, vehicle, working statuses and what its device was to be told stay
    behind. Raises :class:`Refused`: 246 for the account that has it; 247 for one that has a clone
    of it."""
    write, connection = outbox.write, outbox.write.connection
    if user_id == row.user_id:
        raise Refused(246)
    there = select(trackers.c.id).where(
        trackers.c.source_id == row.source_id,
        trackers.c.user_id == user_id,
        not_(trackers.c.deleted),
    )
    if await connection.scalar(there) is not None:
        raise Refused(247)
    await leave_account(connection, [row.id])
    await assign_listing(outbox, row, None)
    await outbox.cancel(row.source_id)
    try:
        await connection.execute(
            update(trackers).where(trackers.c.id == row.id).values(user_id=user_id, group_id=None)
        )
    except IntegrityError:
        raise Refused(247) from None
    write.changes.users.update((row.user_id, user_id))
    write.changes.sources.add(row.source_id)
