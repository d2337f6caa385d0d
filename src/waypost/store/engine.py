"""The relational database: one small door for both engines.

``Database.begin()`` is a write transaction, ``Database.read()`` a connection for reading. On
SQLite writers queue up behind one lock (there is one process, and SQLite has one writer), so a
transaction never fails for being second.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from waypost.settings import Settings, SettingsError

RELATIONAL_FILE = "waypost.db"
POINTS_FILE = "points.db"
#: Times that turning the write-ahead log on is tried, 20 ms apart.
LOG_TRIES = 100


#: SQLSTATE classes that mean "not now": connection, resources, operator's intervention.
_SQLSTATES = ("08", "53", "57")
#: Likewise single codes: read-only (a standby), serialization failure, deadlock, a database that an
#: operator closed to connections.
_SQLSTATE = ("25006", "40001", "40P01", "55000")
#: SQLite's: what an operator, or time, can mend.
_SQLITE = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM", "PROTOCOL")


def is_unavailable(error: BaseException) -> bool:
    """Does this error mean that the database cannot be reached or cannot work now (and may be
    able to later), rather than that it refused what was asked?"""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        inner = getattr(error.orig, "__cause__", None) or error.orig
        return inner is not None and is_unavailable(inner)
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", ""))
        return name.removeprefix("SQLITE_").startswith(_SQLITE)
    if isinstance(error, OSError | asyncio.TimeoutError):
        return True
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(_SQLSTATES) or state in _SQLSTATE:
        return True
    # The client's own errors are of a lost connection, unless they are of a value it cannot send.
    client = isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError)
    return client and not isinstance(error, ValueError | TypeError)


def fault_code(error: BaseException) -> int:
    """What a caller is told of an error that is no refusal: 14 a database that is away, 1 another
    database error, 6 a fault of ours."""
    if is_unavailable(error) or isinstance(error, PoolTimeout):
        return 14
    return 1 if isinstance(error, SQLAlchemyError) else 6


def postgres_url(text: str) -> URL:
    """A PostgreSQL address as SQLAlchemy's asyncpg wants it. Raises :class:`SettingsError`."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SettingsError(f"database: not an address: {error}") from None
    if url.drivername.split("+")[0] not in ("postgresql", "postgres"):
        raise SettingsError("database: the address must begin with postgresql://")
    return url.set(drivername="postgresql+asyncpg")


def asyncpg_dsn(text: str) -> str:
    """The same address for asyncpg itself."""
    return postgres_url(text).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """The relational database. Make it with :meth:`open`."""

    def __init__(self, engine: AsyncEngine, *, sqlite: bool) -> None:
        self.engine = engine
        self.sqlite = sqlite
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, settings: Settings) -> Database:
        if settings.sqlite:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            path = settings.data_dir / RELATIONAL_FILE
            engine = create_async_engine(
                f"sqlite+aiosqlite:///{path}", pool_size=8, hide_parameters=True
            )
            _prepare_sqlite(engine)
            return cls(engine, sqlite=True)
        url = postgres_url(settings.database)
        arguments: dict[str, Any] = {"timeout": 10, "command_timeout": 60}
        options = dict(parse_qsl(url.render_as_string().partition("?")[2]))
        if "host" in options:  # a socket directory
            arguments["host"] = options["host"]
            url = url.difference_update_query(["host"])
        engine = create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=arguments,
        )
        return cls(engine, sqlite=False)

    async def close(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction: committed at the end of the block, undone if it raises."""
        if self.sqlite:
            async with self._writing, self.engine.connect() as connection:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    await connection.rollback()
                    raise
                await connection.commit()
        else:
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading only."""
        async with self.engine.connect() as connection:
            yield connection


def _turn_log_on(cursor: Any) -> None:
    """Two connections that turn the write-ahead log on at once, in a new file, would wait for
    each other; SQLite refuses one of them at once, whatever the time-out."""
    for left in reversed(range(LOG_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not left or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.02)
        else:
            return


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """SQLite as we need it: write-ahead log, durable commits, foreign keys, and transactions that
    begin where we say (the driver's own BEGIN would start readers as writers' rivals)."""

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=10000")
        _turn_log_on(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
