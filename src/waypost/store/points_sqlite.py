"""Points and states in SQLite: one file, one writer thread, a few reader threads.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk when it returns. Rows go in by
many per statement, which also lets the event loop run while SQLite works.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from waypost.store.points import (
    COLUMNS,
    DIGEST,
    FUTURE,
    POINT_COLUMNS,
    RECEIVED,
    SOURCE,
    SOURCE_SHIFT,
    VALID,
    Claimed,
    Point,
    Points,
    Row,
    SchemaError,
    SourceBatch,
    StaleEpoch,
    StoredState,
)

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE points (
    source_id INTEGER NOT NULL, time INTEGER NOT NULL, digest INTEGER NOT NULL,
    received INTEGER NOT NULL, device_time INTEGER, latitude REAL, longitude REAL,
    altitude REAL, speed REAL, hdop REAL, retention INTEGER NOT NULL, heading INTEGER,
    satellites INTEGER, flags INTEGER NOT NULL, precision INTEGER, event_id INTEGER, content BLOB
);
CREATE UNIQUE INDEX points_identity ON points (source_id, time, digest);
CREATE TABLE untimed (
    source_id INTEGER NOT NULL, digest INTEGER NOT NULL, received INTEGER NOT NULL,
    PRIMARY KEY (source_id, digest)
) WITHOUT ROWID;
CREATE TABLE states (
    source_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL,
    version INTEGER NOT NULL, data BLOB
);
"""

#: Rows of one statement: each is a change of threads, so that few should do for any number of rows;
#: but while the values of one are bound, nobody else gets the interpreter, and people wait.
ROWS_PER_STATEMENT = (64, 32, 16, 8, 4, 2, 1)
#: Columns that hardly any row has.
RARE = ("device_time", "precision", "event_id")
USUAL = tuple(name for name in COLUMNS if name not in RARE)


def _inserts(columns: Sequence[str]) -> dict[int, str]:
    """Statements by how many rows they insert."""
    one = "(" + ", ".join("?" * len(columns)) + ")"
    head = f"INSERT OR IGNORE INTO points ({', '.join(columns)}) VALUES "  # noqa: S608
    return {rows: head + ", ".join([one] * rows) for rows in ROWS_PER_STATEMENT}


INSERT_ANY, INSERT_USUAL = _inserts(COLUMNS), _inserts(USUAL)
UPDATES = {
    count: "UPDATE states SET version = version + 1, data = new.column3 "  # noqa: S608
    f"FROM (VALUES {', '.join(['(?, ?, ?)'] * count)}) AS new "
    "WHERE source_id = new.column1 AND epoch = new.column2"
    for count in ROWS_PER_STATEMENT
}
SELECT = f"SELECT {', '.join(POINT_COLUMNS)} FROM points "  # noqa: S608

#: Untimed messages are recognised as repeats for this long.
UNTIMED_MS = 30 * 86_400_000
#: Rows that one retention step deletes, so that writers wait for it only briefly.
EXPIRE_STEP = 5000

T = TypeVar("T")


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=64
    )
    if readonly:
        connection.execute("PRAGMA query_only=ON")
    else:
        connection.execute("PRAGMA page_size=8192")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("PRAGMA journal_size_limit=134217728")
    connection.execute("PRAGMA cache_size=-65536")
    return connection


