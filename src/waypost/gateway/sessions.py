"""Which devices are connected here: by what they say they are, and by source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from waypost.gateway.identity import Identified as Connection


class Session(msgspec.Struct):
    """A connected device, as people see it. Times in ms since 1970."""

    device_id: str
    source_id: int | None
    protocol: str
    transport: str
    address: str
    since: int
    last_seen: int
    #: Packets that are not acknowledged yet.
    unacknowledged: int
    #: Another connection of the same device is newer.
    superseded: bool


class Sessions:
    """The connections whose device said who it is."""

    def __init__(self) -> None:
        self._all: set[Connection] = set()
        self._by_source: dict[int, list[Connection]] = {}

    def add(self, connection: Connection) -> None:
        """The device said who it is; whether it is registered is not known yet."""
        self._all.add(connection)

    def discard(self, connection: Connection) -> None:
        self._all.discard(connection)

    def know(self, connection: Connection, source_id: int) -> None:
        """The device is registered: this is the newest connection of its source."""
        self._by_source.setdefault(source_id, []).append(connection)

    def forget_source(self, connection: Connection, source_id: int) -> None:
        here = self._by_source.get(source_id)
        if here is not None and connection in here:
            here.remove(connection)
            if not here:
                del self._by_source[source_id]

    def of_source(self, source_id: int) -> list[Connection]:
        """Connections of this source, oldest first."""
        return list(self._by_source.get(source_id, ()))

    @property
    def source_ids(self) -> list[int]:
        """The registered devices that are connected."""
        return list(self._by_source)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Session]:
        """Every connected device, registered or not."""
        for connection in tuple(self._all):
            yield self._describe(connection)

    def find(self, device_id: str) -> list[Session]:
        """The sessions of the device that is registered as, or calls itself, so."""
        return [
            self._describe(connection)
            for connection in self._all
            if connection.device_id == device_id or device_id in connection.ids
        ]

    def _describe(self, connection: Connection) -> Session:
        record = connection.record
        newest = self._by_source.get(record.source_id, ()) if record is not None else ()
        return Session(
            device_id=connection.device_id or "",
            source_id=record.source_id if record is not None else None,
            protocol=connection.protocol.name,
            transport=connection.protocol.transport.value,
            address=connection.address,
            since=connection.since,
            last_seen=connection.last_seen,
            unacknowledged=len(connection.pending),
            superseded=connection.superseded or bool(newest and newest[-1] is not connection),
        )
