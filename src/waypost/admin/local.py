"""Operations where no server runs: the databases are opened for the occasion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from waypost.accounts.service import Accounts
from waypost.admin.operations.base import Admin, AdminError
from waypost.bus.base import Bus
from waypost.bus.local import LocalBus
from waypost.fleet.service import Fleet
from waypost.settings import Settings
from waypost.store.engine import POINTS_FILE, RELATIONAL_FILE, Database, asyncpg_dsn
from waypost.store.lock import lock_data
from waypost.store.migrate import migrate
from waypost.store.points import Points
from waypost.store.points_postgres import PostgresPoints
from waypost.store.points_sqlite import SqlitePoints


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Admin]:
    """What operations work with, until the end of the block. Raises :class:`AdminError` where
    there is nothing to work on, SettingsError where a server holds the data, SchemaError for a
    database of another version."""
    if settings.sqlite and not (settings.data_dir / RELATIONAL_FILE).exists():
        raise AdminError(f"there is no database in {settings.data_dir}: has the server run there?")
    async with AsyncExitStack() as stack:
        if settings.sqlite:
            stack.enter_context(lock_data(settings.data_dir))
        database = await Database.open(settings)
        stack.push_async_callback(database.close)
        await migrate(database)
        points: Points
        if settings.sqlite:
            points = SqlitePoints(settings.data_dir / POINTS_FILE)
        else:
            points = PostgresPoints(asyncpg_dsn(settings.database))
        await points.open()
        stack.push_async_callback(points.close)
        bus: Bus = LocalBus()
        if settings.nats:
            from waypost.bus.nats import NatsBus

            bus = await NatsBus.open(settings.nats)
        stack.push_async_callback(bus.close)
        accounts = Accounts(database, settings, bus)
        await accounts.start()
        stack.push_async_callback(accounts.close)
        fleet = await Fleet.open(database, points, bus, settings)
        stack.push_async_callback(fleet.close)
        yield Admin(settings, database, bus, points, accounts, fleet)
