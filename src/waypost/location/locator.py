"""Positions for reports without a fix, found after these are stored.

Ingest tells of such reports once they are committed. They wait here, up to a limit, are looked up
in the table many at once, then if need be at the provider, and what is found goes in by ingest
again as a message of its own: time and content make it the same point however often it is found.
What waits here is lost when the process is killed; the reports themselves, with their cells, are
stored, and ``tracker/location_request`` looks the newest one up again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import structlog
from prometheus_client import Counter

from waypost import tasks
from waypost.ingest import Ingest, LiveSource
from waypost.location.errors import NotNow
from waypost.location.resolver import Found, Resolver
from waypost.location.surroundings import Unlocated, stored_unlocated, unlocated
from waypost.store.engine import is_unavailable
from waypost.store.points import Points
from waypost.telemetry.message import Message

if TYPE_CHECKING:
    from waypost.location.geolocate import Geolocate

log = structlog.get_logger()

POINTS = Counter(
    "waypost_location_total", "Reports without a fix that could be looked up", ["outcome"]
)

#: Reports in each queue; beyond, the oldest are given up.
WAITING = 20_000
#: Looked up and stored together, at most so often (seconds): a thousand a second, so that devices
#: without a fix do not push those with one aside.
BATCH, PAUSE = 100, 0.1
#: Reports looked through for these at most: most devices hear what they heard before.
LOOKED_THROUGH = 500
#: Requests to the provider at once, and how often a report is tried where it gives no answer.
REQUESTS, TRIES = 4, 6
#: A fix by satellites this near in time (ms) is worth more than any position by the network; nor
#: does a device that goes on to hear the same need another one.
NEAR_MS = 60_000
#: Devices of which it is remembered what they heard last.
REMEMBERED = 20_000
#: Stored reports that are looked at for the newest cells.
LOOKED_AT = 200
#: Seconds between looks at whether there is a table by now.
LOOK = 1.0
#: Seconds until the next try where the database is away.
RETRY = 2.0

#: Seconds that somebody who asks for a position waits for it to be stored.
STORING = 10.0

Outcome = Literal["stored", "needless", "failed", "unknown", "later"]


class Newest:
    """The newest that is stored of what a device heard. ``known``: a position as new as that is
    stored, too."""

    __slots__ = ("known", "report")

    def __init__(self, report: Unlocated, *, known: bool) -> None:
        self.report = report
        self.known = known


class Locator:
    """One per process that stores messages. Between :meth:`start` and :meth:`close`."""

    def __init__(self, resolver: Resolver, ingest: Ingest, points: Points) -> None:
        self._resolver = resolver
        self._ingest = ingest
        self._points = points
        #: What ingest told: source, days of retention, message, when it was received.
        self._queue: deque[tuple[int, int, Message, int]] = deque()
        #: What the provider is to be asked, with how often it was: what the table knows too, which
        #: need not wait for a provider that is away, and what it does not know.
        self._known: deque[tuple[Unlocated, Found]] = deque()
        self._unknown: deque[tuple[Unlocated, int]] = deque()
        self._work = asyncio.Event()
        self._ask = asyncio.Event()
        self._heard: OrderedDict[int, tuple[bytes, int]] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to listen to ingest."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="location"),
            asyncio.create_task(self._look_up(), name="location by table"),
        ]
        provider = self._resolver.provider
        if provider is not None:
            self._tasks += [
                asyncio.create_task(
                    self._ask_provider(provider), name=f"location provider {number}"
                )
                for number in range(REQUESTS)
            ]

    async def close(self) -> None:
        await tasks.end(self._tasks)
        self._ingest.on_unlocated = None
        left = len(self._queue) + len(self._known) + len(self._unknown)
        if left:
            POINTS.labels("given_up").inc(left)
            log.info("locations_given_up", reports=left)

    def note(self, live: LiveSource, messages: Sequence[Message], received: int) -> None:
        """Reports without a fix were stored. Called by ingest, so it only puts them down."""
        queue = self._queue
        for message in messages:
            _make_room(queue)
            queue.append((live.source_id, live.retention, message, received))
        self._work.set()

    async def newest(self, source_id: int, retention_days: int) -> Newest | None:
        """What the device heard last; None: it has never told, or nothing can be looked up."""
        if not self._resolver.ready:
            return None
        located = -1
        report: Unlocated | None = None
        for point in await self._points.latest(source_id, LOOKED_AT):
            if report is not None and point.time < report.time:
                break
            if point.latitude is not None and point.valid:
                located = max(located, point.time)
            report = report or stored_unlocated(point, retention_days)
        return None if report is None else Newest(report, known=located >= report.time)

    async def locate(self, report: Unlocated) -> Outcome:
        """Finds a report's position and stores it. ``needless``: there is a better one; ``later``:
        the provider gives no answer at the moment and is asked again. Raises TimeoutError where
        the database is away."""
        try:
            found = await self._resolver.find(report.around)
        except NotNow:
            self._ask_about(report, None)
            return "later"
        if found is None:
            POINTS.labels("unknown").inc()
            return "unknown"
        async with asyncio.timeout(STORING):
            return await self._store_one(report, found)

    # Waiting.

    async def _listen(self) -> None:
        """Ingest tells only while there is something to look positions up with."""
        while True:
            self._ingest.on_unlocated = self.note if self._resolver.ready else None
            await asyncio.sleep(LOOK)

    def _is_news(self, report: Unlocated) -> bool:
        """Does the device hear anything else than shortly before?"""
        key = report.around.key
        last = self._heard.get(report.source_id)
        if last is not None and last[0] == key and abs(report.time - last[1]) < NEAR_MS:
            return False
        self._heard[report.source_id] = key, report.time
        self._heard.move_to_end(report.source_id)
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return True

    def _ask_about(self, report: Unlocated, known: Found | None) -> None:
        """Lets a report wait for the provider."""
        if known is not None:
            _make_room(self._known)
            self._known.append((report, known))
        else:
            _make_room(self._unknown)
            self._unknown.append((report, 0))
        self._ask.set()

    # The table.

    async def _look_up(self) -> None:
        while True:
            await self._work.wait()
            reports = self._take()
            if not self._queue:
                self._work.clear()
            try:
                await self._look_these_up(reports)
            except Exception:
                POINTS.labels("failed").inc(len(reports))
                log.exception("location_failed")
            await asyncio.sleep(PAUSE)

    def _take(self) -> list[Unlocated]:
        """What is looked up next."""
        reports: list[Unlocated] = []
        for _ in range(min(LOOKED_THROUGH, len(self._queue))):
            source_id, retention_days, message, received = self._queue.popleft()
            report = unlocated(message, source_id, retention_days, received)
            if report is not None and self._is_news(report):
                reports.append(report)
                if len(reports) == BATCH:
                    break
        return reports

    async def _look_these_up(self, reports: list[Unlocated]) -> None:
        located: list[tuple[Unlocated, Found]] = []
        answers = await self._resolver.by_table([report.around for report in reports])
        for report, found in zip(reports, answers, strict=True):
            if self._resolver.asks_provider(report.around, found):
                self._ask_about(report, found)
            elif found is not None:
                located.append((report, found))
            else:
                POINTS.labels("unknown").inc()
        await self._store(located)

    # The provider.

    async def _ask_provider(self, provider: Geolocate) -> None:
        while True:
            await self._ask.wait()
            paused = provider.paused
            try:
                if self._known and (paused or len(self._known) > len(self._unknown)):
                    await self._ask_for_more(*self._known.popleft())
                elif not self._unknown:
                    self._ask.clear()
                elif paused:
                    await asyncio.sleep(min(paused, LOOK))
                else:
                    await self._ask_for_any(*self._unknown.popleft())
            except Exception:
                POINTS.labels("failed").inc()
                log.exception("location_failed")

    async def _ask_for_more(self, report: Unlocated, known: Found) -> None:
        """Where the provider cannot say, what the table knows has to do."""
        try:
            found = await self._resolver.by_provider(report.around) or known
        except NotNow:
            found = known
        await self._store([(report, found)])

    async def _ask_for_any(self, report: Unlocated, tries: int) -> None:
        try:
            found = await self._resolver.by_provider(report.around)
        except NotNow:
            if tries + 1 < TRIES:
                self._unknown.appendleft((report, tries + 1))
            else:
                POINTS.labels("given_up").inc()
            return
        if found is not None:
            await self._store([(report, found)])
        else:
            POINTS.labels("unknown").inc()

    # Storing.

    async def _store(self, located: Sequence[tuple[Unlocated, Found]]) -> None:
        """Stores positions, and returns when they are."""
        await asyncio.gather(*(self._store_one(report, found) for report, found in located))

    async def _store_one(self, report: Unlocated, found: Found) -> Outcome:
        ingest = self._ingest
        while True:
            try:
                live = await ingest.open(report.source_id, report.retention_days)
                break
            except Exception as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(RETRY)
        try:
            fix = live.state.gnss
            if fix is not None and abs(fix.time - report.time) < NEAR_MS:
                POINTS.labels("needless").inc()
                self._heard.pop(report.source_id, None)
                return "needless"
            if ingest.full:
                await ingest.room()
            stored: asyncio.Future[BaseException | None] = (
                asyncio.get_running_loop().create_future()
            )

            def done(error: BaseException | None) -> None:
                if not stored.done():
                    stored.set_result(error)

            ingest.submit(live, [_message(report, found)], report.received, done)
            refused = await stored
        finally:
            ingest.release(live)
        if refused is None:
            POINTS.labels("located").inc()
            return "stored"
        POINTS.labels("failed").inc()
        log.warning("location_not_stored", source=report.source_id, error=str(refused))
        return "failed"


def _make_room(queue: deque[Any]) -> None:
    if len(queue) >= WAITING:
        queue.popleft()
        POINTS.labels("given_up").inc()


def _message(report: Unlocated, found: Found) -> Message:
    """The message that says where the device was."""
    return Message(
        time=None if report.untimed else report.time,
        digest_of=report.identity,
        latitude=found.place.latitude,
        longitude=found.place.longitude,
        source=found.source,
        precision=found.place.precision,
        buffered=report.buffered,
    )
