"""The relational schema: made, upgraded, or refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text

from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.migrate import migrate, upgrade
from waypost.store.points import SchemaError
from waypost.store.tables import dealers, metadata


@pytest.fixture
async def database(database_url: str, data_dir: Path) -> AsyncIterator[Database]:
    opened = await Database.open(Settings(database=database_url, data_dir=data_dir))
    yield opened
    await opened.close()


async def test_the_steps_make_the_tables_of_the_program(database: Database) -> None:
    await migrate(database)
    await migrate(database)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
        ours = {table.name for table in metadata.tables.values()}
        return [d for d in found if not (d[0] == "remove_table" and d[1].name not in ours)]

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_interrupted_upgrade_leaves_nothing(database: Database) -> None:
    def upgrade_and_fail(connection: Connection) -> None:
        upgrade(connection)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        async with database.begin() as connection:
            await connection.run_sync(upgrade_and_fail)
    async with database.read() as connection:
        assert await connection.run_sync(lambda c: inspect(c).get_table_names()) == []
    await migrate(database)
    async with database.begin() as connection:
        await connection.execute(insert(dealers).values(title="x", created_at=1))


async def test_a_newer_database_is_refused(database: Database) -> None:
    await migrate(database)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer Waypost"):
        await migrate(database)


async def test_tables_of_unknown_version_are_refused(database: Database) -> None:
    await migrate(database)
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SchemaError, match="does not say"):
        await migrate(database)


async def test_two_processes_that_start_together_take_turns(
    database_url: str, data_dir: Path
) -> None:
    settings = Settings(database=database_url, data_dir=data_dir)
    both = [await Database.open(settings) for _ in range(2)]
    await asyncio.gather(*(migrate(one) for one in both))
    for one in both:
        async with one.read() as connection:
            assert (await connection.execute(select(dealers))).all() == []
        await one.close()
