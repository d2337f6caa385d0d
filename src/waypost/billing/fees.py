"""Charging: fees that are due are taken from the owners' money; who cannot pay is blocked, and who
can again is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing import charging
from waypost.billing.activity import active_days_of, day_of
from waypost.billing.charging import DAY
from waypost.billing.devices import Device, device_of, devices_query, store_standings
from waypost.billing.ledger import fee_kind, open_purses, settle
from waypost.store.tables import sources, tariffs, trackers, users

#: Accounts charged in one transaction.
STEP = 200


def _due(today: date) -> ColumnElement[bool]:
    """Devices for which :func:`charging.fee` may have something to say."""
    end, charged = sources.c.tariff_end_date, sources.c.last_charged_date
    active = tariffs.c.type == "activeday"
    running = or_(
        end <= today,
        and_(not_(active), end.is_(None)),
        and_(active, end.is_(None), or_(charged.is_(None), charged < today - DAY)),
    )
    # Who has nothing cannot pay what ended.
    money = or_(users.c.balance + users.c.bonus > 0, tariffs.c.price == 0, active)
    return or_(and_(not_(sources.c.tariff_ended), running), and_(sources.c.tariff_ended, money))


async def due_accounts(
    connection: AsyncConnection, now: int, after: int, limit: int = STEP
) -> list[int]:
    """The next accounts, by id, that have something to pay; the first is behind ``after``."""
    query = (
        devices_query()
        .join(users, users.c.id == trackers.c.user_id)
        .with_only_columns(trackers.c.user_id)
        .where(_due(day_of(now)), trackers.c.user_id > after)
        .distinct()
        .order_by(trackers.c.user_id)
        .limit(limit)
    )
    return list(await connection.scalars(query))


async def charge(connection: AsyncConnection, user_ids: Sequence[int], now: int) -> set[int]:
    """Takes from these accounts what is due, device by device in the order of their
    registration; the sources that changed."""
    today = day_of(now)
    purses = await open_purses(connection, user_ids)
    query = (
        devices_query()
        .join(users, users.c.id == trackers.c.user_id)
        .where(_due(today), trackers.c.user_id.in_(user_ids))
        .order_by(sources.c.id)
        .with_for_update(of=sources)
    )
    devices = [device_of(row) for row in await connection.execute(query)]
    active = await _active(connection, devices)
    discounts = await _discounts(connection, {device.user_id for device in devices})
    changed: list[tuple[Device, charging.Standing]] = []
    for device in devices:
        plan = device.plan
        if device.user_id in discounts:
            discount, count = discounts[device.user_id]
            price = charging.discounted(plan.price, discount, count, today)
            plan = msgspec.structs.replace(plan, price=price)
        fee = charging.fee(plan, device.standing, today, active.get(device.source_id, ()))
        if fee is None:
            continue
        kind = fee_kind(plan.type, device.tariff_name)
        paid = purses[device.user_id].spend(fee.amount, kind, device.tracker_id, now)
        changed.append((device, fee.paid if paid else fee.unpaid))
    await settle(connection, purses.values())
    return await store_standings(connection, changed)


async def _active(connection: AsyncConnection, devices: Sequence[Device]) -> dict[int, list[date]]:
    counted = [device for device in devices if device.plan.type == "activeday"]
    if not counted:
        return {}
    since = min(device.standing.charged or device.standing.created for device in counted)
    return await active_days_of(connection, [device.source_id for device in counted], since)


async def _discounts(
    connection: AsyncConnection, user_ids: set[int]
) -> dict[int, tuple[dict[str, Any], int]]:
    """Personal discounts, and the number of devices that are not blocked, by user."""
    query = select(users.c.id, users.c.discount).where(users.c.id.in_(user_ids))
    given = {
        row.id: row.discount for row in await connection.execute(query) if row.discount.get("value")
    }
    if not given:
        return {}
    counts = await connection.execute(
        devices_query()
        .with_only_columns(trackers.c.user_id, func.count())
        .where(trackers.c.user_id.in_(given), not_(sources.c.blocked))
        .group_by(trackers.c.user_id)
    )
    counted = {row[0]: row[1] for row in counts}
    return {user_id: (discount, counted.get(user_id, 0)) for user_id, discount in given.items()}
