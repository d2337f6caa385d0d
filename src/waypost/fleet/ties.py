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
    refusal = (await ties_of(connection, [tracker_id])).get(tracker_id)
    if refusal is not None:
        raise refusal


async def ties_of(connection: AsyncConnection, tracker_ids: Sequence[int]) -> dict[int, Refused]:
    """The same for several trackers: what refuses those that are used."""
    found: dict[int, Refused] = {}
    held = select(vehicles.c.tracker_id, vehicles.c.id).where(
        vehicles.c.tracker_id.in_(tracker_ids)
    )
    for tracker_id, vehicle_id in await connection.execute(held):
        found[tracker_id] = Refused(203, vehicles=[vehicle_id])
    rules: dict[int, list[int]] = {}
    using = (
        select(rule_trackers.c.tracker_id, rule_trackers.c.rule_id)
        .where(rule_trackers.c.tracker_id.in_(tracker_ids))
        .order_by(rule_trackers.c.rule_id)
    )
    for tracker_id, rule_id in await connection.execute(using):
        rules.setdefault(tracker_id, []).append(rule_id)
    found.update({tracker_id: Refused(203, rules=used) for tracker_id, used in rules.items()})
    return found


async def untie(connection: AsyncConnection, tracker_ids: Sequence[int]) -> None:
    """Takes trackers out of rules and vehicles."""
    await connection.execute(
        delete(rule_trackers).where(rule_trackers.c.tracker_id.in_(tracker_ids))
    )
    await connection.execute(
        update(vehicles).where(vehicles.c.tracker_id.in_(tracker_ids)).values(tracker_id=None)
    )


async def leave_account(connection: AsyncConnection, tracker_ids: Sequence[int]) -> None:
    """Takes off trackers whatever their account gave them: rules, vehicle, tags, sub-users, saved
    commands."""
    await untie(connection, tracker_ids)
    for table in (tag_bindings, user_trackers, saved_commands):
        await connection.execute(delete(table).where(table.c.tracker_id.in_(tracker_ids)))
