"""Clones: further trackers of one source, in other accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, insert, not_, select, update
from sqlalchemy.exc import IntegrityError

from waypost.fleet.rows import TrackerRow, fetch_rows, rows_query
from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.tables import tag_bindings, trackers, user_trackers, users


async def clone(write: Write, row: TrackerRow, label: str, user_id: int, now: int) -> int:
    """A clone of ``row`` (no clone itself) in the account ``user_id``; its id. Raises
    :class:`Refused`: 246 for the owner's own account, or one that this dealer does not have; 247
    where the account has one already."""
    connection = write.connection
    account = await connection.scalar(
        select(users.c.id).where(
            users.c.id == user_id,
            users.c.dealer_id == row.dealer_id,
            users.c.master_id.is_(None),
            not_(users.c.deleted),
        )
    )
    if account is None or user_id == row.user_id:
        raise Refused(246)
    there = await connection.scalar(
        select(trackers.c.id).where(
            trackers.c.source_id == row.source_id,
            trackers.c.user_id == user_id,
            not_(trackers.c.deleted),
        )
    )
    if there is not None:
        raise Refused(247)
    try:
        made = await connection.execute(
            insert(trackers)
            .values(
                source_id=row.source_id,
                user_id=user_id,
                label=label,
                clone=True,
                creation_date=datetime.fromtimestamp(now / 1000, UTC).date(),
            )
            .returning(trackers.c.id)
        )
    except IntegrityError:
        raise Refused(247) from None
    write.changes.users.add(user_id)
    return int(made.scalar_one())


async def delete_clone(write: Write, row: TrackerRow) -> None:
    """Takes a clone out of its account. The source and its other trackers stay. Raises
    :class:`Refused` 201 where it is gone already."""
    connection = write.connection
    gone = await connection.execute(
        update(trackers)
        .where(trackers.c.id == row.id, trackers.c.clone, not_(trackers.c.deleted))
        .values(deleted=True, group_id=None)
    )
    if gone.rowcount != 1:
        raise Refused(201)
    await connection.execute(delete(user_trackers).where(user_trackers.c.tracker_id == row.id))
    await connection.execute(delete(tag_bindings).where(tag_bindings.c.tracker_id == row.id))
    write.changes.users.add(row.user_id)


async def delete_clones(write: Write, dealer_id: int, tracker_ids: Sequence[int]) -> dict[int, str]:
    """Takes several clones of a dealer's users out of their accounts; the ids of those that could
    not be, and why."""
    query = rows_query().where(users.c.dealer_id == dealer_id, trackers.c.id.in_(tracker_ids))
    rows = {row.id: row for row in await fetch_rows(write.connection, query)}
    failed: dict[int, str] = {}
    for tracker_id in dict.fromkeys(tracker_ids):
        row = rows.get(tracker_id)
        if row is None:
            failed[tracker_id] = "Entity not found"
        elif not row.clone:
            failed[tracker_id] = "Not a clone"
        elif row.deleted:
            failed[tracker_id] = "Already deleted"
        else:
            await delete_clone(write, row)
    return failed
