"""Which process runs the jobs, and which sends SMS: the one that holds an advisory lock of
PostgreSQL. With SQLite there is one process anyway."""

from __future__ import annotations

from typing import Protocol

import asyncpg
import structlog

log = structlog.get_logger()

LOCK = 0x57505F6A
#: Likewise of the process that sends SMS.
SMS_LOCK = 0x57505F73


class Leader(Protocol):
    async def leads(self) -> bool:
        """Does this process run the jobs now? Tries to become the one if nobody does."""

    async def close(self) -> None:
        """Gives the lead up."""


class Alone:
    """The leader where there is one process."""

    async def leads(self) -> bool:
        return True

    async def close(self) -> None:
        return None


class PostgresLeader:
    """The lock lives as long as its connection: a leader that dies gives it up."""

    def __init__(self, dsn: str, lock: int = LOCK) -> None:
        self._dsn = dsn
        self._lock = lock
        self._connection: asyncpg.Connection | None = None

    async def leads(self) -> bool:
        connection = self._connection
        try:
            if connection is not None and not connection.is_closed():
                # The lock is ours for as long as the connection answers.
                await connection.execute("SELECT 1", timeout=10)
                return True
            connection = await asyncpg.connect(self._dsn, timeout=10)
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
                self._connection = connection
                log.info("leading_sms" if self._lock == SMS_LOCK else "leading_jobs")
                return True
            await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("leader_unknown", error=str(error))
            self._connection = None
        return False

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close()
        self._connection = None
