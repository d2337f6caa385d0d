"""Which of a dealer's trackers were active in which month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.activity import start_of
from waypost.refusal import Refused
from waypost.store.tables import active_days, sources, trackers, users

#: Most months in one answer.
MONTHS = 24


class ActiveTracker(msgspec.Struct, frozen=True):
    tracker_id: int
    user_id: int
    label: str
    device_id: str


class ActiveMonth(msgspec.Struct, frozen=True):
    """A month (``yyyy-MM``) and the trackers that connected in it (UTC)."""

    month: str
    amount: int
    trackers: list[ActiveTracker]


def month_of(text: str) -> date:
    """The first day of a month given as ``yyyy-MM``. Raises ValueError."""
    return date.fromisoformat(f"{text}-01")


async def active_history(
    connection: AsyncConnection, dealer_id: int, first: date, last: date
) -> list[ActiveMonth]:
    """Every month from ``first`` to ``last`` (their first days). Trackers are shown as they are
    now: whose they are, how they are called. Raises :class:`Refused`: 211 for more than two years;
    7 for an end before the beginning."""
    months = list(_months(first, last))
    if not months:
        raise Refused(7, errors=[{"parameter": "to", "error": "must not be before from"}])
    if len(months) > MONTHS:
        raise Refused(211)
    history = [await _active_in(connection, dealer_id, month, _next(month)) for month in months]
    return [
        ActiveMonth(f"{month:%Y-%m}", len(found), found)
        for month, found in zip(months, history, strict=True)
    ]


async def _active_in(
    connection: AsyncConnection, dealer_id: int, begin: date, end: date
) -> list[ActiveTracker]:
    active = (
        select(active_days.c.source_id)
        .where(active_days.c.day >= begin, active_days.c.day < end)
        .distinct()
    )
    # The last connection may not be among the days yet, which are noted every few minutes.
    latest = sources.c.last_connection_at
    query = (
        select(
            trackers.c.id,
            trackers.c.user_id,
            trackers.c.label,
            func.coalesce(sources.c.former_device_id, sources.c.device_id),
        )
        .join(sources, sources.c.id == trackers.c.source_id)
        .join(users, users.c.id == trackers.c.user_id)
        .where(
            users.c.dealer_id == dealer_id,
            not_(trackers.c.clone),
            or_(sources.c.id.in_(active), and_(latest >= start_of(begin), latest < start_of(end))),
        )
        .order_by(trackers.c.id)
    )
    return [ActiveTracker(*row) for row in await connection.execute(query)]


def _months(first: date, last: date) -> Iterator[date]:
    month = first
    for _ in range(MONTHS + 1):
        if month > last:
            return
        yield month
        if (month.year, month.month) == (date.max.year, 12):
            return
        month = _next(month)


def _next(month: date) -> date:
    if month.month == 12:
        return month.replace(year=min(month.year + 1, date.max.year), month=1)
    return month.replace(month=month.month + 1)
