"""The fleet as one service: what actions, jobs and the command line work with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.bus.base import Bus
from waypost.fleet.changes import Changes
from waypost.fleet.long_lists import LongLists
from waypost.fleet.server_address import Addresses
from waypost.fleet.states import States
from waypost.fleet.trackers import Trackers
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.points import Points


class Write(msgspec.Struct, frozen=True):
    """A transaction under way, and what it has touched so far."""

    connection: AsyncConnection
    changes: Changes


class Fleet:
    """One per process. Make it with :meth:`open`."""

    def __init__(
        self,
        database: Database,
        points: Points,
        bus: Bus,
        settings: Settings,
        trackers: Trackers,
        states: States,
        long_lists: LongLists,
        addresses: Addresses,
    ) -> None:
        self.database = database
        self.points = points
        self.bus = bus
        self.settings = settings
        self.trackers = trackers
        self.states = states
        self.long_lists = long_lists
        self.addresses = addresses

    @classmethod
    async def open(cls, database: Database, points: Points, bus: Bus, settings: Settings) -> Fleet:
        trackers = await Trackers.open(database, bus, settings)
        states = States(points, bus, single_process=settings.single_process)
        await states.start()
        long_lists = await LongLists.open(database, bus)
        addresses = await Addresses.open(bus, settings)
        return cls(database, points, bus, settings, trackers, states, long_lists, addresses)

    async def close(self) -> None:
        await self.addresses.close()
        await self.long_lists.close()
        await self.states.close()
        await self.trackers.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Write]:
        """A transaction; what it says it changed is announced after the commit."""
        changes = Changes()
        try:
            async with self.database.begin() as connection:
                yield Write(connection, changes)
        finally:
            # After a failure too: the commit itself may have come through unheard.
            self.long_lists.announce(changes)
            self.trackers.announce(changes)
