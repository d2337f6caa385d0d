"""Jobs that take fees and count active days."""

from __future__ import annotations

import structlog

from waypost.billing.activity import forget_active_days, note_active_days
from waypost.billing.fees import STEP, charge, due_accounts
from waypost.fleet.service import Fleet
from waypost.jobs.scheduler import Job

log = structlog.get_logger()

#: Seconds between two looks at who has to pay; no later than this after midnight (UTC).
INTERVAL = 300.0
DAY = 86400.0


def billing(fleet: Fleet) -> list[Job]:
    """The jobs."""

    async def fees(now: int) -> None:
        """Charges every account that has something to pay. Twice a day changes nothing: what is
        paid is not due."""
        async with fleet.write() as write:
            await note_active_days(write.connection, now)
        last, changed = 0, 0
        while True:
            async with fleet.write() as write:
                user_ids = await due_accounts(write.connection, now, last)
                if user_ids:
                    sources = await charge(write.connection, user_ids, now)
                    write.changes.sources |= sources
                    changed += len(sources)
            if len(user_ids) < STEP:
                break
            last = user_ids[-1]
        if changed:
            log.info("fees_charged", devices=changed)

    async def old_days(now: int) -> None:
        async with fleet.database.begin() as connection:
            await forget_active_days(connection, now)

    return [Job("fees", INTERVAL, fees), Job("old_active_days", DAY, old_days)]
