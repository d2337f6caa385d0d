"""Jobs that keep the database from growing for ever."""

from __future__ import annotations

import structlog
from sqlalchemy import delete

from waypost.accounts.sessions import delete_ended
from waypost.commands.queue import CommandQueue
from waypost.fleet.console import forget_keys
from waypost.jobs.scheduler import Job
from waypost.store.engine import Database
from waypost.store.points import Points
from waypost.store.tables import device_events

log = structlog.get_logger()

HOUR = 3600.0
#: Events of devices (a second connection with one id ...) are kept for this long.
EVENTS_MS = 92 * 86_400_000


def housekeeping(database: Database, points: Points, commands: CommandQueue) -> list[Job]:
    """The jobs."""

    async def retention(now: int) -> None:
        gone = await points.expire(now)
        if gone:
            log.info("points_expired", points=gone)

    async def ended_sessions(now: int) -> None:
        async with database.begin() as connection:
            await delete_ended(connection, now)

    async def old_events(now: int) -> None:
        async with database.begin() as connection:
            await connection.execute(
                delete(device_events).where(device_events.c.at < now - EVENTS_MS)
            )

    async def console_keys(now: int) -> None:
        async with database.begin() as connection:
            await forget_keys(connection, now)

    async def lost_commands(now: int) -> None:
        await commands.sweep(now=now)

    return [
        Job("lost_commands", 30.0, lost_commands),
        Job("retention", 6 * HOUR, retention),
        Job("ended_sessions", HOUR, ended_sessions),
        Job("old_events", 24 * HOUR, old_events),
        Job("console_keys", HOUR, console_keys),
    ]
