"""Charging as a calculation: the documented formulas, and what must hold for any dates."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.billing import charging
from waypost.billing.charging import (
    Plan,
    Standing,
    change,
    days_in_month,
    discounted,
    fee,
    left_over,
    next_month,
    repayment,
    start,
)

DAY = timedelta(days=1)
#: A day in the middle of a month of 30 days.
TODAY = date(2024, 4, 11)
MONTHLY = Plan("monthly", Decimal(30))
EVERYDAY = Plan("everyday", Decimal(30))
ACTIVEDAY = Plan("activeday", Decimal(2))

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
prices = st.decimals(0, 100_000, places=2)
plans = st.builds(
    Plan, st.sampled_from(["monthly", "everyday", "activeday"]), prices, st.booleans()
)


def paid_until(end: date | None, **fields: object) -> Standing:
    return Standing(created=date(2023, 1, 1), end_date=end, **fields)  # type: ignore[arg-type]


class TestChange:
    """The table "Change" of the panel's page, row by row."""

    @pytest.mark.parametrize(
        ("new", "charge", "end"),
        [
            (MONTHLY, False, date(2024, 5, 1)),
            (MONTHLY, True, TODAY + DAY),
            (EVERYDAY, False, TODAY + DAY),
            (EVERYDAY, True, TODAY + DAY),
            (ACTIVEDAY, False, TODAY + DAY),
            (ACTIVEDAY, True, TODAY + DAY),
        ],
    )
    def test_of_an_active_tariff(self, new: Plan, charge: bool, end: date) -> None:
        old = paid_until(date(2024, 5, 1), charged=date(2024, 4, 1))
        assert change(new, old, TODAY, charge=charge) == msgspec.structs.replace(
            old, end_date=end, ended=False, charged=TODAY, changed=TODAY
        )

    @pytest.mark.parametrize(
        ("new", "charge", "end", "ended"),
        [
            (MONTHLY, True, TODAY, True),
            (MONTHLY, False, date(2024, 5, 1), False),
            (EVERYDAY, True, TODAY, True),
            (EVERYDAY, False, TODAY + DAY, False),
            (ACTIVEDAY, True, None, False),
            (ACTIVEDAY, False, None, False),
        ],
    )
    def test_of_an_ended_tariff(
        self, new: Plan, charge: bool, end: date | None, ended: bool
    ) -> None:
        old = paid_until(date(2024, 4, 1), ended=True, charged=date(2024, 3, 31))
        assert change(new, old, TODAY, charge=charge) == msgspec.structs.replace(
            old, end_date=end, ended=ended, charged=TODAY - DAY, changed=TODAY
        )

    @settings(deadline=None)
    @given(plans, days, st.booleans(), st.booleans())
    def test_never_gives_paid_time_beyond_the_next_month(
        self, new: Plan, today: date, ended: bool, charge: bool
    ) -> None:
        after = change(new, paid_until(today, ended=ended), today, charge=charge)
        assert after.end_date is None or today <= after.end_date <= next_month(today)
        # Only what is to be paid now stays ended.
        assert not after.ended or (ended and charge)


class TestRepayment:
    def test_is_the_share_of_the_days_left_rounded_up(self) -> None:
        # 20 days are left of April's 30: 30 * 20 / 30.
        assert repayment(MONTHLY, paid_until(date(2024, 5, 1)), TODAY) == 20
        # 12.55 * 20 / 30 = 8.37 and 12.55 * 1 / 30 = 0.42.
        dear = Plan("monthly", Decimal("12.55"))
        assert repayment(dear, paid_until(date(2024, 5, 1)), TODAY) == 9
        assert repayment(dear, paid_until(date(2024, 5, 1)), date(2024, 4, 30)) == 1
        # February has 29 days in 2024 and 28 in 2023.
        assert (
            repayment(Plan("monthly", Decimal(29)), paid_until(date(2024, 3, 1)), date(2024, 2, 19))
            == 11
        )
        assert (
            repayment(Plan("monthly", Decimal(28)), paid_until(date(2023, 3, 1)), date(2023, 2, 19))
            == 10
        )

    @pytest.mark.parametrize(
        ("plan", "standing"),
        [
            (EVERYDAY, paid_until(date(2024, 5, 1))),
            (ACTIVEDAY, paid_until(date(2024, 5, 1))),
            (Plan("monthly", Decimal(0)), paid_until(date(2024, 5, 1))),
            (MONTHLY, paid_until(date(2024, 5, 1), ended=True)),
            (MONTHLY, paid_until(None)),
            (MONTHLY, paid_until(TODAY)),
            (MONTHLY, paid_until(date(2024, 4, 1))),
            # Still free: created on the 1st with 14 free days.
            (MONTHLY, Standing(created=date(2024, 4, 1), free_days=14, end_date=date(2024, 5, 1))),
        ],
    )
    def test_is_nothing_where_a_condition_does_not_hold(
        self, plan: Plan, standing: Standing
    ) -> None:
        assert repayment(plan, standing, TODAY) == 0
        assert left_over(plan, standing, TODAY) == 0

    def test_begins_when_the_free_period_is_over(self) -> None:
        standing = Standing(created=date(2024, 4, 1), free_days=10, end_date=date(2024, 5, 1))
        assert repayment(MONTHLY, standing, TODAY) == 20

    @settings(deadline=None)
    @given(prices, days)
    def test_is_less_than_one_above_the_exact_share(self, price: Decimal, today: date) -> None:
        plan, standing = Plan("monthly", price), paid_until(next_month(today))
        exact = left_over(plan, standing, today)
        assert exact <= price
        assert 0 <= repayment(plan, standing, today) - exact < Decimal("1.01")


