"""Jobs that keep counters right."""

from __future__ import annotations

import structlog

from waypost.fleet.counters import prune_marks, settle_all
from waypost.fleet.service import Fleet
from waypost.jobs.scheduler import Job

log = structlog.get_logger()


def counting(fleet: Fleet) -> list[Job]:
    """The jobs."""

    async def late_messages(now: int) -> None:
        settled = await settle_all(fleet, now)
        if settled:
            log.info("counters_counted_anew", counters=settled)

    async def old_marks(now: int) -> None:
        await prune_marks(fleet, now)

    return [Job("late_messages", 60.0, late_messages), Job("old_marks", 86_400.0, old_marks)]
