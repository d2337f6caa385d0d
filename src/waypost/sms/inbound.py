"""What comes back from providers, stored many at a time: whoever brought it waits for the commit
before it says that it was received."""

from __future__ import annotations

import asyncio
import time

import structlog

from waypost.clock import now_ms
from waypost.settings import Settings
from waypost.sms import metrics
from waypost.sms.provider import Incoming, Report, Unavailable
from waypost.sms.replies import Replies
from waypost.store.engine import Database, is_unavailable

log = structlog.get_logger()

#: How much may wait to be stored; for more there is no room for the moment.
MOST_WAITING = 10_000
#: How much goes into one transaction.
BATCH = 500
#: Seconds between two forged messages that are written down.
FORGED_EVERY = 10.0

_Waiting = tuple[str, Report | Incoming, "asyncio.Future[None]"]


class Inbound:
    """One per process that hears of SMS. Ends by itself when nothing waits."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._replies = Replies(database, settings)
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._forged_at = -FORGED_EVERY

    async def report(self, provider: str, report: Report) -> None:
        """Stores a delivery report. Raises :class:`~waypost.sms.provider.Unavailable`."""
        await self._put(provider, report)
        metrics.REPORTS.labels(report.state).inc()

    async def incoming(self, provider: str, message: Incoming) -> None:
        """Stores a message from outside. Likewise."""
        await self._put(provider, message)

    async def forged(self, provider: str, address: str) -> None:
        """Somebody spoke for a provider without knowing the secret. Not everything of the kind is
        written down, or strangers could fill the database."""
        metrics.INCOMING.labels("forged").inc()
        now = time.monotonic()
        if now - self._forged_at < FORGED_EVERY:
            return
        self._forged_at = now
        log.warning("sms_forged", provider=provider, address=address)
        try:
            await self._replies.forged(provider, address, now=now_ms())
        except Exception as error:
            if not is_unavailable(error):
                raise

    async def _put(self, provider: str, one: Report | Incoming) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((provider, one, stored))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._store(), name="sms inbound")
        await stored

    async def _store(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            error = await self._store_together(batch)
            if error is not None and len(batch) > 1 and not is_unavailable(error):
                # One that cannot be stored must not keep the others from it.
                for one in batch:
                    await self._store_together([one])

    async def _store_together(self, batch: list[_Waiting]) -> Exception | None:
        """Stores a batch; the error, where it could not be and the batch is to be split."""
        try:
            kinds = await self._replies.take([one[:2] for one in batch], now=now_ms())
        except Exception as error:
            if len(batch) > 1 and not is_unavailable(error):
                return error
            if not is_unavailable(error):
                log.exception("sms_not_stored", provider=batch[0][0])
            for _, _, stored in batch:
                if not stored.done():
                    stored.set_exception(Unavailable())
            return error
        for kind, (provider, _, stored) in zip(kinds, batch, strict=True):
            if kind is not None:
                metrics.INCOMING.labels(kind).inc()
                log.info("sms_incoming", provider=provider, kind=kind)
            if not stored.done():
                stored.set_result(None)
        return None
