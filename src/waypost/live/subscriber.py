"""One client of live events: who it is, what it subscribed to, and its turn to be told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

from waypost.accounts.model import Session, User
from waypost.fleet.readings_view import ReadingsForm, check_sensor_type
from waypost.fleet.trackers import Garage
from waypost.live import messages
from waypost.live.feed import Feed
from waypost.live.framing import Framing, is_heartbeat
from waypost.live.messages import Wanted, Wish
from waypost.live.monitor import Monitor
from waypost.live.readings import Readings
from waypost.live.socket import Endpoint, Socket
from waypost.live.sources import Form
from waypost.live.subscription import StateBatches, States, Subscription, choice_of
from waypost.refusal import Refused

if TYPE_CHECKING:
    from waypost.live.events import Events

log = structlog.get_logger(__name__)

KINDS: Mapping[str, type[Subscription]] = {
    "state": States,
    "state_batch": StateBatches,
    "readings": Readings,
    "readings_batch": Readings,
    "iot_monitor": Monitor,
}

#: Messages of one client that may wait; beyond this its socket is not read.
WAITING = 8
#: Seconds between two heartbeats of the Atmosphere protocol.
HEARTBEAT = 30.0


class Subscriber(Endpoint):
    """The endpoint ``/event/subscription``."""

    kind = "events"

    __slots__ = (
        "_beaten",
        "_iso",
        "_messages",
        "_seconds",
        "_stranger_since",
        "_timer",
        "_timer_at",
        "_worker",
        "events",
        "framing",
        "hash",
        "queued",
        "session",
        "socket",
        "subscriptions",
        "wrapped",
    )

    def __init__(
        self, events: Events, framing: Framing, *, wrapped: bool, hash: str | None
    ) -> None:
        self.events = events
        self.framing = framing
        #: States of a batch are each wrapped in an object of their own.
        self.wrapped = wrapped
        #: Of the address at first, then of the newest subscription.
        self.hash = hash
        self.session: Session | None = None
        self.subscriptions: dict[str, Subscription] = {}
        #: Has a turn coming.
        self.queued = False
        self.socket: Socket
        self._iso = False
        self._messages: deque[bytes] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        #: Since when it has nobody to speak for; None: it has.
        self._stranger_since: float | None = events.time()
        self._beaten = events.time()
        self._seconds = (0, 0)

    # The connection.

    def opened(self, socket: Socket) -> None:
        self.socket = socket
        opening = self.framing.opening()
        if opening is not None:
            socket.write(opening)

    def message(self, data: bytes) -> None:
        if is_heartbeat(data):
            return
        self._messages.append(data)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="live: messages of a client")
        elif len(self._messages) >= WAITING:
            self.socket.hold(True)

    def writable(self) -> None:
        self.events.ready(self)

    def beat(self, now: float) -> None:
        if self.framing.opens and now - self._beaten >= HEARTBEAT:
            self._beaten = now
            self.send(b"X")
        since = self._stranger_since
        if since is not None and now - since > self.events.settings.live_hello:
            self.socket.close(1000, "no subscription")

    def closed(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
        self.drop()

    def write(self, frame: bytes) -> None:
        """A frame as it is."""
        self.socket.write(frame)

    def send(self, message: bytes) -> None:
        """A message, in the client's framing."""
        self.socket.write(self.framing.frame(message))

    def send_event(self, event: str, body: bytes, time: str | None = None) -> None:
        """An event with an encoded payload; ``time`` is the user's now."""
        self.send(messages.event_message(event, body, time))
        self.events.metrics.told(event)

    # How things are shown to it.

    @property
    def user(self) -> User:
        assert self.session is not None  # noqa: S101 - whoever asks has a subscription
        assert isinstance(self.session.caller, User)  # noqa: S101 - panel sessions are refused
        return self.session.caller

    def form(self, *, compact: bool) -> Form:
        return self.events.forms.get(self.user.zone, self._iso, compact)

    def readings_form(
        self, sensor_type: str | None, *, components: bool
    ) -> tuple[object, ReadingsForm]:
        """The form, and what it is the same for. Raises :class:`Refused` 7."""
        return self.events.readings_form(
            self.form(compact=False), self.user.measurement_system, sensor_type, components
        )

    # What it says.

    async def _work(self) -> None:
        try:
            while self._messages:
                data = self._messages.popleft()
                try:
                    reply = await self._answer(data)
                except messages.Unreadable as error:
                    refused = error.refused
                    reply = messages.error(error.action, refused.code, refused.extra, error.data)
                except Exception as error:  # noqa: BLE001 - the rim: whatever it was, it is answered
                    code, extra = self.events.explain(error)
                    reply = messages.error("null", code, extra)
                self.send(reply)
                self.events.ready(self)
            self.socket.hold(False)
        finally:
            self._worker = None

    async def _answer(self, data: bytes) -> bytes:
        self._count_message()
        wish = messages.read_wish(data)
        try:
            results = await self._grant(wish)
        except Refused as refused:
            raise messages.Unreadable(refused, f"subscription/{wish.action}", wish.asked) from None
        return messages.response(wish.action, results)

    def _count_message(self) -> None:
        """Raises :class:`Unreadable` 15 for too many in this second."""
        second = int(self.events.time())
        self._seconds = (second, self._seconds[1] + 1 if self._seconds[0] == second else 1)
        limit = self.events.settings.api_rate
        if limit and self._seconds[1] > limit:
            raise messages.Unreadable(Refused(15), "null")

    async def _grant(self, wish: Wish) -> dict[str, dict[str, str]]:
        """Does what is wished; each tracker's status, by event. Raises :class:`Refused`."""
        events = self.events
        changes = events.changes
        hash_ = wish.hash or self.hash
        session = await events.session_of(hash_)
        assert isinstance(session.caller, User)  # noqa: S101 - panel sessions are refused
        garage = await events.trackers.of_user(session.caller)
        beyond = await events.beyond(session.caller)
        if wish.action == "unsubscribe":
            if self.session is not None and self.session.caller.id != session.caller.id:
                raise Refused(4)
        else:
            for wanted in wish.wanted:
                check_sensor_type(wanted.sensor_type)
            self._become(hash_ or "", session, wish.iso)
        # From here on nothing waits: what is answered is what holds.
        results: dict[str, dict[str, str]] = {}
        for wanted in wish.wanted:
            statuses = results.setdefault(wanted.type, {})
            statuses.update(statuses_of(wanted, garage, beyond))
            if wish.action == "subscribe":
                self._follow(wanted, garage, beyond)
            else:
                self._leave(wanted, garage, beyond)
        if events.changes != changes:
            events.review(self)
        return results

    def _follow(self, wanted: Wanted, garage: Garage, beyond: Garage | None) -> None:
        """Follows these trackers too; they are told as they are now."""
        choice = choice_of(wanted)
        known = self.subscriptions.get(wanted.type)
        if known is not None:
            choice = known.feed.choice.more(choice)
        feed = self.events.feed(self.user, choice)
        feed.arrange(garage, beyond)
        if known is None:
            known = self.subscriptions[wanted.type] = KINDS[wanted.type](self, feed, wanted)
        else:
            self._move(known, feed)
            known.renew(wanted)
        named = {row.source_id for row in choice_of(wanted).of(garage)}
        known.tell(source for source in feed.rows if source.id in named)

    def _leave(self, wanted: Wanted, garage: Garage, beyond: Garage | None) -> None:
        """Follows these trackers no more."""
        known = self.subscriptions.get(wanted.type)
        if known is None:
            return
        choice = known.feed.choice.less(choice_of(wanted))
        if choice:
            feed = self.events.feed(self.user, choice)
            feed.arrange(garage, beyond)
            self._move(known, feed)
        else:
            del self.subscriptions[wanted.type]
            known.end()
            self.events.left(known.feed)

    def _move(self, subscription: Subscription, feed: Feed) -> None:
        before = subscription.feed
        if feed is not before:
            subscription.move(feed)
            self.events.left(before)

    def _become(self, hash_: str, session: Session, iso: bool) -> None:
        """It speaks for this session from now on. Raises :class:`Refused` 15 for one connection too
        many of this user."""
        before = self.session
        if before is None or before.caller.id != session.caller.id:
            self.events.admit(session.caller.id)
            self.drop()
        restyled = before is not None and (iso != self._iso or self._looks(before, session))
        self.hash, self._iso = hash_, iso
        self._enlist(session)
        if restyled:
            self._restyle()

    @staticmethod
    def _looks(before: Session, after: Session) -> bool:
        """Are things shown otherwise to the second?"""
        one, other = before.caller, after.caller
        assert isinstance(one, User)  # noqa: S101 - panel sessions are refused
        assert isinstance(other, User)  # noqa: S101 - panel sessions are refused
        return one.zone is not other.zone or one.measurement_system != other.measurement_system

    def _enlist(self, session: Session) -> None:
        if self.session is not None:
            self.events.strike(self, self.session)
        self.session = session
        self._stranger_since = None
        self.events.enlist(self, session)

    def _restyle(self) -> None:
        for one in self.subscriptions.values():
            one.restyle()

    async def review(self) -> None:
        """Rights, trackers or the session itself may have changed. Raises what the database
        raises."""
        session = self.session
        if session is None or self.hash is None:
            return
        try:
            found = await self.events.session_of(self.hash)
        except Refused:
            if self.session is session:
                self.log_out()
            return
        user = found.caller
        assert isinstance(user, User)  # noqa: S101 - panel sessions are refused
        garage = await self.events.trackers.of_user(user)
        beyond = await self.events.beyond(user)
        if self.session is not session:
            return  # it said something meanwhile, and was arranged by that
        if found is not session:
            self._enlist(found)
            if self._looks(session, found):
                self._restyle()
        for subscription in self.subscriptions.values():
            subscription.feed.arrange(garage, beyond)

    def log_out(self) -> None:
        """The session is over."""
        if self.subscriptions:
            self.send(messages.LOGOUT)
            self.events.metrics.told("logout")
        self.drop()
        self._stranger_since = self.events.time()

    def drop(self) -> None:
        """Follows nothing any more, for nobody."""
        subscriptions, self.subscriptions = self.subscriptions, {}
        for subscription in subscriptions.values():
            subscription.end()
            self.events.left(subscription.feed)
        if self.session is not None:
            self.events.strike(self, self.session)
            self.session = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Its turn.

    def wake(self, subscription: Subscription) -> None:
        """There is something to tell: now, or when the client wants it."""
        if self.queued or self.socket.paused:
            return
        if subscription.due <= self.events.time():
            self.events.ready(self)
        else:
            self._at(subscription.due)

    def _at(self, when: float) -> None:
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer_at = when
        self._timer = asyncio.get_running_loop().call_at(when, self._is_time)

    def _is_time(self) -> None:
        self._timer = None
        self.events.ready(self)

    def flush(self, now: int, end: float) -> bool:
        """Tells what there is, while the client reads, until ``end`` (loop time); ``now`` in ms.
        False: there is more."""
        if self.socket.paused:
            return True
        lives: dict[int, str] = {}
        for subscription in self.subscriptions.values():
            feed = subscription.feed
            if subscription.life_seq < feed.life_seq and subscription.lifecycle:
                lives.update(feed.lives_since(subscription.life_seq))
            subscription.life_seq = feed.life_seq
        for source_id, event in lives.items():
            self.send(messages.lifecycle(source_id, event))
            self.events.metrics.told("lifecycle")
        time = self.events.time
        for subscription in tuple(self.subscriptions.values()):
            due = subscription.pending() and subscription.due <= time()
            if due and not subscription.flush(now, end):
                return False
            if not subscription.pending():
                subscription.rest()
            elif subscription.due > time():
                self._at(subscription.due)
            elif not self.socket.paused:
                return False
        return True


def statuses_of(wanted: Wanted, garage: Garage, beyond: Garage | None) -> dict[str, str]:
    """What is answered of each tracker that is asked for."""
    # Of those that are named, also what the user does not see.
    ids = wanted.trackers or [row.id for row in choice_of(wanted).of(garage)]
    found: dict[str, str] = {}
    for tracker_id in ids:
        row = garage.by_id.get(tracker_id)
        if row is not None:
            found[str(tracker_id)] = "blocked" if row.blocked else "normal"
        else:
            known = beyond is not None and tracker_id in beyond.by_id
            found[str(tracker_id)] = "disallowed" if known else "unknown"
    return found
