"""What one client follows of one kind, and what it has not been told yet.

Only *that* a source changed is remembered, not how: whoever reads slowly, or wants batches, gets
the newest state of each source once, however often it changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from waypost.fleet.rows import TrackerRow
from waypost.fleet.trackers import Garage
from waypost.live.messages import Wanted
from waypost.live.sources import Form, Source, state_event

if TYPE_CHECKING:
    from waypost.live.subscriber import Subscriber


class Subscription:
    """One kind of events for one client."""

    #: Is the client told when trackers are blocked, unblocked or gone?
    lifecycle = True

    def __init__(self, subscriber: Subscriber, wanted: Wanted) -> None:
        self.subscriber = subscriber
        self.event = wanted.type
        self.all = False
        self.trackers: set[int] = set()
        self.tags: set[int] = set()
        #: Of all, but these.
        self.excluded: set[int] = set()
        #: Seconds between two messages, and when the next one may go out (loop time).
        self.interval = 0.0
        self.due = 0.0
        #: What is followed: the source, and the tracker that shows it to this user.
        self.shown: dict[Source, TrackerRow] = {}
        #: Sources with news, in the order in which they came.
        self.dirty: dict[Source, None] = {}
        self.extend(wanted)

    # What is wanted.

    def extend(self, wanted: Wanted) -> None:
        """More trackers; how they are shown is as said last, and shown once more."""
        if wanted.all:
            self.all = True
            self.excluded.clear()
        self.trackers.update(wanted.trackers)
        self.excluded.difference_update(wanted.trackers)
        self.tags.update(wanted.tags)
        self._wanted = wanted
        self.interval = wanted.interval / 1000
        self.due = 0.0
        self.style(wanted)

    def restyle(self) -> None:
        """The user sees things otherwise now: another time zone, other units."""
        self.style(self._wanted)

    def reduce(self, wanted: Wanted) -> bool:
        """Fewer trackers; False: nothing is left."""
        if wanted.all:
            return False
        self.trackers.difference_update(wanted.trackers)
        self.tags.difference_update(wanted.tags)
        if self.all:
            self.excluded.update(wanted.trackers)
        return self.all or bool(self.trackers or self.tags)

    def style(self, wanted: Wanted) -> None:
        """How trackers are shown from now on."""
        raise NotImplementedError

    def chosen(self, garage: Garage) -> Iterable[TrackerRow]:
        """The trackers that are meant, of those that the user sees."""
        if self.all:
            return (row for row in garage.trackers if row.id not in self.excluded)
        by_id = garage.by_id
        found = {one: by_id[one] for one in sorted(self.trackers) if one in by_id}
        if self.tags:
            for row in garage.trackers:
                if any(binding.tag_id in self.tags for binding in row.tag_bindings):
                    found[row.id] = row
        return found.values()

    # What is followed.

    def show(self, rows: Mapping[int, TrackerRow]) -> None:
        """From now on these, by the ids of their sources."""
        sources = self.subscriber.events.sources
        before = {source.id: source for source in self.shown}
        for source_id, source in before.items():
            if source_id not in rows:
                self._drop(source)
        for source_id, row in rows.items():
            known = before.get(source_id)
            if known is None:
                source = sources.follow(row, self)
                self.shown[source] = row
            elif self.shown[known] is not row:
                self.shown[known] = row
                sources.renew(known, row)

    def end(self) -> None:
        """Follows nothing any more."""
        for source in list(self.shown):
            self._drop(source)

    def _drop(self, source: Source) -> None:
        del self.shown[source]
        self.dirty.pop(source, None)
        self.forget(source)
        self.subscriber.events.sources.unfollow(source, self)

    def forget(self, source: Source) -> None:
        """This source is not followed any more."""

    def mark(self, source: Source) -> None:
        """There is news of a source."""
        if source in self.dirty:
            self.subscriber.events.metrics.coalesced += 1
            return
        self.dirty[source] = None
        self.subscriber.wake(self)

    def mark_all(self) -> None:
        """Everything is told once more."""
        for source in self.shown:
            if source.known is not None:
                self.dirty[source] = None
        self.subscriber.wake(self)

    @property
    def pending(self) -> bool:
        return bool(self.dirty)

    # What is told.

    def flush(self, now: int, end: float) -> bool:
        """Tells what there is to tell, for a while (until ``end``, loop time), and while the client
        reads. False: there is more."""
        raise NotImplementedError


class States(Subscription):
    """``state``: each state in a message of its own, at once."""

    form: Form

    def style(self, wanted: Wanted) -> None:
        self.form = self.subscriber.form(compact=wanted.compact)

    def flush(self, now: int, end: float) -> bool:
        subscriber, form, dirty = self.subscriber, self.form, self.dirty
        plain = not subscriber.framing.tracked
        time = subscriber.events.time
        while dirty:
            source = next(iter(dirty))
            del dirty[source]
            if plain:
                subscriber.write(source.frame(form, now))
            else:
                subscriber.send(state_event(source.body(form, now), form.clock.write(now)))
            subscriber.events.metrics.told("state")
            if subscriber.socket.paused:
                return True
            if time() >= end:
                return not dirty
        return True


class StateBatches(Subscription):
    """``state_batch``: all states that changed, in one message, and then none for a while."""

    form: Form

    def __init__(self, subscriber: Subscriber, wanted: Wanted) -> None:
        self._bodies: dict[Source, bytes] = {}
        super().__init__(subscriber, wanted)

    def style(self, wanted: Wanted) -> None:
        self.form = self.subscriber.form(compact=wanted.compact)
        self._bodies = {}

    def forget(self, source: Source) -> None:
        self._bodies.pop(source, None)

    @property
    def pending(self) -> bool:
        return bool(self.dirty or self._bodies)

    def flush(self, now: int, end: float) -> bool:
        subscriber, dirty, bodies = self.subscriber, self.dirty, self._bodies
        time = subscriber.events.time
        while dirty:
            source = next(iter(dirty))
            del dirty[source]
            bodies[source] = source.body(self.form, now)
            if dirty and time() >= end:
                return False
        if not bodies:
            return True
        self._bodies = {}
        self.due = time() + self.interval
        between, first, last = b",", b"[", b"]"
        if subscriber.wrapped:
            first = b'[{"type":"source_state_event","state":'
            between = b'},{"type":"source_state_event","state":'
            last = b"}]"
        subscriber.send_event(
            "state_batch", first + between.join(bodies.values()) + last, self.form.clock.write(now)
        )
        return True
