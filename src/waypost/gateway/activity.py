"""When devices connected, and what happened to them that people should see: written in batches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, insert, update

from waypost.gateway.batch import Batch, comes_back
from waypost.store.engine import Database
from waypost.store.tables import device_events, sources

#: Seconds between two writes.
INTERVAL = 0.2

_TOUCH = (
    update(sources)
    .where(sources.c.id == bindparam("b_source"), sources.c.device_id == bindparam("b_device"))
    .values(
        last_connection_at=bindparam("b_at"),
        connected_at=func.coalesce(sources.c.connected_at, bindparam("b_at")),
    )
)


class Activity(Batch):
    """Keeps ``sources.connected_at`` and ``last_connection_at``, and adds ``device_events``."""

    def __init__(self, database: Database) -> None:
        super().__init__("activity", INTERVAL)
        self._database = database
        #: The device id goes along: a source that another device took over in the meantime must
        #: not seem to have connected.
        self._touched: dict[tuple[int, str], int] = {}
        self._events: list[dict[str, Any]] = []

    def touch(self, source_id: int, device_id: str, now: int) -> None:
        """The device is connected at ``now`` (ms)."""
        self._touched[source_id, device_id] = now
        self.wake()

    def event(self, source_id: int, kind: str, text: str, now: int) -> None:
        """Something that people should see happened to the device."""
        self._events.append({"source_id": source_id, "at": now, "kind": kind, "text": text})
        self.wake()

    async def write(self) -> None:
        touched, self._touched = self._touched, {}
        events, self._events = self._events, []
        try:
            async with self._database.begin() as connection:
                if touched:
                    rows = [
                        {"b_source": source_id, "b_device": device_id, "b_at": at}
                        for (source_id, device_id), at in sorted(touched.items())
                    ]
                    await connection.execute(_TOUCH, rows)
                if events:
                    await connection.execute(insert(device_events), events)
        except BaseException as error:
            if comes_back(error):
                self._touched = {**touched, **self._touched}
                self._events = events + self._events
            raise
