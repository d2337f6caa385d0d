"""Groups of trackers: how an account sorts them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.sql import chunks
from waypost.store.tables import groups, trackers


class Group(msgspec.Struct, frozen=True):
    """A group; ``color`` is RRGGBB."""

    id: int
    title: str
    color: str


async def list_groups(connection: AsyncConnection, user_id: int) -> list[Group]:
    """The groups of an account in the order of ids. The unnamed group 0 is none of them."""
    query = (
        select(groups.c.id, groups.c.title, groups.c.color)
        .where(groups.c.user_id == user_id)
        .order_by(groups.c.id)
    )
    return [Group(*row) for row in await connection.execute(query)]


async def create_group(write: Write, user_id: int, title: str, color: str) -> int:
    made = await write.connection.execute(
        insert(groups).values(user_id=user_id, title=title, color=color).returning(groups.c.id)
    )
    return int(made.scalar_one())


async def update_group(write: Write, user_id: int, group_id: int, title: str, color: str) -> None:
    """Raises :class:`Refused` 201 for a group that the account does not have."""
    changed = await write.connection.execute(
        update(groups)
        .where(groups.c.id == group_id, groups.c.user_id == user_id)
        .values(title=title, color=color)
    )
    if changed.rowcount != 1:
        raise Refused(201)


async def delete_group(write: Write, user_id: int, group_id: int) -> None:
    """Its trackers come into no group. Raises :class:`Refused` 201."""
    await need_group(write.connection, user_id, group_id, 201)
    await write.connection.execute(
        update(trackers).where(trackers.c.group_id == group_id).values(group_id=None)
    )
    await write.connection.execute(delete(groups).where(groups.c.id == group_id))
    write.changes.users.add(user_id)


async def assign_group(
    write: Write, user_id: int, group_id: int, tracker_ids: Sequence[int]
) -> None:
    """Puts trackers of the account into a group, or (0) into none. The ids must be checked. Raises
    :class:`Refused` 201 for a group that the account does not have."""
    await need_group(write.connection, user_id, group_id, 201)
    for some in chunks(tracker_ids):
        await write.connection.execute(
            update(trackers)
            .where(trackers.c.id.in_(some), trackers.c.user_id == user_id)
            .values(group_id=group_id or None)
        )
    write.changes.users.add(user_id)


async def need_group(connection: AsyncConnection, user_id: int, group_id: int, code: int) -> None:
    """Raises :class:`Refused` with ``code`` unless the account has the group; 0 is always there.
    The group stays there until the end of the transaction."""
    if group_id == 0:
        return
    query = (
        select(groups.c.id)
        .where(groups.c.id == group_id, groups.c.user_id == user_id)
        .with_for_update(key_share=True)
    )
    if await connection.scalar(query) is None:
        raise Refused(code)
