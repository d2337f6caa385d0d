"""What hangs on a tracker in its account, and keeps it from being taken away."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import (
    rule_trackers,
    saved_commands,
    tag_bindings,
    user_trackers,
    vehicles,
)


async def need_untied(connection: AsyncConnection, tracker_id: int) -> None:
    """Raises :class:`Refused` 203 with ``rules``, or else ``vehicles``, that use the tracker."""
    using = select(rule_trackers.c.rule_id).where(rule_trackers.c.tracker_id == tracker_id)
    rules = list(await connection.scalars(using.order_by(rule_trackers.c.rule_id)))
    if rules:
        raise Refused(203, rules=rules)
    found = list(
        await connection.scalars(select(vehicles.c.id).where(vehicles.c.tracker_id == tracker_id))
    )
    if found:
        raise Refused(203, vehicles=found)


async def untie(connection: AsyncConnection, tracker_ids: Sequence[int]) -> None:
    """Takes trackers out of rules and vehicles."""
    await connection.execute(
        delete(rule_trackers).where(rule_trackers.c.tracker_id.in_(tracker_ids))
    )
    await connection.execute(
        update(vehicles).where(vehicles.c.tracker_id.in_(tracker_ids)).values(tracker_id=None)
    )


async def leave_account(connection: AsyncConnection, tracker_id: int) -> None:
    """Takes off a tracker whatever its account gave it: rules, vehicle, tags, sub-users, saved
    commands."""
    await untie(connection, [tracker_id])
    for table in (tag_bindings, user_trackers, saved_commands):
        await connection.execute(delete(table).where(table.c.tracker_id == tracker_id))
