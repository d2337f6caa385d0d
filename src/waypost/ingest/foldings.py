"""Keeping the ways in which live sources are read as people set them.

What changed is heard of by the bus and read again; between processes a word may get lost, so
all of it is read again now and then.
"""

from __future__ import annotations

import asyncio

import structlog

from waypost import tasks
from waypost.bus.base import Bus, Subscription, id_in
from waypost.fleet.foldings import live_foldings
from waypost.ingest.ingest import Ingest
from waypost.settings import Settings
from waypost.store.engine import Database, is_unavailable
from waypost.telemetry.folding import Folding

log = structlog.get_logger()

#: Seconds between readings of everything, where other processes write.
AGAIN = 60.0
#: Seconds to wait where the database is away, and for a source that is being claimed.
RETRY = 1.0
COMING = 0.01


class Foldings:
    """Tells ingest how to read its sources. Make it with :meth:`open`."""

    def __init__(self, database: Database, ingest: Ingest) -> None:
        self._database = database
        self._ingest = ingest
        self._wanted: set[int] = set()
        self._work: asyncio.Task[None] | None = None
        self._again: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None

    @classmethod
    async def open(
        cls, database: Database, bus: Bus, settings: Settings, ingest: Ingest
    ) -> Foldings:
        self = cls(database, ingest)
        ingest.read_foldings = self._read
        self._subscription = await bus.subscribe("fleet.source.*", self._changed)
        if not settings.single_process:
            self._again = asyncio.create_task(self._all_again(), name="foldings-again")
        return self

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.close()
        await tasks.end([self._work, self._again])

    async def settled(self) -> None:
        """Returns once all that was heard of so far is in force."""
        while self._work is not None and not self._work.done():
            await asyncio.shield(self._work)

    async def _read(self, source_ids: list[int]) -> dict[int, Folding]:
        async with self._database.read() as connection:
            return await live_foldings(connection, source_ids)

    def _changed(self, subject: str, payload: bytes) -> None:
        source_id = id_in(subject)
        if self._ingest.knows(source_id):
            self._want([source_id])

    def _want(self, source_ids: list[int]) -> None:
        self._wanted.update(source_ids)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._refresh(), name="foldings")

    async def _refresh(self) -> None:
        while self._wanted:
            wanted, self._wanted = sorted(self._wanted), set()
            try:
                found = await self._read(wanted)
            except Exception as error:  # noqa: BLE001  (said, and tried again until it works)
                if not is_unavailable(error):
                    log.error("foldings_unread", error=str(error), sources=len(wanted))
                self._wanted.update(wanted)
                await asyncio.sleep(RETRY)
                continue
            read = {source_id: found.get(source_id) for source_id in wanted}
            coming = self._ingest.read_as(read)
            if coming:
                self._wanted |= coming
                await asyncio.sleep(COMING)

    async def _all_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            self._want(self._ingest.source_ids)
