"""What one client follows of one kind, and up to where it was told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from waypost.live.feed import Choice, Feed
from waypost.live.framing import PLAIN
from waypost.live.messages import Wanted, event_message
from waypost.live.sources import Form, Source, state_event

if TYPE_CHECKING:
    from waypost.live.subscriber import Subscriber

#: Batches go out on a grid of so many lines in each interval, so that clients that follow alike
#: are told at one time, and alike.
GRID = 4


def choice_of(wanted: Wanted) -> Choice:
    return Choice(wanted.all, frozenset(wanted.trackers), frozenset(wanted.tags))


class Subscription:
    """One kind of events for one client."""

    #: Is the client told when trackers are blocked, unblocked or gone?
    lifecycle: ClassVar[bool] = True

    def __init__(self, subscriber: Subscriber, feed: Feed, wanted: Wanted) -> None:
        self.subscriber = subscriber
        self.event = wanted.type
        self.feed = feed
        #: Up to where it was told, of states and of trackers that come and go.
        self.seq = feed.seq
        self.life_seq = feed.life_seq
        #: Told all the same, though it is older.
        self._owed: dict[Source, None] = {}
        #: Seconds between two messages, and when the next one may go out (loop time).
        self.interval = 0.0
        self.due = 0.0
        feed.members.add(self)
        self.renew(wanted)

    def renew(self, wanted: Wanted) -> None:
        """How and how often it is told from now on."""
        self._wanted = wanted
        self.interval = wanted.interval / 1000
        self.due = 0.0
        self.style(wanted)

    def restyle(self) -> None:
        """The user sees things otherwise now: another time zone, other units."""
        self.style(self._wanted)
        self.tell(self.feed.rows)

    def style(self, wanted: Wanted) -> None:
        """How trackers are shown from now on."""
        raise NotImplementedError

    def tell(self, sources: Iterable[Source]) -> None:
        """These are told once more, as they are; what is not known yet follows by itself."""
        self._owed.update((one, None) for one in sources if one.known is not None)
        self.wake()

    def move(self, feed: Feed) -> None:
        """Follows another choice; what was not told yet still is."""
        owed = [*self._owed, *self.feed.since(self.seq)]
        before = self.feed
        self.end()
        for source in before.rows.keys() - feed.rows.keys():
            self.forget(source)
        self.feed = feed
        self.seq, self.life_seq = feed.seq, feed.life_seq
        feed.members.add(self)
        self._owed = {source: None for source in owed if source in feed.rows}
        self.wake()

    def end(self) -> None:
        """Follows nothing any more."""
        self.feed.members.discard(self)
        self.feed.asleep.discard(self)

    def forget(self, source: Source) -> None:
        """This source is not followed any more."""
        self._owed.pop(source, None)

    # When it is told.

    def pending(self) -> bool:
        """Is there something to tell?"""
        return self.feed.seq > self.seq or bool(self._owed)

    def wake(self) -> None:
        """There is news."""
        self.subscriber.wake(self)

    def rest(self) -> None:
        """To be called once nothing is pending."""
        if not self.pending():
            self.feed.asleep.add(self)

    def news(self) -> list[Source]:
        """All that has to be told, the oldest first; it counts as told from now on."""
        found = self.feed.since(self.seq)
        self.seq = self.feed.seq
        found.reverse()
        if self._owed:
            owed, self._owed = self._owed, {}
            known = set(found)
            found = [one for one in owed if one not in known] + found
        return found

    def told(self) -> None:
        """A message went out: the next one may follow after the interval."""
        if self.interval:
            now, grid = self.subscriber.events.time(), self.interval / GRID
            in_time = now - self.due < grid
            self.due = (
                self.due + self.interval
                if in_time
                else math.ceil((now + self.interval) / grid) * grid
            )

    def flush(self, now: int, end: float) -> bool:
        """Tells what there is to tell, for a while (until ``end``, loop time), and while the client
        reads. False: there is more."""
        raise NotImplementedError


class States(Subscription):
    """``state``: each state in a message of its own, at once."""

    form: Form

    def __init__(self, subscriber: Subscriber, feed: Feed, wanted: Wanted) -> None:
        #: What is being told, the next one last.
        self._todo: list[Source] = []
        super().__init__(subscriber, feed, wanted)

    def style(self, wanted: Wanted) -> None:
        self.form = self.subscriber.form(compact=wanted.compact)

    def pending(self) -> bool:
        return bool(self._todo) or super().pending()

    def forget(self, source: Source) -> None:
        super().forget(source)
        if source in self._todo:
            self._todo.remove(source)

    def flush(self, now: int, end: float) -> bool:
        subscriber, form, events = self.subscriber, self.form, self.subscriber.events
        plain = not subscriber.framing.tracked
        if self.feed.seq > self.seq or self._owed:
            # What changed meanwhile is told once, in its new place.
            self._todo = list(dict.fromkeys([*reversed(self.news()), *self._todo]))
        todo = self._todo
        while todo:
            source = todo.pop()
            if plain:
                subscriber.write(source.frame(form, now))
            else:
                subscriber.send(state_event(source.body(form, now), form.clock.write(now)))
            events.metrics.told("state")
            if subscriber.socket.paused:
                return True
            if todo and events.time() >= end:
                return False
        return True


class StateBatches(Subscription):
    """``state_batch``: all states that changed, in one message, and then none for a while."""

    form: Form

    def __init__(self, subscriber: Subscriber, feed: Feed, wanted: Wanted) -> None:
        #: What goes into the message that is being made, the next one last; and what is in it.
        self._todo: list[Source] = []
        self._bodies: dict[Source, bytes] = {}
        super().__init__(subscriber, feed, wanted)

    def style(self, wanted: Wanted) -> None:
        self.form = self.subscriber.form(compact=wanted.compact)

    def pending(self) -> bool:
        return bool(self._todo or self._bodies) or super().pending()

    def forget(self, source: Source) -> None:
        super().forget(source)
        self._bodies.pop(source, None)
        if source in self._todo:
            self._todo.remove(source)

    def flush(self, now: int, end: float) -> bool:
        subscriber, feed, events = self.subscriber, self.feed, self.subscriber.events
        key = None
        if not (self._todo or self._bodies):
            if not (self._owed or subscriber.framing.tracked):
                key = (self.seq, self.form, subscriber.wrapped)
                shared = feed.shared(key)
                if shared is not None:
                    frame, self.seq = shared
                    subscriber.write(frame)
                    self._sent()
                    return True
            self._todo = self.news()
            self._todo.reverse()
        told = self.seq
        while self._todo:
            source = self._todo.pop()
            self._bodies[source] = source.body(self.form, now)
            if self._todo and events.time() >= end:
                return False
        bodies, self._bodies = self._bodies, {}
        if not bodies:
            return True
        message = event_message(
            "state_batch",
            _listed(bodies.values(), wrapped=subscriber.wrapped),
            self.form.clock.write(now),
        )
        if key is None:
            subscriber.send(message)
        else:
            frame = PLAIN.frame(message)
            feed.share(key, frame, told)
            subscriber.write(frame)
        self._sent()
        return True

    def _sent(self) -> None:
        self.subscriber.events.metrics.told("state_batch")
        self.told()


def _listed(bodies: Iterable[bytes], *, wrapped: bool) -> bytes:
    """States as one list; ``wrapped``: each in an object of its own."""
    if not wrapped:
        return b"[%b]" % b",".join(bodies)
    between = b'},{"type":"source_state_event","state":'
    return b'[{"type":"source_state_event","state":%b}]' % between.join(bodies)
