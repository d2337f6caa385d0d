"""A till on either engine: a dealer, tariffs, users, and the job that takes fees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from till import NOON, Till

from waypost.bus.local import LocalBus
from waypost.fleet.service import Fleet
from waypost.settings import Settings
from waypost.store.engine import POINTS_FILE, Database
from waypost.store.points_sqlite import SqlitePoints
from waypost.store.tables import dealers, metadata


@pytest.fixture
def folder(data_dir: Path) -> Path:
    data_dir.mkdir()
    return data_dir


@pytest.fixture
async def till(database_url: str, folder: Path) -> AsyncIterator[Till]:
    settings = Settings(data_dir=folder, database=database_url)
    database = await Database.open(settings)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
        made = await connection.execute(
            insert(dealers).values(title="Dealer", created_at=NOON).returning(dealers.c.id)
        )
    points = SqlitePoints(folder / POINTS_FILE)  # nothing here reads points
    await points.open()
    bus = LocalBus()
    fleet = await Fleet.open(database, points, bus, settings)
    yield Till(fleet, made.scalar_one())
    await fleet.close()
    await bus.close()
    await points.close()
    await database.close()
