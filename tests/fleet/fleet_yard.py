"""What the fleet's tests work with."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from waypost.accounts.model import User
from waypost.fleet.corrupt import corrupt
from waypost.fleet.locking import locked_row
from waypost.fleet.outgoing import Outbox
from waypost.fleet.register import NewDevice, register
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Fleet, Write

NOON = 1_709_985_600_000


class Yard:
    """A fleet and its users."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.dealer_id = 0
        self.users: dict[str, int] = {}

    async def register(self, device_id: str, who: str = "one", **fields: object) -> TrackerRow:
        new = NewDevice(
            **{"label": "Truck", "model": "telfmb120", "device_id": device_id, **fields}  # type: ignore[arg-type]
        )
        async with self.fleet.write() as write:
            outbox = self.outbox(write)
            return await register(outbox, self.users[who], new)

    def outbox(self, write: Write) -> Outbox:
        fleet = self.fleet
        return Outbox(write=write, settings=fleet.settings, addresses=fleet.addresses, now=NOON)

    async def corrupt(self, row: TrackerRow, *, with_clones: bool = False) -> None:
        async with self.fleet.write() as write:
            outbox = self.outbox(write)
            await corrupt(outbox, await self.locked(write, row), with_clones=with_clones)

    async def locked(self, write: Write, row: TrackerRow) -> TrackerRow:
        """``row`` as it is now, its source locked, as the API hands it to the fleet."""
        found = await locked_row(write.connection, row)
        assert found is not None
        return found

    def user(self, name: str = "one") -> User:
        return User(
            id=self.users[name],
            dealer_id=self.dealer_id,
            master_id=None,
            login=name,
            time_zone="UTC",
            zone=ZoneInfo("UTC"),
            locale="en_US",
            measurement_system="metric",
        )
