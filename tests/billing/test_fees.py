"""Fees as they are taken: on both engines, day after day."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select
from till import DAY, NOON, TODAY, Till

from waypost.billing.activity import start_of
from waypost.billing.fees import charge, due_accounts
from waypost.billing.tariffs import TariffFields, change
from waypost.store.tables import active_days, transactions

ONE = timedelta(days=1)


async def test_a_month_is_paid_from_the_bonus_first(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=100, bonus=11)
    device = await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))
    await till.run(date(2024, 2, 29))
    assert await till.money(user) == (100, 11)
    await till.run(date(2024, 3, 1), hour=0.1)
    assert await till.money(user) == (80, 0)
    assert await till.postings(user) == [("tariff_charge", "monthly", -20, -11)]
    row = await till.source(device)
    assert row.tariff_end_date == date(2024, 4, 1)
    assert row.last_charged_date == date(2024, 3, 1)
    assert (row.tariff_ended, row.blocked) == (False, False)
    # However often it runs, a month is paid once.
    for hour in (0.1, 1, 12):
        await till.run(date(2024, 3, 1), hour=hour)
    await till.run(date(2024, 3, 31))
    assert await till.money(user) == (80, 0)
    await till.run(date(2024, 4, 1))
    assert await till.money(user) == (49, 0)


async def test_who_cannot_pay_is_blocked_until_there_is_money(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=30)
    device = await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))
    await till.run(date(2024, 3, 1))
    row = await till.source(device)
    assert (row.tariff_ended, row.blocked, row.blocked_by_tariff) == (True, True, True)
    assert row.tariff_end_date == date(2024, 3, 1)
    assert await till.money(user) == (30, 0)
    await till.run(date(2024, 3, 9))
    assert (await till.source(device)).blocked
    await till.give(user, 5)
    await till.run(date(2024, 3, 9))
    row = await till.source(device)
    assert (row.tariff_ended, row.blocked, row.blocked_by_tariff) == (False, False, False)
    assert row.tariff_end_date == date(2024, 4, 1)
    assert await till.money(user) == (4, 0)


async def test_a_blocked_device_pays_what_is_left_where_the_tariff_says_so(till: Till) -> None:
    tariff = await till.tariff(price=31, proportional_charge=True)
    user = await till.user(balance=23)
    device = await till.device(
        user,
        tariff,
        tariff_end_date=date(2024, 3, 1),
        tariff_ended=True,
        blocked=True,
        blocked_by_tariff=True,
    )
    await till.run(TODAY)
    assert await till.money(user) == (0, 0)
    assert not (await till.source(device)).blocked


async def test_money_that_is_enough_for_some_pays_for_those(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=70)
    devices = [await till.device(user, tariff, tariff_end_date=date(2024, 3, 1)) for _ in range(3)]
    await till.run(date(2024, 3, 1))
    assert [(await till.source(one)).blocked for one in devices] == [False, False, True]
    assert await till.money(user) == (8, 0)


async def test_a_block_of_the_dealers_stays(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user()
    device = await till.device(user, tariff, tariff_end_date=TODAY, blocked=True)
    await till.run()
    await till.give(user, 100)
    await till.run()
    row = await till.source(device)
    assert (row.tariff_ended, row.blocked) == (False, True)


async def test_a_device_that_the_dealer_lets_go_on_is_not_blocked_again(till: Till) -> None:
    tariff = await till.tariff(price=31)
    device = await till.device(await till.user(balance=1), tariff, tariff_end_date=TODAY)
    await till.run()
    # What tracker/source/update does.
    await till.change(device, blocked=False, blocked_by_tariff=False)
    await till.run(TODAY + ONE)
    row = await till.source(device)
    assert (row.tariff_ended, row.blocked) == (True, False)


async def test_every_day(till: Till) -> None:
    tariff = await till.tariff(price=31, type="everyday")
    user = await till.user(balance=2.5)
    device = await till.device(user, tariff, tariff_end_date=TODAY)
    for day in range(2):
        await till.run(TODAY + day * ONE)
        await till.run(TODAY + day * ONE, hour=13)
    assert await till.money(user) == (0.5, 0)
    assert (await till.source(device)).tariff_end_date == TODAY + 2 * ONE
    await till.run(TODAY + 2 * ONE)
    assert (await till.source(device)).blocked
    assert [one[1] for one in await till.postings(user)] == ["everyday", "everyday"]


async def test_active_days_are_counted_from_connections(till: Till) -> None:
    tariff = await till.tariff(price=2, type="activeday")
    user = await till.user(balance=100)
    device = await till.device(user, tariff, last_charged_date=TODAY - ONE)
    idle = await till.device(user, tariff, last_charged_date=TODAY - ONE)
    # Connected late in the evening, and once more when the next day has begun.
    await till.change(device, last_connection_at=start_of(TODAY) + DAY - 60_000)
    await till.run(TODAY, hour=23.999)
    await till.change(device, last_connection_at=start_of(TODAY + ONE) + 60_000)
    await till.run(TODAY + ONE, hour=0.1)
    assert await till.money(user) == (98, 0)
    # Silent the day after, then back.
    await till.run(TODAY + 2 * ONE)
    await till.run(TODAY + 3 * ONE)
    assert await till.money(user) == (96, 0)
    assert await till.postings(user) == [("tariff_charge", "activeday", -2, 0)] * 2
    for one in (device, idle):
        row = await till.source(one)
        assert row.last_charged_date == TODAY + 2 * ONE
        assert row.tariff_end_date is None
        assert not row.blocked


async def test_an_active_day_that_cannot_be_paid(till: Till) -> None:
    tariff = await till.tariff(price=2, type="activeday")
    user = await till.user(balance=1)
    device = await till.device(user, tariff, last_charged_date=TODAY - ONE)
    await till.change(device, last_connection_at=start_of(TODAY) + 1)
    await till.run(TODAY)
    await till.run(TODAY + ONE)
    row = await till.source(device)
    assert (row.blocked, row.tariff_end_date) == (True, TODAY + ONE)
    # It connects on, for days; only what it owes is paid.
    for day in range(1, 4):
        await till.change(device, last_connection_at=start_of(TODAY + day * ONE) + 1)
        await till.run(TODAY + day * ONE)
    await till.give(user, 10)
    await till.run(TODAY + 4 * ONE)
    assert await till.money(user) == (9, 0)
    row = await till.source(device)
    assert (row.blocked, row.tariff_end_date) == (False, None)


async def test_a_tariff_that_becomes_one_of_active_days_charges_none_twice(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=33)
    paid = await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))
    ended = await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))
    await till.run(date(2024, 3, 1))
    assert [(await till.source(one)).blocked for one in (paid, ended)] == [False, True]
    for day in (2, 20):
        for device in (paid, ended):
            await till.change(device, last_connection_at=start_of(date(2024, 3, day)) + 1)
        await till.run(date(2024, 3, day))
    async with till.fleet.database.begin() as connection:
        fields = TariffFields(id=tariff, type="activeday", price=1)
        await change(connection, till.dealer_id, fields)
    # The blocked one owes nothing, and goes on; the other is paid until the first.
    await till.run(date(2024, 3, 30))
    assert [(await till.source(one)).blocked for one in (paid, ended)] == [False, False]
    await till.change(paid, last_connection_at=start_of(date(2024, 4, 1)) + 1)
    await till.run(date(2024, 4, 1))
    await till.run(date(2024, 4, 2))
    assert await till.money(user) == (1, 0)
    assert [one[1] for one in await till.postings(user)] == ["monthly", "activeday"]


async def test_what_costs_nothing_goes_on_for_ever(till: Till) -> None:
    tariff = await till.tariff(price=0)
    user = await till.user()
    # As before there was charging: no date at all.
    device = await till.device(user, tariff)
    for day in (TODAY, date(2024, 4, 1), date(2024, 9, 17)):
        await till.run(day)
        row = await till.source(device)
        assert row.tariff_end_date == (day.replace(day=1) + 31 * ONE).replace(day=1)
        assert not row.blocked
    assert await till.postings(user) == []


async def test_clones_deleted_and_corrupted_ones_pay_nothing(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=100)
    device = await till.device(user, tariff, tariff_end_date=TODAY, corrupted=True)
    await till.run()
    assert await till.money(user) == (100, 0)
    assert (await till.source(device)).tariff_end_date == TODAY


async def test_a_discount(till: Till) -> None:
    tariff = await till.tariff(price=31)
    discount = {"value": 10.0, "min_trackers": 2, "end_date": "2024-04-01"}
    user = await till.user(balance=1000, discount=discount)
    lone = await till.user(balance=1000, discount=discount)
    for owner in (user, user, lone):
        await till.device(owner, tariff, tariff_end_date=date(2024, 4, 1))
    await till.run(date(2024, 4, 1))
    assert await till.money(user) == (1000 - 2 * 27.9, 0)
    assert await till.money(lone) == (969, 0)
    await till.run(date(2024, 5, 1))
    assert await till.money(user) == (1000 - 2 * 27.9 - 62, 0)


async def test_two_at_once_charge_once(till: Till) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=100)
    await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))

    async def once() -> None:
        async with till.fleet.database.begin() as connection:
            await charge(connection, [user], start_of(date(2024, 3, 1)))

    await asyncio.gather(*(once() for _ in range(5)))
    assert await till.money(user) == (69, 0)
    assert await till.count(transactions) == 1


async def test_all_hear_of_it(till: Till) -> None:
    tariff = await till.tariff(price=31)
    device = await till.device(await till.user(), tariff, tariff_end_date=TODAY)
    heard = []
    subscription = await till.fleet.bus.subscribe(
        "fleet.source.*", lambda subject, payload: heard.append(subject)
    )
    await till.run()
    await till.run()
    await asyncio.sleep(0)
    assert heard == [f"fleet.source.{device}"]
    await subscription.close()


async def test_the_cost_does_not_grow_with_the_devices(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    tariff = await till.tariff(price=31)
    user = await till.user(balance=10_000, discount={"value": 1.0})
    for _ in range(30):
        await till.device(user, tariff, tariff_end_date=TODAY)
    statements = []
    engine = till.fleet.database.engine.sync_engine

    def count(*arguments: object) -> None:
        statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", count)
    await till.run()
    event.remove(engine, "before_cursor_execute", count)
    assert len(await till.postings(user)) == 30
    assert len(statements) < 20


async def test_many_accounts_are_charged_in_steps(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.jobs.billing.STEP", 2)
    monkeypatch.setattr(
        "waypost.jobs.billing.due_accounts",
        lambda connection, now, after: due_accounts(connection, now, after, 2),
    )
    tariff = await till.tariff(price=31)
    accounts = [await till.user(balance=40) for _ in range(5)]
    for user in accounts:
        await till.device(user, tariff, tariff_end_date=date(2024, 3, 1))
    await till.run(date(2024, 3, 1))
    assert [await till.money(user) for user in accounts] == [(9, 0)] * 5


async def test_old_active_days_are_forgotten(till: Till) -> None:
    device = await till.device(await till.user(), await till.tariff())
    async with till.fleet.database.begin() as connection:
        for day in (TODAY - 3 * 365 * ONE, TODAY - 700 * ONE):
            await connection.execute(active_days.insert().values(source_id=device, day=day))
    await till.jobs["old_active_days"].run(NOON)
    async with till.fleet.database.read() as connection:
        kept = list(await connection.scalars(select(active_days.c.day)))
    assert kept == [TODAY - 700 * ONE]
