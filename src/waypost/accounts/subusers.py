"""Sub-users as rows: security groups, and the trackers that a sub-user sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import (
    security_groups,
    sources,
    tariffs,
    trackers,
    user_trackers,
    users,
)

FEATURE = "multilevel_access"


async def check_feature(connection: AsyncConnection, master_id: int) -> None:
    """Raises :class:`Refused` with 236 unless the tariffs of all trackers of the account allow
    sub-users."""
    rows = await connection.execute(
        select(tariffs.c.id, tariffs.c.features).where(
            tariffs.c.id.in_(
                select(sources.c.tariff_id)
                .join(trackers, trackers.c.source_id == sources.c.id)
                .where(trackers.c.user_id == master_id, ~trackers.c.deleted, ~sources.c.corrupted)
            )
        )
    )
    if any(FEATURE not in row.features for row in rows):
        raise Refused(236)


async def of_master(connection: AsyncConnection, master_id: int) -> list[Any]:
    rows = await connection.execute(
        select(users).where(users.c.master_id == master_id, ~users.c.deleted).order_by(users.c.id)
    )
    return list(rows)


async def find(connection: AsyncConnection, master_id: int, subuser_id: int) -> Any:
    """The row of a sub-user. Raises :class:`Refused` with 201."""
    row = (
        await connection.execute(
            select(users).where(
                users.c.id == subuser_id, users.c.master_id == master_id, ~users.c.deleted
            )
        )
    ).first()
    if row is None:
        raise Refused(201)
    return row


async def check_group(connection: AsyncConnection, master_id: int, group_id: int | None) -> None:
    """Raises :class:`Refused` with 201 for a security group of nobody or another account."""
    if group_id is not None:
        found = await connection.scalar(
            select(security_groups.c.id).where(
                security_groups.c.id == group_id, security_groups.c.user_id == master_id
            )
        )
        if found is None:
            raise Refused(201)


async def remove(connection: AsyncConnection, subuser_id: int) -> None:
    """Deletes a sub-user; its log-in is free again."""
    await connection.execute(delete(user_trackers).where(user_trackers.c.user_id == subuser_id))
    await connection.execute(
        update(users)
        .where(users.c.id == subuser_id)
        .values(deleted=True, activated=False, login=f"deleted:{subuser_id}")
    )


async def remove_group(connection: AsyncConnection, group_id: int) -> list[int]:
    """Deletes a security group; those in it, who have no rights now."""
    members = list(
        await connection.scalars(
            update(users)
            .where(users.c.security_group_id == group_id)
            .values(security_group_id=None)
            .returning(users.c.id)
        )
    )
    await connection.execute(delete(security_groups).where(security_groups.c.id == group_id))
    return members


async def members(connection: AsyncConnection, group_id: int) -> list[int]:
    return list(
        await connection.scalars(select(users.c.id).where(users.c.security_group_id == group_id))
    )


async def trackers_of(connection: AsyncConnection, subuser_id: int) -> list[int]:
    """Ids of the trackers that a sub-user sees."""
    return list(
        await connection.scalars(
            select(user_trackers.c.tracker_id)
            .join(trackers, trackers.c.id == user_trackers.c.tracker_id)
            .where(user_trackers.c.user_id == subuser_id, ~trackers.c.deleted)
            .order_by(user_trackers.c.tracker_id)
        )
    )


async def check_trackers(
    connection: AsyncConnection, master_id: int, tracker_ids: Sequence[int]
) -> None:
    """Raises :class:`Refused` with 262 unless all are trackers of the account."""
    wanted = set(tracker_ids)
    own = await connection.scalar(
        select(func.count())
        .select_from(trackers)
        .join(sources, sources.c.id == trackers.c.source_id)
        .where(
            trackers.c.user_id == master_id,
            trackers.c.id.in_(wanted),
            ~trackers.c.deleted,
            ~sources.c.corrupted,
        )
    )
    if own != len(wanted):
        raise Refused(262)


async def bind(connection: AsyncConnection, subuser_id: int, tracker_ids: Sequence[int]) -> None:
    """Lets a sub-user see these trackers, those seen already included."""
    seen = set(
        await connection.scalars(
            select(user_trackers.c.tracker_id).where(user_trackers.c.user_id == subuser_id)
        )
    )
    new = [
        {"user_id": subuser_id, "tracker_id": tracker_id}
        for tracker_id in sorted(set(tracker_ids) - seen)
    ]
    if new:
        await connection.execute(insert(user_trackers), new)


async def unbind(connection: AsyncConnection, subuser_id: int, tracker_ids: Sequence[int]) -> None:
    await connection.execute(
        delete(user_trackers).where(
            user_trackers.c.user_id == subuser_id, user_trackers.c.tracker_id.in_(tracker_ids)
        )
    )