class TestFee:
    def test_a_month_is_paid_in_advance_on_its_first_day(self) -> None:
        standing = paid_until(date(2024, 4, 1))
        assert fee(MONTHLY, standing, date(2024, 3, 31)) is None
        due = fee(MONTHLY, standing, date(2024, 4, 1))
        assert due is not None
        assert due.amount == 30
        assert due.paid == msgspec.structs.replace(
            standing, end_date=date(2024, 5, 1), charged=date(2024, 4, 1)
        )
        assert fee(MONTHLY, due.paid, date(2024, 4, 1)) is None
        assert due.unpaid == msgspec.structs.replace(standing, ended=True)

    def test_a_month_that_begins_late_costs_its_part(self) -> None:
        # Free days ended on the 11th: 20 of 30 days.
        due = fee(MONTHLY, paid_until(TODAY), TODAY)
        assert due is not None
        assert due.amount == 20
        assert due.paid.end_date == date(2024, 5, 1)

    def test_a_blocked_device_pays_the_whole_month_or_what_is_left(self) -> None:
        # Ended on the 1st, paid on the 11th.
        standing = paid_until(date(2024, 4, 1), ended=True)
        whole = fee(MONTHLY, standing, TODAY)
        part = fee(Plan("monthly", Decimal(30), True), standing, TODAY)
        assert whole is not None
        assert part is not None
        assert (whole.amount, part.amount) == (30, 20)
        # Whoever was blocked for months does not pay for those.
        old = fee(MONTHLY, paid_until(date(2024, 1, 1), ended=True), TODAY)
        assert old is not None
        assert old.amount == 30

    def test_every_day_costs_its_share_of_the_month(self) -> None:
        due = fee(EVERYDAY, paid_until(TODAY), TODAY)
        assert due is not None
        assert due.amount == 1
        assert due.paid.end_date == TODAY + DAY
        # Two days on which nobody charged are made up for; a blocked device did not have them.
        late = fee(EVERYDAY, paid_until(TODAY - 2 * DAY), TODAY)
        blocked = fee(EVERYDAY, paid_until(TODAY - 2 * DAY, ended=True), TODAY)
        assert late is not None
        assert blocked is not None
        assert (late.amount, blocked.amount) == (3, 1)

    def test_active_days_are_paid_afterwards_and_once(self) -> None:
        standing = start(ACTIVEDAY, TODAY, 0)
        assert standing.end_date is None
        assert fee(ACTIVEDAY, standing, TODAY, [TODAY]) is None
        active = [TODAY, TODAY + DAY, TODAY + 2 * DAY]
        due = fee(ACTIVEDAY, standing, TODAY + 2 * DAY, active)
        assert due is not None
        # Today may still become active, or be active longer.
        assert due.amount == 4
        assert fee(ACTIVEDAY, due.paid, TODAY + 2 * DAY, active) is None
        more = fee(ACTIVEDAY, due.paid, TODAY + 3 * DAY, active)
        assert more is not None
        assert more.amount == 2

    def test_a_device_blocked_for_its_active_days_owes_no_more_than_those(self) -> None:
        standing = start(ACTIVEDAY, TODAY, 0)
        due = fee(ACTIVEDAY, standing, TODAY + DAY, [TODAY])
        assert due is not None
        assert due.unpaid.ended
        # It goes on connecting while it is blocked.
        later = TODAY + 10 * DAY
        again = fee(ACTIVEDAY, due.unpaid, later, [TODAY + n * DAY for n in range(10)])
        assert again is not None
        assert again.amount == 2
        assert not again.paid.ended
        assert again.paid.charged == later - DAY

    @settings(deadline=None)
    @given(plans, days, st.integers(0, 60), st.booleans(), st.lists(st.integers(0, 60)))
    def test_what_is_paid_is_not_due_again_that_day(
        self, plan: Plan, today: date, before: int, ended: bool, active: list[int]
    ) -> None:
        seen = [today - n * DAY for n in active]
        due = fee(plan, paid_until(today - before * DAY, ended=ended), today, seen)
        assert due is not None
        assert due.amount >= 0
        assert not due.paid.ended
        assert due.unpaid.ended
        assert fee(plan, due.paid, today, seen) is None
        if plan.type == "monthly":
            assert due.amount <= plan.price

    @settings(deadline=None, max_examples=20)
    @given(prices, days)
    def test_a_year_of_months_costs_twelve_prices(self, price: Decimal, day: date) -> None:
        plan, standing = Plan("monthly", price), paid_until(day.replace(month=1, day=1))
        total = Decimal(0)
        today = day.replace(month=1, day=1)
        while today.year == day.year:
            due = fee(plan, standing, today)
            if due is not None:
                total += due.amount
                standing = due.paid
            today += DAY
        assert total == 12 * price

    @settings(deadline=None)
    @given(prices, days)
    def test_a_month_of_days_costs_its_price(self, price: Decimal, day: date) -> None:
        plan, today = Plan("everyday", price), day.replace(day=1)
        standing, total = paid_until(today), Decimal(0)
        while today.month == day.month:
            due = fee(plan, standing, today)
            assert due is not None
            total += due.amount
            standing = due.paid
            today += DAY
        assert abs(total - price) <= Decimal("0.0001") * days_in_month(day)


