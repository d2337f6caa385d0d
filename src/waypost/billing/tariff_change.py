"""Changing a device's tariff, by its dealer or its owner. Who may when, and what it does to dates
and money, is what the pages ``tracker`` of the panel API and ``tariff`` of the user API say."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing import charging
from waypost.billing.activity import day_of
from waypost.billing.charging import DAY, ZERO, Standing
from waypost.billing.devices import Device, device_of, devices_query
from waypost.billing.fees import charge as charge_accounts
from waypost.billing.ledger import EARLY_CHANGE, REPAYMENT, Purse, open_purse, settle
from waypost.billing.tariffs import Tariff, find, of_dealer
from waypost.refusal import Refused
from waypost.store.tables import sources, trackers, users

#: A user who changed a tariff pays for changing it again within this many days.
FREEZE = 30 * DAY


async def change_by_dealer(
    connection: AsyncConnection,
    dealer_id: int,
    user_id: int,
    tracker_id: int,
    tariff_id: int,
    now: int,
    *,
    repay: bool,
    charge: bool,
) -> set[int]:
    """Another tariff for a tracker (no clone) of the dealer's user; the sources that changed.
    ``repay``: what is left of the old one comes back; ``charge``: the new one is paid from now on,
    not from the next period on. Raises :class:`Refused`: 201, 221, 237, 238, 239."""
    today = day_of(now)
    purse = await open_purse(connection, user_id)
    device, old = await _device(connection, dealer_id, user_id, tracker_id)
    new = await find(connection, dealer_id, tariff_id, missing=239)
    user = await _user(connection, user_id)
    if not _may_have(old, new, user):
        raise Refused(238)
    await _check_limit(connection, new, user_id)
    if repay:
        amount = charging.repayment(old.plan, device.standing, today)
        if amount > ZERO:
            purse.post(amount, ZERO, REPAYMENT, tracker_id, now)
    standing = charging.change(new.plan, device.standing, today, charge=charge)
    await settle(connection, [purse])
    return await _store(connection, device, new, standing)


async def change_by_user(
    connection: AsyncConnection,
    dealer_id: int,
    user_id: int,
    tracker_id: int,
    tariff_id: int,
    now: int,
) -> set[int]:
    """Another tariff for a user's own tracker (no clone), paid from now on; what is left of the old
    one comes back. The sources that changed. Raises :class:`Refused`: 201, 221, 237, 238, 239, 240
    too early, 251 not enough money for changing early."""
    today = day_of(now)
    purse = await open_purse(connection, user_id)
    device, old = await _device(connection, dealer_id, user_id, tracker_id)
    new = await find(connection, dealer_id, tariff_id, missing=239)
    if not _may_choose(old, new, await _user(connection, user_id)):
        raise Refused(238)
    await _check_limit(connection, new, user_id)
    if days_to_next_change(device.standing.changed, today):
        _pay_early_change(purse, old, tracker_id, now)
    amount = charging.left_over(old.plan, device.standing, today)
    if amount > ZERO:
        purse.post(amount, ZERO, REPAYMENT, tracker_id, now)
    standing = charging.change(new.plan, device.standing, today, charge=True)
    await settle(connection, [purse])
    changed = await _store(connection, device, new, standing)
    if standing.ended:
        changed |= await charge_accounts(connection, [user_id], now)
    return changed


async def choices(
    connection: AsyncConnection, dealer_id: int, user_id: int, tracker_id: int, now: int
) -> tuple[list[Tariff], int]:
    """The tariffs that a user may change a tracker to, and in how many days that costs nothing
    extra. Raises :class:`Refused`: 201, 237."""
    device, old = await _device(connection, dealer_id, user_id, tracker_id)
    user = await _user(connection, user_id)
    allowed = [
        new
        for new in await of_dealer(connection, dealer_id, "tracker")
        if _may_choose(old, new, user)
    ]
    return allowed, days_to_next_change(device.standing.changed, day_of(now))


def days_to_next_change(changed: date | None, today: date) -> int:
    """Days until a user may change a tariff without paying for it; 0: now."""
    if changed is None:
        return 0
    return max(0, (changed + FREEZE + DAY - today).days)


def _pay_early_change(purse: Purse, old: Tariff, tracker_id: int, now: int) -> None:
    if old.early_change_price is None:
        raise Refused(240)
    if not purse.spend(old.early_change_price, EARLY_CHANGE, tracker_id, now):
        raise Refused(251)


def _may_have(old: Tariff, new: Tariff, user: Any) -> bool:
    return new.id != old.id and new.device_type == "tracker" and new.is_for(user.legal_type)


def _may_choose(old: Tariff, new: Tariff, user: Any) -> bool:
    return _may_have(old, new, user) and new.active and new.group_id == old.group_id


async def _device(
    connection: AsyncConnection, dealer_id: int, user_id: int, tracker_id: int
) -> tuple[Device, Tariff]:
    """The device of a tracker, locked, and its tariff. Raises :class:`Refused`: 201 where it went
    meanwhile, 237 without a tariff of this dealer."""
    source = (
        await connection.execute(
            select(sources.c.tariff_id)
            .join(trackers, trackers.c.source_id == sources.c.id)
            .where(
                trackers.c.id == tracker_id,
                trackers.c.user_id == user_id,
                not_(trackers.c.clone),
                not_(trackers.c.deleted),
                not_(sources.c.corrupted),
            )
            .with_for_update(of=sources)
        )
    ).first()
    if source is None:
        raise Refused(201)
    tariff = await find(connection, dealer_id, source.tariff_id, missing=237)
    row = (await connection.execute(devices_query().where(trackers.c.id == tracker_id))).one()
    return device_of(row), tariff


async def _user(connection: AsyncConnection, user_id: int) -> Any:
    query = select(users.c.legal_type).where(users.c.id == user_id)
    return (await connection.execute(query)).one()


async def _check_limit(connection: AsyncConnection, new: Tariff, user_id: int) -> None:
    """Raises :class:`Refused` 221 for an account with more trackers than ``new`` is for."""
    count = await connection.scalar(
        select(func.count())
        .select_from(trackers)
        .where(trackers.c.user_id == user_id, not_(trackers.c.deleted))
    )
    if new.device_limit < (count or 0):
        raise Refused(221)


async def _store(
    connection: AsyncConnection, device: Device, new: Tariff, standing: Standing
) -> set[int]:
    await connection.execute(
        update(sources)
        .where(sources.c.id == device.source_id)
        .values(
            tariff_id=new.id,
            retention_days=new.retention_days,
            **device.columns(standing),
        )
    )
    return {device.source_id}
