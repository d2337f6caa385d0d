"""What billing knows of a device: its tariff, how far it is paid, who pays."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.charging import Plan, Standing
from waypost.store.tables import sources, tariffs, trackers

_COLUMNS = (
    sources.c.id.label("source_id"),
    trackers.c.id.label("tracker_id"),
    trackers.c.user_id,
    sources.c.creation_date,
    sources.c.free_days,
    sources.c.tariff_id,
    sources.c.tariff_end_date,
    sources.c.tariff_ended,
    sources.c.last_charged_date,
    sources.c.tariff_change_date,
    sources.c.blocked,
    sources.c.blocked_by_tariff,
    tariffs.c.name.label("tariff_name"),
    tariffs.c.type.label("tariff_type"),
    tariffs.c.price,
    tariffs.c.proportional_charge,
)


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A registered device with a tariff."""

    source_id: int
    tracker_id: int
    user_id: int
    tariff_id: int
    tariff_name: str
    plan: Plan
    standing: Standing
    blocked: bool
    blocked_by_tariff: bool

    def columns(self, standing: Standing) -> dict[str, Any]:
        """The columns of ``sources`` that a new standing sets. The end of the tariff blocks, and
        paying lifts that block; one that the dealer has set stays, and so does the dealer's
        lifting one."""
        blocked, by_tariff = self.blocked, self.blocked_by_tariff
        if standing.ended and not self.standing.ended and not blocked:
            blocked = by_tariff = True
        elif not standing.ended and by_tariff:
            blocked = by_tariff = False
        return {
            "tariff_end_date": standing.end_date,
            "tariff_ended": standing.ended,
            "last_charged_date": standing.charged,
            "tariff_change_date": standing.changed,
            "blocked": blocked,
            "blocked_by_tariff": by_tariff,
        }


def devices_query() -> Select[Any]:
    """Selects what :func:`device_of` reads, of every device that somebody has; add conditions."""
    return (
        select(*_COLUMNS)
        .select_from(
            sources.join(tariffs, tariffs.c.id == sources.c.tariff_id).join(
                trackers, trackers.c.source_id == sources.c.id
            )
        )
        .where(not_(sources.c.corrupted), not_(trackers.c.clone), not_(trackers.c.deleted))
    )


def device_of(row: Any) -> Device:
    return Device(
        source_id=row.source_id,
        tracker_id=row.tracker_id,
        user_id=row.user_id,
        tariff_id=row.tariff_id,
        tariff_name=row.tariff_name,
        plan=Plan(row.tariff_type, row.price, row.proportional_charge),
        standing=Standing(
            created=row.creation_date,
            free_days=row.free_days,
            end_date=row.tariff_end_date,
            ended=row.tariff_ended,
            charged=row.last_charged_date,
            changed=row.tariff_change_date,
        ),
        blocked=row.blocked,
        blocked_by_tariff=row.blocked_by_tariff,
    )


async def store_standings(
    connection: AsyncConnection, changed: list[tuple[Device, Standing]]
) -> set[int]:
    """Writes new standings; the ids of their sources."""
    rows = [
        {
            "b_id": device.source_id,
            **{f"b_{name}": value for name, value in device.columns(standing).items()},
        }
        for device, standing in changed
        if standing != device.standing
    ]
    if rows:
        names = [name for name in rows[0] if name != "b_id"]
        await connection.execute(
            update(sources)
            .where(sources.c.id == bindparam("b_id"))
            .values({name[2:]: bindparam(name) for name in names}),
            rows,
        )
    return {row["b_id"] for row in rows}
