"""The sources that somebody watches: their newest states, encoded once for all who see them alike,
and when a status changes because time passed."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Collection, Hashable
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog

from waypost import tasks
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import Clock, compact, view_state
from waypost.fleet.states import Known, States
from waypost.live.framing import PLAIN
from waypost.live.metrics import LiveMetrics
from waypost.telemetry.state import State

log = structlog.get_logger(__name__)

#: Seconds until the next try while the database is away.
RETRY = 2.0
#: Where other processes write: every watched source is read again within so many seconds, in case
#: a word of the bus was lost; and in how many parts.
AGAIN, PARTS = 60.0, 20

_encode = msgspec.json.Encoder().encode
_NEVER = float("inf")

T = TypeVar("T")


class Form:
    """How moments are written, and how much of a state is shown."""

    __slots__ = ("clock", "compact")

    def __init__(self, clock: Clock, *, compact: bool) -> None:
        self.clock = clock
        self.compact = compact


class Forms:
    """One form for all who see alike, so that they share what is encoded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool, bool], Form] = {}

    def get(self, zone: ZoneInfo, iso: bool, compact: bool) -> Form:
        key = (zone.key, iso, compact)
        form = self._known.get(key)
        if form is None:
            form = self._known[key] = Form(Clock(zone, iso), compact=compact)
        return form


class Watcher(Protocol):
    """Whoever follows a source."""

    def mark(self, source: Source) -> None:
        """Its state is another one now."""


class Source:
    """A source that is watched."""

    __slots__ = (
        "_bodies",
        "_expect",
        "_frames",
        "_kept",
        "due",
        "id",
        "known",
        "row",
        "turns",
        "watchers",
    )

    def __init__(self, row: TrackerRow, expect: Callable[[Source], None]) -> None:
        self.id = row.source_id
        self._expect = expect
        #: One of the trackers that show it; in what matters here they are alike.
        self.row = row
        #: None: it is being read.
        self.known: Known | None = None
        self.watchers: set[Watcher] = set()
        #: When a status changes by itself (ms), and when it is looked at for this.
        self.turns = _NEVER
        self.due = _NEVER
        self._bodies: dict[Form, bytes] = {}
        self._frames: dict[Form, tuple[bytes, str, bytes]] = {}
        self._kept: dict[Any, Any] = {}

    @property
    def state(self) -> State | None:
        return self.known.state if self.known is not None else None

    def changed(self) -> None:
        """What was encoded does not hold any more."""
        self._bodies.clear()
        self._kept.clear()
        for watcher in self.watchers:
            watcher.mark(self)

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once while the source stays as it is."""
        if key not in self._kept:
            self._kept[key] = make()
        kept: T = self._kept[key]
        return kept

    def body(self, form: Form, now: int) -> bytes:
        """The state as JSON, as it is at ``now`` (ms)."""
        body = self._bodies.get(form)
        if body is None or now >= self.turns:
            view, until = view_state(self.row, self.state, now, form.clock)
            if now >= self.turns:
                self._bodies.clear()
            self.turns = until
            body = _encode(compact(view) if form.compact else view)
            self._bodies[form] = body
            if until < self.due:
                self._expect(self)
        return body

    def frame(self, form: Form, now: int) -> bytes:
        """The event ``state`` as a frame for plain clients."""
        body, time = self.body(form, now), form.clock.write(now)
        kept = self._frames.get(form)
        if kept is not None and kept[0] is body and kept[1] == time:
            return kept[2]
        frame = PLAIN.frame(state_event(body, time))
        self._frames[form] = (body, time, frame)
        return frame


def state_event(body: bytes, time: str) -> bytes:
    """The event ``state`` with an encoded state; ``time`` is the user's now."""
    return b'{"type":"event","event":"state","user_time":"%b","data":%b}' % (time.encode(), body)


