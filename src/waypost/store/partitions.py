"""Which partition a point belongs to, in PostgreSQL: pure arithmetic over retention and time.

Points are split by retention class (days kept, 0: for ever) and then by time: by weeks for short
classes, by months for long ones. Dates that no partition is made for (a device whose clock is
wrong by years) go to the class's default partition, which is cleaned by date of receipt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

DAY_MS = 86_400_000
#: Classes kept for no longer than this are split by weeks.
WEEKLY_DAYS = 92
#: Times this far ahead still get a partition of their own; later ones are wild.
AHEAD_DAYS = 7
#: Points older than their retention get a partition of their own only this far back.
BEHIND_DAYS = 31
#: What stands for "for ever" when one looks back: points older than this are wild.
FOREVER_DAYS = 3660


class Partition(NamedTuple):
    """A leaf partition: its table, and the times it holds, ``start <= time < end``. The default
    one has no bounds."""

    name: str
    retention: int
    start: int | None = None
    end: int | None = None


def class_table(retention: int) -> str:
    return f"points_r{retention}"


def default_partition(retention: int) -> Partition:
    return Partition(f"{class_table(retention)}_default", retention)


def partition_of(retention: int, time: int, now: int) -> Partition:
    """The leaf for a point of this class at ``time`` ms, seen from ``now``."""
    back = (retention or FOREVER_DAYS) + BEHIND_DAYS
    if not now - back * DAY_MS <= time <= now + AHEAD_DAYS * DAY_MS:
        return default_partition(retention)
    moment = datetime.fromtimestamp(time // 1000, UTC)
    if retention and retention <= WEEKLY_DAYS:
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    else:
        first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
        after = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
    return Partition(
        f"{class_table(retention)}_{first:%Y%m%d}",
        retention,
        int(first.timestamp()) * 1000,
        int(after.timestamp()) * 1000,
    )
