"""What is submitted: messages of a source, on their way to rows and a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from waypost.ingest.rows import packet_rows
from waypost.store.points import Claimed
from waypost.telemetry.folding import Folding
from waypost.telemetry.message import Message
from waypost.telemetry.state import State, decode_state, fold_packet

Done = Callable[[BaseException | None], None]


class LiveSource:
    """A source that this process owns: its epoch and its state, folded ahead of the commit."""

    __slots__ = (
        "epoch",
        "folding",
        "retention",
        "source_id",
        "state",
        "users",
        "version",
        "waiting",
    )

    def __init__(self, claimed: Claimed, retention: int, folding: Folding | None = None) -> None:
        self.source_id = claimed.source_id
        self.retention = retention
        #: How its messages are read, where it is not the common way.
        self.folding = folding
        self.users = 0
        #: Submissions not yet committed.
        self.waiting = 0
        self.renew(claimed)

    def renew(self, claimed: Claimed) -> None:
        """Starts over from what is stored."""
        self.epoch = claimed.epoch
        self.version = claimed.version
        self.state = decode_state(claimed.data) if claimed.data else State()


class Submission:
    """What one call of ``submit`` brought, with its rows by how they go in."""

    __slots__ = (
        "block",
        "done",
        "fresh",
        "live",
        "messages",
        "received",
        "rest",
        "unlocated",
        "untimed",
    )

    def __init__(
        self,
        live: LiveSource,
        messages: Sequence[Message],
        received: int,
        done: Done,
    ) -> None:
        self.live = live
        self.messages = messages
        self.received = received
        self.done = done

    def prepare(self) -> None:
        """Rows, sorted by whether they can be repeats, and the state folded, in the order of the
        source's submissions; again after a failed commit, from the state that is really stored."""
        live, received = self.live, self.received
        state = live.state
        newest = state.newest if state.newest is not None else -1
        rows = packet_rows(self.messages, live.source_id, live.retention, received, newest)
        if rows.newest >= 0:
            state.newest = rows.newest
        self.fresh, self.block = rows.fresh, rows.block
        self.rest, self.untimed = rows.rest, rows.untimed
        self.unlocated = rows.unlocated
        fold_packet(state, self.messages, received, live.folding)