class SqlitePoints(Points):
    """The points store of the embedded size."""

    READERS = 2

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="points-writer")
        self._readers = ThreadPoolExecutor(self.READERS, thread_name_prefix="points-reader")
        self._write_connection: sqlite3.Connection | None = None
        self._read_connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    async def open(self) -> None:
        await self._write(self._create)
        for _ in range(self.READERS):
            self._read_connections.put(_connect(self.path, readonly=True))

    def _create(self, _: sqlite3.Connection | None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _connect(self.path, readonly=False)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise SchemaError(f"{self.path}: {error}") from None
        if version > SCHEMA_VERSION:
            connection.close()
            raise SchemaError(
                f"{self.path} is of schema {version}, newer than this program's "
                f"{SCHEMA_VERSION}: start the newer Waypost, or restore a backup"
            )
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
            )
        self._write_connection = connection

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.shutdown, True)
        await asyncio.to_thread(self._readers.shutdown, True)
        while not self._read_connections.empty():
            self._read_connections.get_nowait().close()
        if self._write_connection is not None:
            self._write_connection.close()
            self._write_connection = None

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            return work(self._write_connection)  # type: ignore[arg-type]

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            connection = self._read_connections.get()
            try:
                return work(connection)
            finally:
                self._read_connections.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def claim(self, source_ids: Sequence[int], owner: str) -> dict[int, Claimed]:
        def work(connection: sqlite3.Connection) -> dict[int, Claimed]:
            claimed = {}
            with _Transaction(connection):
                for source_id in source_ids:
                    row = connection.execute(
                        "INSERT INTO states VALUES (?, 1, ?, 0, NULL) ON CONFLICT (source_id) "
                        "DO UPDATE SET epoch = epoch + 1, owner = excluded.owner "
                        "RETURNING source_id, epoch, version, data",
                        (source_id, owner),
                    ).fetchone()
                    claimed[source_id] = Claimed(*row)
            return claimed

        return await self._write(work)

    async def commit(self, batches: Sequence[SourceBatch]) -> None:
        await self._write(lambda connection: _commit(connection, batches))

    async def states(self, source_ids: Sequence[int]) -> dict[int, StoredState]:
        def work(connection: sqlite3.Connection) -> dict[int, StoredState]:
            found = {}
            for start in range(0, len(source_ids), 500):
                part = source_ids[start : start + 500]
                marks = ", ".join("?" * len(part))
                for row in connection.execute(
                    "SELECT source_id, version, data FROM states "  # noqa: S608
                    f"WHERE data IS NOT NULL AND source_id IN ({marks})",
                    tuple(part),
                ):
                    found[row[0]] = StoredState(*row)
            return found

        return await self._read(work)

    async def page(
        self,
        source_id: int,
        start: int,
        end: int,
        *,
        limit: int,
        skip: int = 0,
        located: bool = False,
    ) -> list[Point]:
        only = "AND latitude IS NOT NULL " if located else ""

        def work(connection: sqlite3.Connection) -> list[Point]:
            rows = connection.execute(
                f"{SELECT}WHERE source_id = ? AND time BETWEEN ? AND ? {only}"
                "ORDER BY time, digest LIMIT ? OFFSET ?",
                (source_id, start, end, limit, skip),
            )
            return [Point(*row) for row in rows]

        return await self._read(work)

    async def newest(self, source_id: int, *, gnss: bool = True) -> Point | None:
        mask = FUTURE | VALID | (3 << SOURCE_SHIFT if gnss else 0)

        def work(connection: sqlite3.Connection) -> Point | None:
            row = connection.execute(
                f"{SELECT}WHERE source_id = ? AND latitude IS NOT NULL AND flags & ? = ? "
                "ORDER BY time DESC LIMIT 1",
                (source_id, mask, VALID),
            ).fetchone()
            return Point(*row) if row else None

        return await self._read(work)

    async def latest(self, source_id: int, limit: int) -> list[Point]:
        def work(connection: sqlite3.Connection) -> list[Point]:
            rows = connection.execute(
                f"{SELECT}WHERE source_id = ? AND flags & ? = 0 "
                "ORDER BY time DESC, digest DESC LIMIT ?",
                (source_id, FUTURE, limit),
            )
            return [Point(*row) for row in rows]

        return await self._read(work)

    async def count(self, source_id: int | None = None) -> int:
        def work(connection: sqlite3.Connection) -> int:
            if source_id is None:
                row = connection.execute("SELECT count(*) FROM points").fetchone()
            else:
                row = connection.execute(
                    "SELECT count(*) FROM points WHERE source_id = ?", (source_id,)
                ).fetchone()
            return int(row[0])

        return await self._read(work)

    async def expire(self, now: int) -> int:
        """In steps, so that no writer waits long. Old means by the later of the point's time and
        its receipt, so that a wild date neither stays for ever nor goes at once."""
        gone = 0

        def classes(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            return connection.execute(
                "SELECT DISTINCT source_id, retention FROM points WHERE retention > 0"
            ).fetchall()

        def step(connection: sqlite3.Connection, source_id: int, days: int) -> int:
            before = now - days * 86_400_000
            with _Transaction(connection):
                return connection.execute(
                    "DELETE FROM points WHERE rowid IN (SELECT rowid FROM points WHERE "
                    "source_id = ? AND retention = ? AND received < ? "
                    "AND (time < ? OR time > received) LIMIT ?)",
                    (source_id, days, before, before, EXPIRE_STEP),
                ).rowcount

        for source_id, days in await self._read(classes):
            deleted = EXPIRE_STEP
            while deleted == EXPIRE_STEP:
                deleted = await self._write(lambda c, s=source_id, d=days: step(c, s, d))  # type: ignore[misc]
                gone += deleted

        def tidy(connection: sqlite3.Connection) -> None:
            with _Transaction(connection):
                connection.execute("DELETE FROM untimed WHERE received < ?", (now - UNTIMED_MS,))
            connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()

        await self._write(tidy)
        return gone


class _Transaction:
    """A write transaction on a connection in autocommit mode."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            try:
                self.connection.execute("COMMIT")
            except BaseException:
                self._undo()
                raise
        else:
            self._undo()

    def _undo(self) -> None:
        # SQLite itself has undone it already after some errors (a full disk).
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")


def _commit(connection: sqlite3.Connection, batches: Sequence[SourceBatch]) -> None:
    with _Transaction(connection):
        _update_states(connection, batches)
        rows: list[Row] = []
        for batch in batches:
            rows += batch.fresh
            rows += batch.rest
            for row in batch.untimed:
                if connection.execute(
                    "INSERT OR IGNORE INTO untimed VALUES (?, ?, ?)",
                    (row[SOURCE], row[DIGEST], row[RECEIVED]),
                ).rowcount:
                    rows.append(row)
        _insert(connection, rows)


def _update_states(connection: sqlite3.Connection, batches: Sequence[SourceBatch]) -> None:
    values: list[Any] = []
    for batch in batches:
        values += (batch.source_id, batch.epoch, bytearray(batch.state))
    if _execute(connection, UPDATES, values, 3) == len(batches):
        return
    stale = []
    for batch in batches:
        found = connection.execute(
            "SELECT 1 FROM states WHERE source_id = ? AND epoch = ?",
            (batch.source_id, batch.epoch),
        ).fetchone()
        if found is None:
            stale.append(batch.source_id)
    raise StaleEpoch(stale)


def _insert(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Python's ``sqlite3`` asks of every value that is no number, text or bytearray whether it
    could be adapted, which takes longer than storing it: so what is mostly NULL is left out where
    it can be, and content goes in as bytearrays."""
    usual: list[Any] = []
    others: list[Row] = []
    for row in rows:
        (
            source, time, digest, received, device_time, latitude, longitude, altitude, speed,
            hdop, retention, heading, satellites, flags, precision, event_id, content,
        ) = row  # fmt: skip
        if content is None or not device_time is precision is event_id is None:
            others.append(row)
        else:
            usual += (
                source, time, digest, received, latitude, longitude, altitude, speed,
                hdop, retention, heading, satellites, flags, bytearray(content),
            )  # fmt: skip
    _execute(connection, INSERT_USUAL, usual, len(USUAL))
    _execute(connection, INSERT_ANY, list(chain.from_iterable(others)), len(COLUMNS))


def _execute(
    connection: sqlite3.Connection, statements: dict[int, str], values: list[Any], width: int
) -> int:
    """Executes statements (by how many rows they take) for rows of ``width`` values; gives how many
    rows they changed."""
    start, count, changed = 0, len(values) // width, 0
    for size, statement in statements.items():
        while count >= size:
            changed += connection.execute(statement, values[start : start + size * width]).rowcount
            start += size * width
            count -= size
    return changed
