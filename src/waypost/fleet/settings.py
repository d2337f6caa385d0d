"""What an account and its dealer call a tracker, where it is sorted and whether it is shown;
whether its device is barred."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from waypost.fleet.groups import need_group
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.tables import sources, trackers


async def change_settings(write: Write, row: TrackerRow, label: str, group_id: int) -> None:
    """Raises :class:`Refused` 204 for a group that the account does not have."""
    await need_group(write.connection, row.user_id, group_id, 204)
    await write.connection.execute(
        update(trackers)
        .where(trackers.c.id == row.id)
        .values(label=label, group_id=group_id or None)
    )
    write.changes.sources.add(row.source_id)


async def describe(
    write: Write, row: TrackerRow, label: str, *, deleted: bool, comment: str | None
) -> None:
    """What the dealer may change of ``row`` (locked); None: the comment stays. A deleted tracker
    is not shown to its account. Raises :class:`Refused` 247 for bringing back a clone where the
    account has another one by now."""
    values: dict[str, Any] = {"label": label, "deleted": deleted}
    if comment is not None:
        values["comment"] = comment
    try:
        await write.connection.execute(
            update(trackers).where(trackers.c.id == row.id).values(values)
        )
    except IntegrityError:
        raise Refused(247) from None
    write.changes.users.add(row.user_id)


async def change_blocked(write: Write, row: TrackerRow, blocked: bool) -> None:
    """Bars the device of ``row``, whoever has it, or lets it go on, whatever its tariff says:
    paying no longer lifts the block, and not having paid does not block again."""
    await write.connection.execute(
        update(sources)
        .where(sources.c.id == row.source_id)
        .values(blocked=blocked, blocked_by_tariff=False)
    )
    write.changes.sources.add(row.source_id)
