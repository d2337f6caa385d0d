"""The newest states of sources, kept in memory for readers.

What ingest commits comes by the bus. In one process nothing gets lost on the way, so what is here
is right; between processes a hint may be missed, so an entry is asked for again after a second.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import msgspec

from waypost.bus.base import Bus, Subscription
from waypost.store.points import Points, StoredState
from waypost.telemetry.state import State, decode_state

#: Sources remembered at most; those asked for longest ago go first.
LIMIT = 200_000
#: How long an entry is believed where other processes write, seconds.
TRUST = 1.0

_decode = msgspec.msgpack.Decoder(tuple[int, bytes]).decode


class Known:
    """A source's state as last heard; ``version`` 0 and no state: it has never reported."""

    __slots__ = ("_data", "_state", "checked", "version")

    def __init__(self, version: int, data: bytes | None, checked: float | None) -> None:
        self.version = version
        #: When the database was last asked (monotonic seconds); None: it is being asked, or
        #: this entry is forgotten.
        self.checked = checked
        self._data = data
        self._state: State | None = None

    @property
    def state(self) -> State | None:
        if self._state is None and self._data is not None:
            self._state = decode_state(self._data)
            self._data = None
        return self._state

    def renew(self, version: int, data: bytes) -> bool:
        """True: this was newer."""
        if version <= self.version:
            return False
        self.version, self._data, self._state = version, data, None
        return True


class States:
    """Reads states through memory."""

    def __init__(self, points: Points, bus: Bus, *, single_process: bool) -> None:
        self._points = points
        self._bus = bus
        self._single = single_process
        self._known: OrderedDict[int, Known] = OrderedDict()
        self._watchers: list[Callable[[int], None]] = []
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._subscription = await self._bus.subscribe("state.*", self._heard)

    async def close(self) -> None:
        if self._subscription is not None:
            await self._subscription.close()

    def _heard(self, subject: str, payload: bytes) -> None:
        source_id = int(subject[6:])
        known = self._known.get(source_id)
        if known is not None:
            version, data = _decode(payload)
            self._renew(source_id, known, version, data)

    def _renew(self, source_id: int, known: Known, version: int, data: bytes) -> None:
        if known.renew(version, data):
            for changed in self._watchers:
                changed(source_id)

    def watch(self, changed: Callable[[int], None]) -> Callable[[], None]:
        """``changed(source_id)`` is called, at once, whenever an entry of this memory is renewed:
        its source was asked for before (:meth:`get`), and its :class:`Known` is up to date. Returns
        what ends it."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    @property
    def believed_from(self) -> float:
        """An entry is believed if it was checked since this moment (monotonic seconds)."""
        return float("-inf") if self._single else time.monotonic() - TRUST

    def peek(self, source_id: int) -> Known | None:
        """What memory holds of a source, if that can be believed now."""
        known = self._known.get(source_id)
        if known is None or known.checked is None:
            return None
        return known if known.checked >= self.believed_from else None

    async def one(self, source_id: int) -> Known:
        """The state of a source."""
        known = self.peek(source_id)
        return known if known is not None else (await self.get((source_id,)))[source_id]

    async def get(self, source_ids: Iterable[int]) -> dict[int, Known]:
        """The states of all these sources, from memory where it has them, the rest with one
        query."""
        found: dict[int, Known] = {}
        missing: list[int] = []
        for source_id in source_ids:
            known = self.peek(source_id)
            if known is None:
                missing.append(source_id)
            else:
                found[source_id] = known
        if missing:
            checked = time.monotonic()
            # An entry is there before the query, so that a commit during it is heard.
            for source_id in missing:
                self._known.setdefault(source_id, Known(0, None, None))
            stored = await self._points.states(missing)
            for source_id in missing:
                found[source_id] = self._take(source_id, stored.get(source_id), checked)
        return found

    def _take(self, source_id: int, row: StoredState | None, checked: float) -> Known:
        known = self._known.setdefault(source_id, Known(0, None, checked))
        known.checked = checked
        if row is not None:
            self._renew(source_id, known, row.version, row.data)
        self._known.move_to_end(source_id)
        while len(self._known) > LIMIT:
            # Whoever still holds it must see that it is not kept right any more.
            self._known.popitem(last=False)[1].checked = None
        return known
