"""Points and states: the interface of both stores, and the row that both keep.

A point's identity is source, time and content digest. ``commit`` writes a batch in one
transaction: points that cannot be repeats, points that may be (stored only if new), and the new
state of each source, which is refused when another process has taken the source over since.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec

# The row is part of this interface.
from waypost.telemetry.row import BUFFERED as BUFFERED
from waypost.telemetry.row import COLUMNS as COLUMNS
from waypost.telemetry.row import FUTURE as FUTURE
from waypost.telemetry.row import LATE as LATE
from waypost.telemetry.row import SOURCE_SHIFT as SOURCE_SHIFT
from waypost.telemetry.row import UNTIMED as UNTIMED
from waypost.telemetry.row import VALID as VALID
from waypost.telemetry.row import Block as Block
from waypost.telemetry.row import Row as Row
from waypost.telemetry.row import RowFormat as RowFormat

SOURCE, TIME, DIGEST, RECEIVED = 0, 1, 2, 3
RETENTION, FLAGS = COLUMNS.index("retention"), COLUMNS.index("flags")

#: Points per page of ``read`` unless asked otherwise.
PAGE = 5000


class StaleEpoch(Exception):
    """Other processes have claimed these sources since this one did; nothing was committed."""

    def __init__(self, source_ids: Iterable[int]) -> None:
        self.source_ids = frozenset(source_ids)
        super().__init__(f"sources claimed elsewhere: {sorted(self.source_ids)}")


class SchemaError(Exception):
    """The points database is of a newer program, or cannot be used; the text says what to do."""


class Claimed(msgspec.Struct, array_like=True):
    """A source's state as claimed: with this epoch its owner may commit."""

    source_id: int
    epoch: int
    version: int
    data: bytes | None


class StoredState(msgspec.Struct):
    source_id: int
    version: int
    data: bytes


class SourceBatch(msgspec.Struct, array_like=True):
    """What is committed for one source."""

    source_id: int
    epoch: int
    #: Its state afterwards, encoded.
    state: bytes
    #: Strictly newer than all that is stored of the source, strictly rising.
    fresh: list[Row] = []
    #: More of these, in the store's ``row_format``.
    blocks: list[Block] = []
    #: May be stored already.
    rest: list[Row] = []
    #: Without a time of their own: identified by digest alone.
    untimed: list[Row] = []


class Point(msgspec.Struct, gc=False):
    """A stored point, as read."""

    source_id: int
    time: int
    received: int
    device_time: int | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    speed: float | None
    hdop: float | None
    heading: int | None
    satellites: int | None
    flags: int
    precision: int | None
    event_id: int | None
    content: bytes | None

    @property
    def valid(self) -> bool:
        return bool(self.flags & VALID)

    @property
    def found_by(self) -> int:
        """GNSS, LBS or WIFI."""
        return (self.flags >> SOURCE_SHIFT) & 3

    def values(self) -> dict[str, Any]:
        """What the message said beside its location; cells and Wi-Fi as ``mobile_cells`` and
        ``wifi_points``."""
        return msgspec.msgpack.decode(self.content) if self.content else {}


#: Columns of ``Point``, in its order.
POINT_COLUMNS = tuple(name for name in COLUMNS if name not in ("digest", "retention"))


class Points(abc.ABC):
    """A points store. All methods may raise the engine's own errors; ask
    ``store.engine.is_unavailable`` about them."""

    #: How it takes rows in binary.
    row_format: ClassVar[RowFormat]

    @abc.abstractmethod
    async def open(self) -> None:
        """Connects, and creates or upgrades the schema. Raises :class:`SchemaError`."""

    @abc.abstractmethod
    async def close(self) -> None:
        """Ends what is under way, then closes."""

    @abc.abstractmethod
    async def claim(self, source_ids: Sequence[int], owner: str) -> dict[int, Claimed]:
        """Makes ``owner`` (a process) the only one that may commit for these sources."""

    @abc.abstractmethod
    async def commit(self, batches: Sequence[SourceBatch]) -> None:
        """Stores all of it durably, or raises and stores nothing (:class:`StaleEpoch`)."""

    @abc.abstractmethod
    async def states(self, source_ids: Sequence[int]) -> dict[int, StoredState]:
        """The states of those sources that have one."""

    @abc.abstractmethod
    async def page(
        self,
        source_id: int,
        start: int,
        end: int,
        *,
        limit: int,
        skip: int = 0,
        located: bool = False,
    ) -> list[Point]:
        """Up to ``limit`` points with ``start <= time <= end`` in the order of time, after the
        first ``skip``; ``located``: only those with a location."""

    @abc.abstractmethod
    async def newest(self, source_id: int, *, gnss: bool = True) -> Point | None:
        """The newest valid located point that does not lie in the future."""

    @abc.abstractmethod
    async def latest(self, source_id: int, limit: int) -> list[Point]:
        """The newest points that do not lie in the future, newest first."""

    @abc.abstractmethod
    async def count(self, source_id: int | None = None) -> int:
        """How many points are stored, of one source or in all."""

    @abc.abstractmethod
    async def expire(self, now: int) -> int:
        """Deletes what has outlived its retention; returns how many points (or, where whole
        partitions go, an estimate)."""

    async def read(
        self, source_id: int, start: int, end: int, *, limit: int, located: bool = False
    ) -> tuple[list[Point], bool]:
        """Points of a time range in the order of time, at most ``limit``, and whether there are
        more."""
        found: list[Point] = []
        moment, skip = start, 0
        while len(found) <= limit:
            want = min(PAGE, limit + 1 - len(found))
            page = await self.page(source_id, moment, end, limit=want, skip=skip, located=located)
            found += page
            if len(page) < want:
                break
            last = page[-1].time
            same = sum(1 for point in page if point.time == last)
            skip = same + (skip if last == moment else 0)
            moment = last
        return found[:limit], len(found) > limit