class Sources:
    """All of them. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        states: States,
        metrics: LiveMetrics,
        clock: Callable[[], float],
        *,
        shared: bool,
    ) -> None:
        self._states = states
        self._clock = clock
        #: Other processes write to the database.
        self._shared = shared
        self._metrics = metrics
        self._known: dict[int, Source] = {}
        self._unread: dict[int, Source] = {}
        #: (when, source id): what is looked at because time passes; one entry for a source.
        self._due: list[tuple[float, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None
        self._again: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] | None = None

    @property
    def ids(self) -> Collection[int]:
        """Those that are watched."""
        return self._known.keys()

    def start(self) -> None:
        self._unwatch = self._states.watch(self._changed)
        self._again = asyncio.create_task(self._read_again(), name="live: states again")

    async def close(self) -> None:
        if self._unwatch is not None:
            self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
        await tasks.end([self._reading, self._again])

    def follow(self, row: TrackerRow, watcher: Watcher) -> Source:
        """``watcher`` is told of every change of the source of ``row`` from now on; of its present
        state, too, at once or as soon as it was read."""
        source = self._known.get(row.source_id)
        if source is None:
            source = self._known[row.source_id] = Source(row, self._expect)
            self._unread[source.id] = source
            self._read()
        else:
            self.renew(source, row)
        source.watchers.add(watcher)
        if source.known is not None:
            watcher.mark(source)
        return source

    def unfollow(self, source: Source, watcher: Watcher) -> None:
        source.watchers.discard(watcher)
        if not source.watchers and self._known.get(source.id) is source:
            del self._known[source.id]
            self._unread.pop(source.id, None)

    def renew(self, source: Source, row: TrackerRow) -> None:
        """The tracker is as ``row`` says now."""
        old, source.row = source.row, row
        if (
            old.model != row.model
            or old.registered_at != row.registered_at
            or old.replaced_at != row.replaced_at
            or old.folding != row.folding
        ):
            source.changed()

    def _changed(self, source_id: int) -> None:
        """A newer state was heard of, or found."""
        source = self._known.get(source_id)
        if source is not None and source.known is not None:
            self._metrics.changes += 1
            source.changed()

    # Reading states.

    def _read(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all(), name="live: states")

    async def _read_all(self) -> None:
        try:
            while self._unread:
                wanted = list(self._unread)[:1000]
                try:
                    found = await self._states.get(wanted)
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    log.warning("live_states_unavailable", error=str(error))
                    await asyncio.sleep(RETRY)
                    continue
                for source_id in wanted:
                    source = self._unread.pop(source_id, None)
                    if source is None:
                        continue
                    before, source.known = source.known, found[source_id]
                    # What memory still held was noticed by its watchers, if it was another one.
                    if before is None or before.version != source.known.version:
                        source.changed()
        finally:
            self._reading = None

    async def _read_again(self) -> None:
        """From time to time: what the bus may have lost, and what memory has given up."""
        part = 0
        while True:
            await asyncio.sleep(AGAIN / PARTS)
            part = (part + 1) % PARTS
            lost = [
                source
                for source in self._known.values()
                if source.known is not None
                and (source.known.checked is None or (self._shared and source.id % PARTS == part))
            ]
            for source in lost:
                self._unread[source.id] = source
            if lost:
                self._read()

    # Time.

    def _expect(self, source: Source) -> None:
        """Sees to it that a change by time alone is noticed."""
        source.due = source.turns
        heapq.heappush(self._due, (source.due, source.id))
        if self._due[0][0] == source.due:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = max(self._due[0][0] / 1000 - self._clock(), 0)
        self._timer = asyncio.get_running_loop().call_later(delay, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        now = self._clock() * 1000
        while self._due and self._due[0][0] <= now:
            due, source_id = heapq.heappop(self._due)
            source = self._known.get(source_id)
            if source is None or source.due != due:
                continue
            source.due = _NEVER
            if source.turns <= now:
                source.turns = _NEVER
                source.changed()
            elif source.turns < _NEVER:
                self._expect(source)
        if self._due and self._timer is None:
            self._set_timer()
