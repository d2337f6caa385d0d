"""The parts that a server and the command line without one have in common, put together once."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack

import asyncpg
import msgspec
import structlog
from nats.errors import Error as NatsError
from sqlalchemy.exc import DBAPIError

from waypost.accounts.service import Accounts
from waypost.bus.base import Bus
from waypost.bus.local import LocalBus
from waypost.fleet.service import Fleet
from waypost.settings import Settings, SettingsError
from waypost.store.engine import POINTS_FILE, Database, asyncpg_dsn
from waypost.store.lock import lock_data, make_data_dir
from waypost.store.migrate import migrate
from waypost.store.points import Points
from waypost.store.points_postgres import PostgresPoints
from waypost.store.points_sqlite import SqlitePoints

log = structlog.get_logger()


class Parts(msgspec.Struct):
    """Open stores, the bus, and what stands on them."""

    database: Database
    points: Points
    bus: Bus
    accounts: Accounts
    fleet: Fleet


async def open_parts(settings: Settings, stack: AsyncExitStack) -> Parts:
    """Opens all of it; ``stack`` closes it again, in the opposite order. Raises
    :class:`SettingsError` for a database or bus that cannot be reached or is in use,
    :class:`waypost.store.points.SchemaError` for one of another version."""
    make_data_dir(settings.data_dir)
    if settings.sqlite:
        stack.enter_context(lock_data(settings.data_dir))
    database = await Database.open(settings)
    stack.push_async_callback(database.close)
    points = points_store(settings)
    try:
        await migrate(database)
        await points.open()
    except (OSError, TimeoutError) as error:
        raise SettingsError(f"database: cannot be reached: {error}") from None
    except (DBAPIError, sqlite3.Error, asyncpg.PostgresError) as error:
        log.debug("database_fault", exc_info=error)
        said = error.orig if isinstance(error, DBAPIError) else error
        place = f"{settings.data_dir}: " if settings.sqlite else ""
        raise SettingsError(f"database: cannot be opened: {place}{said}") from None
    stack.push_async_callback(points.close)
    bus = await _open_bus(settings)
    stack.push_async_callback(bus.close)
    accounts = Accounts(database, settings, bus)
    await accounts.start()
    stack.push_async_callback(accounts.close)
    fleet = await Fleet.open(database, points, bus, settings)
    stack.push_async_callback(fleet.close)
    return Parts(database, points, bus, accounts, fleet)


def points_store(settings: Settings) -> Points:
    """The points store that ``settings`` name, to be opened."""
    if settings.sqlite:
        return SqlitePoints(settings.data_dir / POINTS_FILE)
    return PostgresPoints(asyncpg_dsn(settings.database))


async def _open_bus(settings: Settings) -> Bus:
    if not settings.nats:
        return LocalBus()
    from waypost.bus.nats import NatsBus

    try:
        return await NatsBus.open(settings.nats)
    except (OSError, NatsError) as error:
        raise SettingsError(f"nats: {settings.nats} cannot be reached: {error}") from None