class TestStart:
    def test_the_day_of_the_registration_and_the_free_days_cost_nothing(self) -> None:
        assert start(MONTHLY, TODAY, 0).end_date == TODAY + DAY
        assert start(MONTHLY, TODAY, 14).end_date == TODAY + 14 * DAY
        assert start(EVERYDAY, TODAY, 3).end_date == TODAY + 3 * DAY
        # What costs nothing is paid at once.
        assert start(Plan("monthly", Decimal(0)), TODAY, 0).end_date == date(2024, 5, 1)

    @settings(deadline=None)
    @given(plans, days, st.integers(0, 100))
    def test_nothing_is_paid_within_the_free_days(self, plan: Plan, today: date, free: int) -> None:
        standing = start(plan, today, free)
        seen = [today + n * DAY for n in range(free + 1)]
        for day in seen:
            if day < today + free * DAY:
                due = fee(plan, standing, day, [one for one in seen if one < day])
                assert due is None or due.amount == 0


class TestDiscount:
    @pytest.mark.parametrize(
        ("discount", "price"),
        [
            ({}, 30),
            ({"value": 0.0, "min_trackers": 0}, 30),
            ({"value": 10.0, "min_trackers": 0, "end_date": None}, 27),
            ({"value": 5.5, "min_trackers": 3}, Decimal("28.35")),
            ({"value": 10.0, "min_trackers": 4}, 30),
            ({"value": 10.0, "min_trackers": 0, "end_date": "2024-04-11"}, 27),
            ({"value": 10.0, "min_trackers": 0, "end_date": "2024-04-10"}, 30),
            ({"value": 100.0, "min_trackers": 0}, 0),
        ],
    )
    def test_from_enough_devices_on_until_its_end(
        self, discount: dict[str, object], price: Decimal
    ) -> None:
        assert discounted(Decimal(30), discount, 3, TODAY) == price


def test_months() -> None:
    assert next_month(date(2023, 12, 31)) == date(2024, 1, 1)
    assert next_month(date(2024, 1, 1)) == date(2024, 2, 1)
    assert [days_in_month(date(year, 2, 1)) for year in (2023, 2024, 2100)] == [28, 29, 28]
    assert charging.ZERO == 0
