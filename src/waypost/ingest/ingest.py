"""Group commit.

Connections submit what they decoded; whatever all of them have submitted by the time the last
transaction is done makes the next one. ``done`` of each submission is called after the commit,
so that a device hears "received" only of what is on the disk. A database that is away is waited
for: nothing is acknowledged meanwhile and nothing that was submitted is forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter

import msgspec
import structlog
from prometheus_client import Counter, Gauge, Histogram

from waypost.bus.base import Bus
from waypost.ingest.preparer import Preparer
from waypost.ingest.submission import Done, LiveSource, Submission
from waypost.pace import piece_ends
from waypost.store.engine import is_unavailable
from waypost.store.points import (
    Claimed,
    Points,
    SourceBatch,
    StaleEpoch,
)
from waypost.telemetry.folding import Folding
from waypost.telemetry.message import Message
from waypost.telemetry.records import Records
from waypost.telemetry.row import MOST_RETENTION
from waypost.telemetry.state import encode_state

log = structlog.get_logger()

OnUnlocated = Callable[["LiveSource", Sequence[Message], int], None]
"""Hears of messages without a current fix that say what the device heard around it, once they are
stored: the source, the messages, and when they were received (ms)."""

ReadFoldings = Callable[[list[int]], Awaitable[Mapping[int, Folding]]]
"""How the sources with these ids are read; those that are read the common way are not in it."""

STORED = Counter("waypost_ingest_records_total", "Records committed")
COMMITS = Counter("waypost_ingest_commits_total", "Transactions committed")
COMMIT_SECONDS = Histogram(
    "waypost_ingest_commit_seconds",
    "How long a commit took",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
QUEUED = Gauge("waypost_ingest_queued_records", "Records waiting to be committed")
FAILURES = Counter("waypost_ingest_failures_total", "Commits that failed", ["kind"])

#: Waits between tries while the database is away, seconds.
RETRY = (0.1, 0.2, 0.5, 1.0, 2.0)
#: Sources that nobody uses are remembered up to this many.
IDLE_SOURCES = 20_000
#: Submissions in one transaction at most: they are put together in one go, and the event loop
#: should not wait long for that.
BATCH_SUBMISSIONS = 1000

_pack = msgspec.msgpack.encode


class Refused(Exception):
    """The store cannot take these messages, now or later; the text says why."""


class Ingest:
    """The one door to the points store for everything that devices say."""

    def __init__(
        self,
        points: Points,
        bus: Bus,
        *,
        owner: str,
        queue: int = 100_000,
        batch: int = 8000,
    ) -> None:
        self._points = points
        self._bus = bus
        self._owner = owner
        self._limit = queue
        self._batch = batch
        self._sources: dict[int, LiveSource] = {}
        #: Sources that somebody waits for, and those of them not yet asked for.
        self._claiming: dict[int, asyncio.Future[LiveSource]] = {}
        self._wanted: dict[int, int] = {}
        self._claimer: asyncio.Task[None] | None = None
        #: How to find out how sources are read (``ingest.foldings`` sets it).
        self.read_foldings: ReadFoldings | None = None
        #: Who finds positions for messages without one (``location.locator`` sets it).
        self.on_unlocated: OnUnlocated | None = None
        #: What is prepared for the next transactions; more comes from the preparer.
        self._queue: deque[Submission] = deque()
        self._preparer = Preparer(self._queue, self._failed, points.row_format)
        self._records = 0
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        #: States to publish, and submissions to acknowledge, of commits that are done.
        self._told: deque[tuple[int, int, bytes]] = deque()
        self._settled: deque[Submission] = deque()
        self._all_settled = asyncio.Event()
        self._all_settled.set()
        #: So many submissions are taken one at a time, to find the one that is refused.
        self._careful = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="ingest")

    async def close(self, timeout: float = 10.0) -> None:
        """Commits what is queued, then ends. What cannot be committed in ``timeout`` seconds is
        given back as failed: its devices were never told that it is stored."""
        self._closing = True
        self._work.set()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=timeout)
            if not done:
                self._task.cancel()
                await asyncio.wait({self._task})
        await self._all_settled.wait()
        error = Refused("the server stops")
        self._queue += self._preparer.give_back()
        while self._queue:
            self._finish(self._queue.popleft(), error)

    @property
    def full(self) -> bool:
        """True: read no more from sockets until :meth:`room`."""
        return self._records >= self._limit

    async def room(self) -> None:
        """Returns once there is room in the queue again."""
        await self._room.wait()

    async def open(self, source_id: int, retention_days: int) -> LiveSource:
        """The source, owned by this process from now on, shared by all who open it. Pair with
        :meth:`release`. Raises the database's error if it cannot be reached."""
        retention_days = min(retention_days, MOST_RETENTION)
        live = self._sources.get(source_id)
        if live is None:
            pending = self._claiming.get(source_id)
            if pending is None:
                pending = asyncio.get_running_loop().create_future()
                self._claiming[source_id] = pending
                self._wanted[source_id] = retention_days
                if self._claimer is None or self._claimer.done():
                    self._claimer = asyncio.create_task(self._claim(), name="claims")
            live = await asyncio.shield(pending)
        live.retention = retention_days
        live.users += 1
        return live

    async def _claim(self) -> None:
        """Claims what is wanted at this moment with one transaction, until nothing is."""
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            error: BaseException | None = None
            claimed: dict[int, Claimed] = {}
            foldings: Mapping[int, Folding] = {}
            try:
                if self.read_foldings is not None:
                    foldings = await self.read_foldings(sorted(wanted))
                claimed = await self._points.claim(sorted(wanted), self._owner)
            except Exception as failure:  # noqa: BLE001  (told to everybody who waits)
                error = failure
            for source_id, retention_days in wanted.items():
                pending = self._claiming.pop(source_id)
                if error is None:
                    live = LiveSource(claimed[source_id], retention_days, foldings.get(source_id))
                    self._sources[source_id] = live
                    pending.set_result(live)
                else:
                    pending.set_exception(error)
                    # Whoever waited may be gone by now.
                    pending.exception()

    def knows(self, source_id: int) -> bool:
        """Is this source, or will it soon be, this process's?"""
        return source_id in self._sources or source_id in self._claiming

    @property
    def source_ids(self) -> list[int]:
        """The sources of this process."""
        return list(self._sources)

    def read_as(self, foldings: Mapping[int, Folding | None]) -> set[int]:
        """Messages of these sources are read so from now on. Gives back those that are not here
        yet."""
        coming: set[int] = set()
        for source_id, folding in foldings.items():
            live = self._sources.get(source_id)
            if live is not None:
                live.folding = folding
            elif source_id in self._claiming:
                coming.add(source_id)
        return coming

    def release(self, live: LiveSource) -> None:
        """The caller needs this source no more."""
        live.users -= 1
        if live.users <= 0 and len(self._sources) > IDLE_SOURCES and not live.waiting:
            self._sources.pop(live.source_id, None)

    def submit(
        self, live: LiveSource, messages: Sequence[Message], received: int, done: Done
    ) -> None:
        """Takes ``messages`` (received at ``received`` ms) to be stored; ``done(None)`` is called
        after the commit, ``done(error)`` if there will be none."""
        if self._closing:
            done(Refused("the server stops"))
            return
        self._preparer.add(Submission(live, messages, received, done))
        live.waiting += 1
        self._records += len(messages)
        if self._records >= self._limit:
            self._room.clear()
        self._work.set()

    async def _run(self) -> None:
        tries = 0
        while True:
            if not self._queue and not self._preparer.waiting:
                if self._closing:
                    return
                self._work.clear()
                await self._work.wait()
                # Whatever else this turn of the event loop brings goes along.
                await asyncio.sleep(0)
            if not self._queue:
                await self._preparer.prepare_all()
            taken = self._take()
            if not taken:
                continue
            try:
                batches = self._batches(taken)
                await asyncio.sleep(0)  # a pause for others, as after each slice
                with COMMIT_SECONDS.time():
                    await self._points.commit(batches)
            except asyncio.CancelledError:
                self._queue.extendleft(reversed(taken))
                raise
            except Exception as error:  # noqa: BLE001  (each kind is dealt with, none passed over)
                self._queue.extendleft(reversed(taken))
                if is_unavailable(error):
                    FAILURES.labels("unavailable").inc()
                    log.warning("database_unavailable", error=str(error), waiting=self._records)
                    await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
                    tries += 1
                elif isinstance(error, StaleEpoch):
                    FAILURES.labels("stale").inc()
                    log.info("sources_moved", sources=len(error.source_ids))
                else:
                    self._refused(error, len(taken))
                await self._start_over({submission.live for submission in taken})
            else:
                tries = 0
                self._committed(taken, batches)
                await asyncio.sleep(0)

    def _take(self) -> list[Submission]:
        """What goes into the next transaction; one submission at a time while the store is being
        asked which of them it refuses."""
        most = 1 if self._careful else BATCH_SUBMISSIONS
        taken: list[Submission] = []
        records = 0
        while self._queue and records < self._batch and len(taken) < most:
            submission = self._queue.popleft()
            taken.append(submission)
            records += len(submission.messages)
        self._careful = max(0, self._careful - 1)
        return taken

    def _batches(self, taken: list[Submission]) -> list[SourceBatch]:
        """The submissions, put together by source. Their states are encoded now, so that what
        arrives during the commit is no part of it."""
        by_source: dict[int, SourceBatch] = {}
        for submission in taken:
            live = submission.live
            batch = by_source.get(live.source_id)
            if batch is None:
                state = encode_state(live.state)
                batch = SourceBatch(live.source_id, live.epoch, state)
                by_source[live.source_id] = batch
            if submission.block is not None:
                batch.blocks.append(submission.block)
                continue
            batch.fresh += submission.fresh
            batch.rest += submission.rest
            batch.untimed += submission.untimed
        return [by_source[source_id] for source_id in sorted(by_source)]

    def _failed(self, submission: Submission) -> None:
        """A submission could not be prepared, which is a fault of ours."""
        self._finish(submission, Refused("internal error"))

    def _refused(self, error: Exception, count: int) -> None:
        """The store refused the submissions at the head of the queue: a single one is given
        back, several are tried one by one, so that nobody suffers for another."""
        FAILURES.labels("refused").inc()
        if count == 1:
            submission = self._queue.popleft()
            log.error("messages_refused", source=submission.live.source_id, error=str(error))
            self._finish(submission, Refused(f"the store refused the message: {error}"))
        else:
            self._careful = count

    async def _start_over(self, lives: set[LiveSource]) -> None:
        """Claims the sources again and folds everything anew from what is stored: after a commit
        that failed, whose outcome is unknown, or that met another owner."""
        by_id = {live.source_id: live for live in lives}
        tries = 0
        while True:
            try:
                claimed = await self._points.claim(sorted(by_id), self._owner)
                break
            except Exception as error:  # noqa: BLE001  (said, and tried again until it works)
                log.warning("claim_failed", error=str(error), sources=len(by_id))
                await asyncio.sleep(RETRY[min(tries, len(RETRY) - 1)])
                tries += 1
        for source_id, live in by_id.items():
            live.renew(claimed[source_id])
        for submission in self._queue:
            if submission.live in lives:
                submission.prepare()

    def _committed(self, taken: list[Submission], batches: list[SourceBatch]) -> None:
        """Releases the acknowledgements, and tells of the new states, beside the next commit."""
        for batch in batches:
            live = self._sources.get(batch.source_id)
            if live is not None and live.epoch == batch.epoch:
                live.version += 1
                self._told.append((batch.source_id, live.version, batch.state))
        self._settled += taken
        if self._all_settled.is_set():
            self._all_settled.clear()
            asyncio.get_running_loop().call_soon(self._settle)
        if self.on_unlocated is not None:
            self._tell_unlocated(taken, self.on_unlocated)
        COMMITS.inc()
        STORED.inc(sum(len(submission.messages) for submission in taken))

    def _tell_unlocated(self, taken: list[Submission], tell: OnUnlocated) -> None:
        for submission in taken:
            messages = submission.messages
            found = submission.unlocated
            # A list first: the question after it is a slow one, of an abstract class.
            if found is None and not isinstance(messages, list) and isinstance(messages, Records):
                # Rows were made without them; what was folded shows where the fix was lost.
                steps = messages.steps(submission.received)
                if steps is not None or messages.opened:
                    found = [one for one in steps or messages if _is_unlocated(one)]
            if found:
                tell(submission.live, found, submission.received)

    def _settle(self) -> None:
        """A slice of what is to be told: states first, so that whoever hears an acknowledgement
        can read the state that it is part of."""
        end = piece_ends()
        told, settled, publish = self._told, self._settled, self._bus.publish
        while told or settled:
            if told:
                source_id, version, state = told.popleft()
                publish(f"state.{source_id}", _pack((version, state)))
            else:
                self._finish(settled.popleft(), None)
            if perf_counter() > end:
                asyncio.get_running_loop().call_soon(self._settle)
                return
        self._all_settled.set()
        QUEUED.set(self._records)

    def _finish(self, submission: Submission, error: BaseException | None) -> None:
        submission.live.waiting -= 1
        self._records -= len(submission.messages)
        if self._records < self._limit // 2 or not self._records:
            self._room.set()
        try:
            submission.done(error)
        except Exception:
            log.exception("after_commit_failed")


def _is_unlocated(message: Message) -> bool:
    if not (message.cells or message.wifi):
        return False
    return message.latitude is None or not message.valid
