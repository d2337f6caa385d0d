"""The inbox: devices that report and that nobody registered.

Noted in memory and written a few times a second at most. Registering an id takes it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, case, delete, func, not_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from waypost.clock import now_ms
from waypost.gateway.batch import Batch, comes_back
from waypost.store.engine import Database
from waypost.store.tables import inbox, sources

if TYPE_CHECKING:
    from waypost.gateway.identity import Identified
    from waypost.telemetry.message import Message

#: Seconds between two writes.
INTERVAL = 0.3
#: Rows in one statement.
CHUNK = 200


class Stranger(msgspec.Struct):
    """A device that nobody registered. Times in ms since 1970; ``model`` is what it says of its
    make; the position is its newest and may be missing."""

    device_id: str
    protocol: str
    model: str | None
    address: str
    first_seen_at: int
    last_seen_at: int
    #: How often it said something (log-ins and packets).
    count: int
    latitude: float | None = None
    longitude: float | None = None
    position_at: int | None = None


class Inbox(Batch):
    """Makes and reads the table ``inbox``; ``size`` rows at most, the oldest go."""

    def __init__(self, database: Database, size: int) -> None:
        super().__init__("inbox", INTERVAL)
        self._database = database
        self._size = size
        self._seen: dict[tuple[str, str], Stranger] = {}
        self._claimed: set[str] = set()

    def note(self, connection: Identified, device_id: str, message: Message | None) -> None:
        """The device said something; ``message`` is one with its position."""
        now = now_ms()
        protocol = connection.protocol.name
        self._claimed.discard(device_id)
        stranger = self._seen.get((device_id, protocol))
        if stranger is None:
            if len(self._seen) >= self._size:
                self._seen.pop(next(iter(self._seen)))
            stranger = Stranger(device_id, protocol, None, connection.address, now, now, 0)
            self._seen[device_id, protocol] = stranger
        stranger.last_seen_at = now
        stranger.address = connection.address
        stranger.count += 1
        stranger.model = connection.model or stranger.model
        if message is not None:
            at = message.time if message.time is not None else now
            if stranger.position_at is None or at >= stranger.position_at:
                stranger.latitude = message.latitude
                stranger.longitude = message.longitude
                stranger.position_at = at
        self.wake()

    def claimed(self, device_ids: Iterable[str], *, shown: bool) -> None:
        """The device that calls itself so is registered; ``shown``: its connection was noted here
        before (registering took it out, but what was noted since may have been written)."""
        found = shown
        for key in [key for key in self._seen if key[0] in device_ids]:
            del self._seen[key]
            found = True
        if found:
            self._claimed.update(device_ids)
            self.wake()

    async def read(self, *, limit: int = 1000, offset: int = 0) -> list[Stranger]:
        """Who is in the inbox, the newest first."""
        query = (
            select(inbox)
            .where(not_(_registered()))
            .order_by(inbox.c.last_seen_at.desc(), inbox.c.device_id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Stranger(**row) for row in rows]

    async def write(self) -> None:
        seen, self._seen = self._seen, {}
        claimed, self._claimed = self._claimed, set()
        try:
            await self._store([seen[key] for key in sorted(seen)], sorted(claimed))
        except BaseException as error:
            if not comes_back(error):
                raise
            for key, stranger in seen.items():
                newer = self._seen.get(key)
                if newer is None:
                    self._seen[key] = stranger
                else:
                    newer.first_seen_at = stranger.first_seen_at
                    newer.count += stranger.count
            self._claimed |= claimed
            raise

    async def _store(self, seen: list[Stranger], claimed: list[str]) -> None:
        insert = sqlite.insert if self._database.sqlite else postgresql.insert
        async with self._database.begin() as connection:
            for start in range(0, len(seen), CHUNK):
                rows = [msgspec.structs.asdict(one) for one in seen[start : start + CHUNK]]
                statement = insert(inbox).values(rows)
                await connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[inbox.c.device_id, inbox.c.protocol],
                        set_=_merged(statement.excluded),
                    )
                )
            for start in range(0, len(claimed), CHUNK):
                some = claimed[start : start + CHUNK]
                await connection.execute(delete(inbox).where(inbox.c.device_id.in_(some)))
            if seen:
                await self._shorten(connection)

    async def _shorten(self, connection: Any) -> None:
        newest_first = (
            select(inbox.c.last_seen_at, inbox.c.device_id)
            .order_by(inbox.c.last_seen_at.desc(), inbox.c.device_id.desc())
            .offset(self._size)
            .limit(1)
        )
        first_out = (await connection.execute(newest_first)).first()
        if first_out is not None:
            key = tuple_(inbox.c.last_seen_at, inbox.c.device_id)
            await connection.execute(delete(inbox).where(key <= tuple(first_out)))


def _registered() -> ColumnElement[bool]:
    return (
        select(sources.c.id)
        .where(sources.c.device_id == inbox.c.device_id)
        .correlate(inbox)
        .exists()
    )


def _merged(new: Any) -> dict[str, Any]:
    """What becomes of a row that meets a newer one."""
    newer = and_(
        new.position_at.is_not(None),
        or_(inbox.c.position_at.is_(None), new.position_at >= inbox.c.position_at),
    )
    merged: dict[str, Any] = {
        "model": func.coalesce(new.model, inbox.c.model),
        "address": new.address,
        "last_seen_at": new.last_seen_at,
        "count": inbox.c.count + new["count"],
    }
    for name in ("latitude", "longitude", "position_at"):
        merged[name] = case((newer, new[name]), else_=inbox.c[name])
    return merged
