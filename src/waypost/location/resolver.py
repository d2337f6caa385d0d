"""Where surroundings are: by the table of cells, or by the provider.

The table costs nothing, so cells are looked up there first. Access points are for the provider: it
is asked where a device hears enough of them, because they tell where it is to a few metres, and
where the table does not know the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from waypost.location.errors import NotNow
from waypost.location.position import Place, place
from waypost.location.surroundings import LEAST_POINTS, Surroundings
from waypost.location.table import FILE, CellTable
from waypost.settings import Settings
from waypost.telemetry.message import LBS, WIFI

if TYPE_CHECKING:
    from waypost.location.geolocate import Geolocate


class Found(msgspec.Struct, frozen=True):
    """A position, and how it was found: ``LBS`` or ``WIFI`` of ``telemetry.message``."""

    place: Place
    source: int = LBS


class Resolver:
    """One per process. ``ready``: there is something to look positions up with."""

    def __init__(self, settings: Settings) -> None:
        self._table = CellTable(settings.data_dir / FILE)
        self.provider: Geolocate | None = None
        if settings.location_url:
            from waypost.location.geolocate import Geolocate

            self.provider = Geolocate(settings)

    async def close(self) -> None:
        await self._table.close()
        if self.provider is not None:
            await self.provider.close()

    @property
    def ready(self) -> bool:
        return self.provider is not None or self._table.there

    async def by_table(self, many: Sequence[Surroundings]) -> list[Found | None]:
        """What the table says of each."""
        found: list[Found | None] = []
        for known in await self._table.find([around.cells for around in many]):
            where = place(known)
            found.append(None if where is None else Found(where))
        return found

    def asks_provider(self, around: Surroundings, found: Found | None) -> bool:
        """Would the provider say more than the table, which said ``found``?"""
        if self.provider is None:
            return False
        return found is None or len(around.wifi) >= LEAST_POINTS

    async def by_provider(self, around: Surroundings) -> Found | None:
        """What the provider says. Raises :class:`~waypost.location.errors.NotNow`."""
        if self.provider is None:
            return None
        where = await self.provider.find(around)
        if where is None:
            return None
        return Found(where, WIFI if len(around.wifi) >= LEAST_POINTS else LBS)

    async def find(self, around: Surroundings) -> Found | None:
        """What both say together; None: neither knows. Raises
        :class:`~waypost.location.errors.NotNow` where only the provider could tell."""
        (found,) = await self.by_table([around])
        if not self.asks_provider(around, found):
            return found
        try:
            return await self.by_provider(around) or found
        except NotNow:
            if found is None:
                raise
            return found
