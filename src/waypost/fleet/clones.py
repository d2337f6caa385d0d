"""Clones: further trackers of one source, in other accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, not_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import errors
from waypost.fleet.locking import lock_sources
from waypost.fleet.rows import TrackerRow, fetch_rows, rows_query
from waypost.fleet.service import Write
from waypost.fleet.ties import leave_account, need_untied, ties_of
from waypost.refusal import Refused
from waypost.store.tables import trackers, users


async def need_account(connection: AsyncConnection, dealer_id: int, user_id: int) -> None:
    """Raises :class:`Refused` 246 for an account that the dealer does not have. It stays there
    until the end of the transaction."""
    query = (
        select(users.c.id)
        .where(
            users.c.id == user_id,
            users.c.dealer_id == dealer_id,
            users.c.master_id.is_(None),
            not_(users.c.deleted),
        )
        .with_for_update(read=True, key_share=True)
    )
    if await connection.scalar(query) is None:
        raise Refused(246)


async def clone(write: Write, row: TrackerRow, label: str, user_id: int, now: int) -> int:
    """A clone of ``row`` (no clone itself, locked) in the account ``user_id``; its id. Raises
    :class:`Refused`: 246 for the owner's own account; 247 where the account has one already."""
    if user_id == row.user_id:
        raise Refused(246)
    there = await _there(write.connection, [row.source_id], user_id)
    if there:
        raise Refused(247)
    (made,) = await _make(write, [(row, label)], user_id, now)
    return made


async def clone_all(
    write: Write,
    dealer_id: int,
    tracker_ids: Sequence[int],
    user_id: int,
    now: int,
    *,
    pass_over: bool,
) -> tuple[list[int], list[int]]:
    """Clones of several trackers in one account, called like the originals: the ids of the clones,
    and of the trackers that the account had already and that were passed over. Raises
    :class:`Refused`: 217 for an id that the dealer does not have, or that is given up or taken out;
    219 for a clone; 246 for the owner's own account; 247, unless ``pass_over``, with the account's
    trackers that are in the way."""
    wanted = list(dict.fromkeys(tracker_ids))
    rows = await _locked(write.connection, dealer_id, wanted)
    if any(one not in rows or rows[one].corrupted or rows[one].deleted for one in wanted):
        raise Refused(217)
    if any(rows[one].clone for one in wanted):
        raise Refused(219)
    if any(rows[one].user_id == user_id for one in wanted):
        raise Refused(246)
    there = await _there(write.connection, [rows[one].source_id for one in wanted], user_id)
    if there and not pass_over:
        raise Refused(247, list=sorted(there.values()))
    new = [rows[one] for one in wanted if rows[one].source_id not in there]
    made = await _make(write, [(row, row.label) for row in new], user_id, now)
    return made, [one for one in wanted if rows[one].source_id in there]


async def _locked(
    connection: AsyncConnection, dealer_id: int, tracker_ids: Sequence[int]
) -> dict[int, TrackerRow]:
    """Those of a dealer's trackers, by id, with their sources locked."""
    query = rows_query().where(users.c.dealer_id == dealer_id, trackers.c.id.in_(tracker_ids))
    seen = await fetch_rows(connection, query)
    await lock_sources(connection, [row.source_id for row in seen])
    return {row.id: row for row in await fetch_rows(connection, query)}


async def _there(
    connection: AsyncConnection, source_ids: Sequence[int], user_id: int
) -> dict[int, int]:
    """Trackers of an account by source."""
    query = select(trackers.c.source_id, trackers.c.id).where(
        trackers.c.source_id.in_(source_ids),
        trackers.c.user_id == user_id,
        not_(trackers.c.deleted),
    )
    return {row.source_id: row.id for row in await connection.execute(query)}


async def _make(
    write: Write, wanted: Sequence[tuple[TrackerRow, str]], user_id: int, now: int
) -> list[int]:
    """The ids of the new clones, in the order given."""
    if not wanted:
        return []
    day = datetime.fromtimestamp(now / 1000, UTC).date()
    try:
        await write.connection.execute(
            insert(trackers),
            [
                {
                    "source_id": row.source_id,
                    "user_id": user_id,
                    "label": label,
                    "clone": True,
                    "creation_date": day,
                }
                for row, label in wanted
            ],
        )
    except IntegrityError:
        raise Refused(247) from None
    made = await _there(write.connection, [row.source_id for row, _ in wanted], user_id)
    write.changes.users.add(user_id)
    return [made[row.source_id] for row, _ in wanted]


async def delete_clone(write: Write, row: TrackerRow) -> None:
    """Takes a clone (locked) out of its account. The source and its other trackers stay. Raises
    :class:`Refused`: 201 where it is gone already; 203 with ``rules`` or ``vehicles`` that use
    it."""
    if row.deleted:
        raise Refused(201)
    await need_untied(write.connection, row.id)
    await _delete(write, [row])


async def _delete(write: Write, rows: Sequence[TrackerRow]) -> None:
    ids = [row.id for row in rows]
    await write.connection.execute(
        update(trackers).where(trackers.c.id.in_(ids)).values(deleted=True, group_id=None)
    )
    await leave_account(write.connection, ids)
    write.changes.users.update(row.user_id for row in rows)


async def delete_clones(write: Write, dealer_id: int, tracker_ids: Sequence[int]) -> dict[int, str]:
    """Takes several clones of a dealer's users out of their accounts; the ids of those that could
    not be, and why."""
    rows = await _locked(write.connection, dealer_id, tracker_ids)
    tied = await ties_of(write.connection, tracker_ids)
    failed: dict[int, str] = {}
    going: list[TrackerRow] = []
    for tracker_id in dict.fromkeys(tracker_ids):
        row = rows.get(tracker_id)
        if row is None:
            failed[tracker_id] = "Entity not found"
        elif not row.clone:
            failed[tracker_id] = "Not a clone"
        elif row.deleted:
            failed[tracker_id] = "Already deleted"
        elif tracker_id in tied:
            failed[tracker_id] = errors.error(tied[tracker_id].code).description
        else:
            going.append(row)
    if going:
        await _delete(write, going)
    return failed
