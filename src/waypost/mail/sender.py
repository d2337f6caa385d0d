"""Sends what the queue has, a batch at a time, in as many processes as there are for jobs."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog

from waypost.bus.base import Bus, Subscription
from waypost.clock import now_ms
from waypost.mail import metrics
from waypost.mail.queue import MailQueue
from waypost.mail.transport import Letter, Result, Transport
from waypost.settings import Settings
from waypost.store.engine import Database, is_unavailable

log = structlog.get_logger()

#: E-mails over one connection.
BATCH = 20
#: Seconds between two looks at the queue where nobody says that there is something; and between
#: two at what is too old.
LOOK = 5.0
TIDY = 15.0
#: Seconds until the next try while the database is away.
RETRY = 2.0
#: Seconds that what is being handed over has at the end.
PATIENCE = 10.0


class MailSender:
    """One per process with the role ``jobs``."""

    def __init__(
        self, database: Database, bus: Bus, settings: Settings, transport: Transport
    ) -> None:
        self._queue = MailQueue(database, settings)
        self._bus = bus
        self._transport = transport
        self._wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._tidied = 0.0

    async def start(self) -> None:
        self._subscription = await self._bus.subscribe("mail.*", lambda *_: self._wanted.set())
        self._task = asyncio.create_task(self._run(), name="mail sender")

    async def close(self) -> None:
        """Claims nothing more, and waits a while for what is being handed over."""
        self._stopping.set()
        self._wanted.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=PATIENCE)
            for task in late:
                task.cancel()
        if self._subscription is not None:
            await self._subscription.close()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                await self._tidy()
                pause = await self._send()
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("mail_sender_failed")
                pause = RETRY
            if pause and not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wanted.wait()

    async def _send(self) -> float:
        """Sends a batch; seconds until it is worth looking again."""
        letters, due = await self._queue.claim(BATCH, now=now_ms())
        if letters:
            results = await asyncio.to_thread(self._transport.send, letters)
            outcomes = list(zip(letters, results, strict=True))
            await self._settle(outcomes)
            for letter, result in outcomes:
                _note(letter, result)
            return 0.0
        if due is None:
            return LOOK
        return min(max((due - now_ms()) / 1000, 0.05), LOOK)

    async def _settle(self, outcomes: list[tuple[Letter, Result]]) -> None:
        """Goes on until the database has it: what is not written down is sent again."""
        while True:
            try:
                return await self._queue.settle(outcomes, now=now_ms())
            except Exception as error:
                if not is_unavailable(error) or self._stopping.is_set():
                    raise
            await asyncio.sleep(RETRY)

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied > TIDY:
            self._tidied = time.monotonic()
            await self._queue.expire(now=now_ms())


def _note(letter: Letter, result: Result) -> None:
    metrics.ATTEMPTS.labels(result.outcome).inc()
    log.info(
        "mail_attempt",
        command=letter.command_id,
        number=letter.number,
        outcome=result.outcome,
        reason=result.code,
    )
