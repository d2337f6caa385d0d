"""Small facts for the relational database, written a few times a second at most, all at once."""

from __future__ import annotations

import asyncio

import structlog

from waypost.store.engine import is_unavailable

log = structlog.get_logger()

#: Seconds until the next try while the database is away.
RETRY = 2.0
#: Class of PostgreSQL's error codes for deadlocks and serialisation failures.
TRANSACTION_ROLLBACK = "40"


def comes_back(error: BaseException) -> bool:
    """Is what could not be written because of ``error`` to be tried again: was the database away,
    or did two transactions get in each other's way? What it refuses otherwise it will refuse
    again."""
    if not isinstance(error, Exception) or is_unavailable(error):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return str(state).startswith(TRANSACTION_ROLLBACK)


class Batch:
    """Subclasses collect, call :meth:`wake`, and write what they have in :meth:`write`."""

    def __init__(self, name: str, interval: float) -> None:
        self._name = name
        #: Seconds that facts are collected for.
        self._interval = interval
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """There is something to write."""
        self._wanted.set()

    async def close(self) -> None:
        """Writes what is left, if the database is there."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
            await self._attempt()

    async def write(self) -> None:
        """Writes what was collected; raises what :func:`comes_back` is asked about, with what was
        collected still there if it does."""
        raise NotImplementedError

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._interval)
            self._wanted.clear()
            if not await self._attempt():
                await asyncio.sleep(RETRY)
                self._wanted.set()

    async def _attempt(self) -> bool:
        try:
            await self.write()
        except Exception as error:
            if comes_back(error):
                return False
            log.exception("batch_failed", batch=self._name)
        return True
