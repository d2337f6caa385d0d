"""A fleet on either engine: a dealer, a tariff, two users, and the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fleet_yard import NOON, Yard
from sqlalchemy import insert

from waypost.bus.local import LocalBus
from waypost.fleet.service import Fleet
from waypost.parts import points_store
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.migrate import migrate
from waypost.store.tables import dealers, tariffs, users


@pytest.fixture
async def yard(database_url: str, data_dir: Path) -> AsyncIterator[Yard]:
    settings = Settings(data_dir=data_dir, database=database_url)
    database = await Database.open(settings)
    await migrate(database)
    points = points_store(settings)
    await points.open()
    bus = LocalBus()
    fleet = await Fleet.open(database, points, bus, settings)
    yard = Yard(fleet)

    async def add(table: Any, **values: Any) -> int:
        async with database.begin() as connection:
            made = await connection.execute(insert(table).values(values).returning(table.c.id))
            return int(made.scalar_one())

    dealer_id = await add(dealers, title="Dealer", created_at=NOON)
    await add(tariffs, dealer_id=dealer_id, name="Default")
    yard.dealer_id = dealer_id
    for name in ("one", "other"):
        yard.users[name] = await add(
            users,
            dealer_id=dealer_id,
            login=f"{name}@example.org",
            password_hash="-",
            created_at=NOON,
        )
    yield yard
    await fleet.close()
    await bus.close()
    await points.close()
    await database.close()
