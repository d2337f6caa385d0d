"""What the fleet's tests work with."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from waypost.accounts.model import User
from waypost.fleet.register import NewDevice, register
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Fleet

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
            return await register(write, self.users[who], new, self.fleet.settings, NOON)

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
