"""Live events: who subscribed, what changed, and whose turn it is.

Nobody has a queue of messages. A change is noted in the feeds that follow its source, and clients
that were told everything get a turn, or are waited for; in its turn a client is told the newest
state of everything that changed since its last one. Turns are taken in slices of event-loop time,
so that HTTP and devices in the same process stay quick.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from waypost import tasks
from waypost.accounts.model import Session, User
from waypost.accounts.sessions import Sessions
from waypost.bus.base import Bus, Subscription, id_in
from waypost.fleet.readings_view import ReadingsForm
from waypost.fleet.service import Fleet
from waypost.fleet.trackers import Garage
from waypost.live.feed import Choice, Feed
from waypost.live.metrics import LiveMetrics
from waypost.live.monitor import Recent
from waypost.live.readings import Cabinet
from waypost.live.sources import RETRY, Form, Forms, Sources
from waypost.live.subscriber import Subscriber
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.store.engine import fault_code

log = structlog.get_logger(__name__)

#: Event-loop time of one slice of turns, seconds.
SLICE = 0.0005
#: Seconds between a change of rights or trackers and its review: one change is often announced in
#: several ways.
SETTLE = 0.05
#: Where other processes write: everybody is reviewed once in so many seconds, in case a word of the
#: bus was lost.
REVIEWED = 120.0

Topic = tuple[str, Any]


class Events:
    """The hub of live events of one process. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        sessions: Sessions,
        fleet: Fleet,
        metrics: LiveMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.trackers = fleet.trackers
        self.forms = Forms()
        shared = not settings.single_process
        self.sources = Sources(fleet.states, metrics, clock, shared=shared)
        self.cabinet = Cabinet(fleet.database)
        self.recent = Recent(fleet.points)
        #: The loop's time.
        self.time = asyncio.get_running_loop().time
        #: Counts announced changes of rights and trackers.
        self.changes = 0
        self._bus = bus
        self._sessions = sessions
        self._clock = clock
        self._shared = shared
        self._readings_forms: dict[tuple[Form, str, str | None, bool], ReadingsForm] = {}
        #: Who is concerned by ``("user", id)``, ``("account", id)``, ``("dealer", id)``,
        #: ``("key", session key)``.
        self._audience: dict[Topic, set[Subscriber]] = {}
        self._feeds: dict[tuple[int, Choice], Feed] = {}
        #: Which feeds are concerned by a source.
        self._holders: dict[int, set[Feed]] = {}
        self._held: dict[Feed, set[int]] = {}
        self._turns: deque[Subscriber] = deque()
        self._pumping = False
        self._reviews: dict[Subscriber | Feed, None] = {}
        self._reviewer: asyncio.Task[None] | None = None
        self._reviewed: dict[Subscriber, float] = {}
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        self.sources.start()
        self._subscriptions = [
            await self._bus.subscribe("fleet.user.*", self._user_changed),
            await self._bus.subscribe("fleet.source.*", self._source_changed),
            await self._bus.subscribe("accounts.session", self._sessions_ended),
            await self._bus.subscribe("accounts.dealer.*", self._dealer_changed),
        ]

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()
        await tasks.end([self._reviewer])
        await self.recent.close()
        await self.cabinet.close()
        await self.sources.close()

    # For subscribers.

    async def session_of(self, hash_: str | None) -> Session:
        """The session of a hash. Raises :class:`Refused` as the API does."""
        return await self._sessions.find(hash_, int(self._clock() * 1000), panel=False)

    async def beyond(self, user: User) -> Garage | None:
        """What a sub-user's master sees; None for a master."""
        if user.master_id is None:
            return None
        master = msgspec.structs.replace(user, id=user.master_id, master_id=None)
        return await self.trackers.of_user(master)

    def readings_form(
        self, form: Form, system: str, sensor_type: str | None, components: bool
    ) -> tuple[object, ReadingsForm]:
        """One form for all who see alike, and its key. Raises :class:`Refused` 7."""
        key = (form, system, sensor_type, components)
        found = self._readings_forms.get(key)
        if found is None:
            found = ReadingsForm(form.clock, system, sensor_type, components=components)
            self._readings_forms[key] = found
        return key, found

    def admit(self, user_id: int) -> None:
        """Raises :class:`Refused` 15 where the user has too many connections."""
        if (
            len(self._audience.get(("user", user_id), ()))
            >= self.settings.live_connections_per_user
        ):
            raise Refused(15)

    def explain(self, error: Exception) -> tuple[int, dict[str, Any]]:
        """Code and further fields of the answer for an error that is no refusal."""
        code = fault_code(error)
        if code == 14:
            log.warning("database unavailable", error=str(error))
            return code, {}
        incident = secrets.token_hex(6)
        log.error("live_message_failed", incident=incident, exc_info=error)
        return code, {"incident": incident}

    # Who is concerned by what.

    def enlist(self, subscriber: Subscriber, session: Session) -> None:
        for topic in _topics(session):
            self._audience.setdefault(topic, set()).add(subscriber)
        self._reviewed[subscriber] = self.time()

    def strike(self, subscriber: Subscriber, session: Session) -> None:
        for topic in _topics(session):
            audience = self._audience.get(topic)
            if audience is not None:
                audience.discard(subscriber)
                if not audience:
                    del self._audience[topic]
        self._reviewed.pop(subscriber, None)

    def feed(self, user: User, choice: Choice) -> Feed:
        """What follows a choice of a user; whoever asks joins it, or says ``left``."""
        feed = self._feeds.get((user.id, choice))
        if feed is None:
            feed = self._feeds[user.id, choice] = Feed(self, user, choice)
        return feed

    def left(self, feed: Feed) -> None:
        """Somebody does not follow it any more."""
        if not feed.members:
            self._feeds.pop((feed.user.id, feed.choice), None)
            feed.close()

    def hold(self, feed: Feed, source_ids: set[int]) -> None:
        """These sources concern the feed."""
        before = self._held.get(feed, set())
        for source_id in before - source_ids:
            holders = self._holders[source_id]
            holders.discard(feed)
            if not holders:
                del self._holders[source_id]
        for source_id in source_ids - before:
            self._holders.setdefault(source_id, set()).add(feed)
        if source_ids:
            self._held[feed] = source_ids
        else:
            self._held.pop(feed, None)

    # What changed.

    def _user_changed(self, subject: str, payload: bytes) -> None:
        user_id = id_in(subject)
        self._concerns(("user", user_id))
        self._concerns(("account", user_id))

    def _dealer_changed(self, subject: str, payload: bytes) -> None:
        self._concerns(("dealer", id_in(subject)))

    def _sessions_ended(self, subject: str, payload: bytes) -> None:
        for key in msgspec.msgpack.decode(payload, type=list[bytes]):
            self._concerns(("key", key))

    def _concerns(self, topic: Topic) -> None:
        self.changes += 1
        for subscriber in self._audience.get(topic, ()):
            self.review(subscriber)

    def _source_changed(self, subject: str, payload: bytes) -> None:
        self.changes += 1
        source_id = id_in(subject)
        self.cabinet.forget(source_id)
        for feed in self._holders.get(source_id, ()):
            self.review(feed)

    def review(self, concerned: Subscriber | Feed) -> None:
        """What it may see is looked at once more, soon."""
        self._reviews[concerned] = None
        if self._reviewer is None:
            self._reviewer = asyncio.create_task(self._review(), name="live: reviews")

    async def _review(self) -> None:
        try:
            while self._reviews:
                await asyncio.sleep(SETTLE)
                reviews, self._reviews = self._reviews, {}
                away: list[Subscriber | Feed] = []
                for at, concerned in enumerate(reviews):
                    if not await self._reviewed_now(concerned):
                        away.append(concerned)
                    if at % 100 == 99:
                        await asyncio.sleep(0)
                if away:
                    await asyncio.sleep(RETRY)
                    self._reviews.update(dict.fromkeys(away))
        finally:
            self._reviewer = None

    async def _reviewed_now(self, concerned: Subscriber | Feed) -> bool:
        """False: the database is away."""
        try:
            if isinstance(concerned, Feed):
                garage = await self.trackers.of_user(concerned.user)
                beyond = await self.beyond(concerned.user)
                if concerned.members:
                    concerned.arrange(garage, beyond)
            else:
                await concerned.review()
                if concerned in self._reviewed:
                    self._reviewed[concerned] = self.time()
        except Exception as error:  # noqa: BLE001 - others go on
            code, _ = self.explain(error)
            if code == 14:
                return False
            subscribers = (
                {member.subscriber for member in concerned.members}
                if isinstance(concerned, Feed)
                else {concerned}
            )
            for subscriber in subscribers:
                subscriber.socket.close(1011, "internal error")
        return True

    def beat(self) -> None:
        """Every few seconds: sessions that ran out, and what the bus may have lost."""
        self.cabinet.keep(self.sources.ids)
        now_ms, now = self._clock() * 1000, self.time()
        for subscriber, reviewed in self._reviewed.items():
            session = subscriber.session
            ended = session is not None and (session.expires_at or now_ms + 1) <= now_ms
            if ended or (self._shared and now - reviewed > REVIEWED):
                self.review(subscriber)

    # Turns.

    def ready(self, subscriber: Subscriber) -> None:
        """It has something to be told."""
        if subscriber.queued:
            return
        subscriber.queued = True
        self._turns.append(subscriber)
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        end = self.time() + SLICE
        now = int(self._clock() * 1000)
        turns = self._turns
        while turns:
            subscriber = turns.popleft()
            subscriber.queued = False
            try:
                done = subscriber.flush(now, end)
            except Exception:
                log.exception("live_turn_failed")
                subscriber.socket.close(1011, "internal error")
                done = True
            if not done:
                self.ready(subscriber)
            if self.time() >= end:
                break
        if turns:
            asyncio.get_running_loop().call_soon(self._pump)
        else:
            self._pumping = False


def _topics(session: Session) -> tuple[Topic, ...]:
    user = session.caller
    assert isinstance(user, User)  # noqa: S101 - panel sessions are refused
    return (
        ("user", user.id),
        ("account", user.account_id),
        ("dealer", user.dealer_id),
        ("key", session.key),
    )
