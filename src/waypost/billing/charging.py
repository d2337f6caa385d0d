"""Charging for tariffs: dates and amounts, without a database or a clock. All dates are UTC.

A tariff's price is per month (``monthly``, ``everyday``) or per day on which the device was active
(``activeday``). Monthly fees are paid in advance and run to the first of the next month; everyday
ones are a day's share, paid on the day; active days are paid afterwards.

Repayment and what a change of tariff does are those of the panel API's page ``tracker``, section
``tariff/change``.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any, Literal

import msgspec

TariffType = Literal["monthly", "everyday", "activeday"]

DAY = timedelta(days=1)
ZERO = Decimal(0)
#: What fees are rounded to: of a month, and of a day.
CENT = Decimal("0.01")
SMALL = Decimal("0.0001")


class Plan(msgspec.Struct, frozen=True):
    """What of a tariff decides its fee."""

    type: TariffType
    price: Decimal
    #: A month's fee is smaller where the device was blocked in a part of it.
    proportional: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a device is paid."""

    #: When it was registered, and how many days from then on are free.
    created: date
    free_days: int = 0
    #: The first day that is not paid; None: not known beforehand.
    end_date: date | None = None
    #: The tariff ended and was not paid further.
    ended: bool = False
    #: The last day that was charged for.
    charged: date | None = None
    #: When the tariff was changed last.
    changed: date | None = None


class Fee(msgspec.Struct, frozen=True):
    """What is to be paid now, and where that leaves the device."""

    amount: Decimal
    paid: Standing
    unpaid: Standing


def days_in_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def next_month(day: date) -> date:
    """The first day of the month after that of ``day``."""
    return day.replace(day=1) + timedelta(days=days_in_month(day))


def start(plan: Plan, today: date, free_days: int) -> Standing:
    """The standing of a device registered ``today``. The day of the registration is free."""
    if plan.type == "activeday":
        end = None
    elif plan.price == ZERO and plan.type == "monthly":
        end = next_month(today)
    else:
        end = today + max(free_days, 1) * DAY
    # Active days count from the day after this one on.
    charged = today + (free_days - 1) * DAY if plan.type == "activeday" else None
    return Standing(created=today, free_days=free_days, end_date=end, charged=charged)


def change(new: Plan, standing: Standing, today: date, *, charge: bool) -> Standing:
    """The standing after a change to ``new``; ``charge``: the new tariff is to be paid from now on,
    else from the next period on."""
    yesterday, tomorrow = today - DAY, today + DAY
    ended = False
    end: date | None
    if not standing.ended:
        charged = today
        end = next_month(today) if new.type == "monthly" and not charge else tomorrow
    else:
        charged = yesterday
        if new.type == "activeday":
            end = None
        elif charge:
            end, ended = today, True
        elif new.type == "monthly":
            end = next_month(today)
        else:
            end = tomorrow
    return msgspec.structs.replace(
        standing, end_date=end, ended=ended, charged=charged, changed=today
    )


def remainder(old: Plan, standing: Standing, today: date) -> int:
    """Whole paid days that are left of a tariff; 0 where nothing of it is repaid: it is not a paid
    monthly one, has ended, or is still in its free days."""
    if old.type != "monthly" or old.price <= ZERO or standing.ended or standing.end_date is None:
        return 0
    if standing.created + standing.free_days * DAY > today:
        return 0
    return max(0, (standing.end_date - today).days)


def repayment(old: Plan, standing: Standing, today: date) -> Decimal:
    """What the panel repays of a tariff that is changed: the share of the days left, rounded up to
    a whole unit of money."""
    share = old.price * remainder(old, standing, today) / days_in_month(today)
    return share.to_integral_value(ROUND_CEILING)


def left_over(old: Plan, standing: Standing, today: date) -> Decimal:
    """What the days left of a tariff are worth, exactly."""
    days = min(remainder(old, standing, today), days_in_month(today))
    return (old.price * days / days_in_month(today)).quantize(CENT, ROUND_HALF_UP)


def fee(plan: Plan, standing: Standing, today: date, active: Iterable[date] = ()) -> Fee | None:
    """What is due ``today``; None: nothing is. ``active`` are days on which the device was active
    and that may not have been charged yet."""
    if plan.type == "activeday":
        return _active_days(plan, standing, today, active)
    end = standing.end_date or today
    if not standing.ended and end > today:
        return None
    begin = max(min(end, today), today.replace(day=1))
    month = days_in_month(today)
    if plan.type == "monthly":
        if standing.ended and plan.proportional:
            begin = today
        until = next_month(today)
        days = (until - begin).days
        amount = plan.price
        if days < month:
            amount = (plan.price * days / month).quantize(CENT, ROUND_HALF_UP)
    else:
        if standing.ended:
            begin = today
        until = today + DAY
        amount = (plan.price * (until - begin).days / month).quantize(SMALL, ROUND_HALF_UP)
    return Fee(amount, _paid(standing, until, today), _unpaid(standing, today))


def _active_days(plan: Plan, standing: Standing, today: date, active: Iterable[date]) -> Fee | None:
    if not standing.ended and standing.end_date is not None and standing.end_date > today:
        return None
    # A device that was blocked for its fee is not charged for days after that.
    until = min(standing.end_date or today, today) if standing.ended else today
    since = standing.charged or standing.created - DAY
    if not standing.ended and standing.end_date is not None:
        # What another type of fee has paid for is not paid twice.
        since = max(since, standing.end_date - DAY)
    elif not standing.ended and since >= today - DAY:
        return None
    days = {day for day in active if since < day < until}
    charged = max(since, today - DAY)
    return Fee(plan.price * len(days), _paid(standing, None, charged), _unpaid(standing, today))


def _paid(standing: Standing, until: date | None, charged: date) -> Standing:
    return msgspec.structs.replace(standing, end_date=until, ended=False, charged=charged)


def _unpaid(standing: Standing, today: date) -> Standing:
    if standing.ended:
        return standing
    return msgspec.structs.replace(standing, end_date=standing.end_date or today, ended=True)


def discounted(price: Decimal, discount: Mapping[str, Any], devices: int, today: date) -> Decimal:
    """``price`` less a user's personal discount (``value`` percent from ``min_trackers`` active
    devices on, up to and with ``end_date``)."""
    value = Decimal(str(discount.get("value") or 0))
    end = discount.get("end_date")
    if value <= 0 or devices < (discount.get("min_trackers") or 0):
        return price
    if end is not None and date.fromisoformat(end) < today:
        return price
    return (price * (100 - min(value, Decimal(100))) / 100).quantize(SMALL, ROUND_HALF_UP)
