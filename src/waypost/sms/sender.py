"""Sends what the queue has. One process of a cluster at a time does, because a provider often
allows one connection, and because messages from outside come to that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from waypost.bus.base import Bus, Subscription
from waypost.clock import now_ms
from waypost.commands.shown import hide
from waypost.settings import Settings
from waypost.sms import metrics
from waypost.sms.inbound import Inbound
from waypost.sms.provider import (
    Accepted,
    Incoming,
    NotNow,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    Report,
    SendError,
    Uncertain,
)
from waypost.sms.queue import Claimed, Outcome, SmsQueue
from waypost.store.engine import Database, is_unavailable

log = structlog.get_logger()

#: Seconds between two looks whether this process is to send, and at the queue where nobody says
#: that there is something; between two looks at what is over; and between two at what is too old.
LEAD = 5.0
TIDY = 15.0
FORGET = 3600.0
#: Seconds between two claims, so that places that come free are filled together.
CLAIM = 0.02
#: Seconds until the next try while the database is away.
RETRY = 2.0
#: Seconds that messages under way have at the end.
PATIENCE = 10.0

_WORDS: dict[type[SendError], str] = {
    NotSent: "not_sent",
    NotNow: "not_now",
    Rejected: "rejected",
    Uncertain: "uncertain",
}


class Sender:
    """One per process. ``make`` opens the provider whenever this process becomes the one to send,
    which ``leads`` says."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        settings: Settings,
        make: Callable[[], Provider],
        leads: Callable[[], Awaitable[bool]],
        inbound: Inbound,
    ) -> None:
        self._queue = SmsQueue(database, settings)
        self._bus = bus
        self._make = make
        self._leads = leads
        self._inbound = inbound
        self._window = settings.sms_window
        self._id = f"sms-{socket.gethostname()}-{os.getpid()}"
        #: While this process is the one to send.
        self._provider: Provider | None = None
        self._wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        #: What became of attempts and is not written down yet; set once it is.
        self._outcomes: list[tuple[Outcome, asyncio.Event]] = []
        self._ended = asyncio.Event()
        #: What is under way, by its source: one message after the other.
        self._chains: dict[int, asyncio.Task[None]] = {}
        self._under_way = 0
        self._task: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._subscription = await self._bus.subscribe("sms.*", lambda *_: self._wanted.set())
        self._task = asyncio.create_task(self._run(), name="sms sender")

    async def close(self) -> None:
        """Claims nothing more, waits a while for what is under way, and writes down what became of
        it."""
        self._stopping.set()
        self._wanted.set()
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._subscription is not None:
            await self._subscription.close()

    # What the provider tells.

    async def report(self, provider: str, report: Report) -> None:
        await self._inbound.report(provider, report)

    async def incoming(self, provider: str, message: Incoming) -> None:
        await self._inbound.incoming(provider, message)

    def changed(self) -> None:
        self._wanted.set()

    # Who sends.

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if await self._leads():
                    await self._lead()
            except Exception:
                log.exception("sms_sender_failed")
            await self._sleep(LEAD)

    async def _lead(self) -> None:
        """Sends for as long as this process is the one to."""
        # What was under way when this process sent last is nobody's any more.
        self._chains, self._under_way, self._outcomes = {}, 0, []
        await self._persist(lambda: self._queue.recover(now=now_ms()))
        provider = self._provider = self._make()
        log.info("sms_sending", provider=provider.name)
        provider.start(self)
        others = {
            asyncio.create_task(self._settle(), name="sms outcomes"),
            asyncio.create_task(self._tidy(), name="sms tidying"),
        }
        try:
            await self._send_queue(provider)
        finally:
            provider.stop()
            await self._end_chains()
            await provider.close()
            await self._end_chains()
            self._provider = None
            metrics.CONNECTED.set(0)
            for task in (*self._chains.values(), *others):
                task.cancel()
            await asyncio.wait({*self._chains.values(), *others})

    async def _end_chains(self) -> None:
        if self._chains:
            await asyncio.wait(self._chains.values(), timeout=PATIENCE)

    async def _send_queue(self, provider: Provider) -> None:
        asked = time.monotonic()
        while not self._stopping.is_set():
            if time.monotonic() - asked > LEAD:
                if not await self._leads():
                    return
                asked = time.monotonic()
            self._wanted.clear()
            metrics.CONNECTED.set(provider.trouble is None)
            free = self._window - self._under_way
            due: int | None = None
            if free > 0 and provider.trouble is None:
                try:
                    claimed, due = await self._queue.claim(
                        free, self._chains, self._id, now=now_ms()
                    )
                except Exception as error:
                    if not is_unavailable(error):
                        raise
                    await self._sleep(RETRY)
                    continue
                self._begin(provider, claimed)
                if claimed:
                    await self._sleep(CLAIM)
                    continue
            wait = LEAD if due is None else min(max(due - now_ms(), 50) / 1000, LEAD)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wanted.wait()

    # Sending.

    def _begin(self, provider: Provider, claimed: list[Claimed]) -> None:
        self._under_way += len(claimed)
        for source_id in dict.fromkeys(each.source_id for each in claimed):
            chain = [each for each in claimed if each.source_id == source_id]
            self._chains[source_id] = asyncio.create_task(
                self._send_chain(provider, source_id, chain), name=f"sms to {source_id}"
            )

    async def _send_chain(self, provider: Provider, source_id: int, chain: list[Claimed]) -> None:
        """One message after the other to a device; until all is written down, because before that
        nothing more may be claimed for it."""
        try:
            held_up: NotSent | None = None
            for each in chain:
                started = time.monotonic()
                # What did not leave keeps its place before those behind it.
                done = held_up or await _send(provider, each)
                if isinstance(done, NotSent):
                    held_up = done
                self._under_way -= 1
                metrics.SECONDS.observe(time.monotonic() - started)
                _note(each, done)
                written = asyncio.Event()
                self._outcomes.append(((each, done), written))
                self._ended.set()
                self._wanted.set()
            await written.wait()
        finally:
            del self._chains[source_id]
            self._wanted.set()

    async def _settle(self) -> None:
        """Writes down what became of attempts, all there is at a time."""
        while True:
            await self._ended.wait()
            self._ended.clear()
            batch, self._outcomes = self._outcomes, []
            outcomes = [outcome for outcome, _ in batch]
            if not await self._persist(partial(self._write, outcomes)) and len(outcomes) > 1:
                # One that cannot be written down must not keep the others from it.
                for outcome in outcomes:
                    await self._persist(partial(self._write, [outcome]))
            for _, written in batch:
                written.set()

    async def _write(self, outcomes: list[Outcome]) -> None:
        await self._queue.settle(outcomes, now=now_ms())

    async def expire(self) -> None:
        """Ends the lives of commands that are over."""
        trouble = None if self._provider is None else self._provider.trouble
        await self._queue.expire(trouble, now=now_ms())

    async def _tidy(self) -> None:
        forgot = -FORGET
        while True:
            try:
                await self.expire()
                metrics.QUEUED.set(await self._queue.queued())
                if time.monotonic() - forgot >= FORGET:
                    await self._queue.forget(now=now_ms())
                    forgot = time.monotonic()
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("sms_tidying_failed")
            await asyncio.sleep(TIDY)

    async def _persist(self, write: Callable[[], Awaitable[object]]) -> bool:
        """Goes on until the database has it. False: it never will."""
        while True:
            try:
                await write()
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("sms_queue_failed")
                    return False
            else:
                return True
            await asyncio.sleep(RETRY)

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _send(provider: Provider, each: Claimed) -> Accepted | SendError:
    """Sends all texts of a command; what became of the whole."""
    ids: list[str] = []
    parts, reported = 0, True
    for number, text in enumerate(each.texts):
        message = Outgoing(
            to=each.to,
            text=text.text,
            shown=hide(text.text, text.secrets),
            reference=f"{each.command_id}-{each.number}" + (f"-{number}" if number else ""),
            expires_at=each.expires_at,
        )
        try:
            done = await provider.send(message)
        except SendError as error:
            if not number:
                return error
            kind = Uncertain if isinstance(error, NotSent | NotNow) else type(error)
            return kind(f"after {number} of {len(each.texts)} messages: {error}")
        except Exception:
            log.exception("sms_provider_failed", provider=provider.name, command=each.command_id)
            return Uncertain("internal error in the provider")
        ids += done.message_ids
        parts += done.parts
        reported = reported and done.reported
    return Accepted(tuple(ids), parts, reported)


def _note(each: Claimed, done: Accepted | SendError) -> None:
    outcome = "accepted" if isinstance(done, Accepted) else _WORDS[type(done)]
    metrics.ATTEMPTS.labels(outcome).inc()
    if isinstance(done, Accepted):
        metrics.MESSAGES.inc(done.parts)
    log.info(
        "sms_attempt",
        command=each.command_id,
        number=each.number,
        source=each.source_id,
        outcome=outcome,
        reason=None if isinstance(done, Accepted) else str(done),
    )
