"""Points and states in SQLite: one file, a process that writes it, a few threads that read.

Write-ahead log with ``synchronous=FULL``: a commit is on the disk when it returns.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from waypost.store.points import (
    FUTURE,
    POINT_COLUMNS,
    SOURCE_SHIFT,
    VALID,
    Claimed,
    Point,
    Points,
    SchemaError,
    SourceBatch,
    StoredState,
)
from waypost.store.sqlite_process import WriterProcess
from waypost.store.sqlite_writer import Add, Claim, Commit, Expire, Request, Tidy, connect
from waypost.telemetry.row import MSGPACK

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

SELECT = f"SELECT {', '.join(POINT_COLUMNS)} FROM points "  # noqa: S608

#: Untimed messages are recognised as repeats for this long.
UNTIMED_MS = 30 * 86_400_000
#: Rows that one retention step deletes, so that writers wait for it only briefly.
EXPIRE_STEP = 5000
#: Pages that one of them gives back to the disk.
TIDY_PAGES = 2000
#: Rows encoded in one go.
PIECE_ROWS = 500

T = TypeVar("T")


class SqlitePoints(Points):
    """The points store of the embedded size."""

    READERS = 2
    row_format = MSGPACK

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = WriterProcess(path)
        self._readers = ThreadPoolExecutor(self.READERS, thread_name_prefix="points-reader")
        self._read_connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    async def open(self) -> None:
        await asyncio.to_thread(self._create)
        for _ in range(self.READERS):
            self._read_connections.put(connect(self.path, readonly=True))

    def _create(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = connect(self.path, readonly=False)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise SchemaError(f"{self.path}: {error}") from None
        with closing(connection):
            if version > SCHEMA_VERSION:
                raise SchemaError(
                    f"{self.path} is of schema {version}, newer than this program's "
                    f"{SCHEMA_VERSION}: start the newer Waypost, or restore a backup"
                )
            if version == 0:
                connection.executescript(
                    f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
                )

    async def close(self) -> None:
        await asyncio.to_thread(self._readers.shutdown, True)
        while not self._read_connections.empty():
            self._read_connections.get_nowait().close()
        # The last to go takes what is in the log into the file, and the log away.
        await self._writer.close()

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            connection = self._read_connections.get()
            try:
                return work(connection)
            finally:
                self._read_connections.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def claim(self, source_ids: Sequence[int], owner: str) -> dict[int, Claimed]:
        claimed = await self._writer.ask([Claim(list(source_ids), owner)], list[Claimed])
        return {one.source_id: one for one in claimed}

    async def commit(self, batches: Sequence[SourceBatch]) -> None:
        await self._writer.ask(_in_pieces(batches), type(None))

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

        for source_id, days in await self._read(classes):
            deleted = EXPIRE_STEP
            while deleted == EXPIRE_STEP:
                before = now - days * 86_400_000
                step = Expire(source_id, days, before, EXPIRE_STEP)
                deleted = await self._writer.ask([step], int)
                gone += deleted

        await self._writer.ask([Tidy(now - UNTIMED_MS, TIDY_PAGES)], type(None))
        return gone


def _in_pieces(batches: Sequence[SourceBatch]) -> Iterator[Request]:
    """Few rows at a time: while they are encoded, everybody else waits."""
    piece: list[SourceBatch] = []
    rows = 0
    for batch in batches:
        piece.append(batch)
        rows += 1 + len(batch.fresh) + len(batch.rest) + len(batch.untimed)
        rows += sum(block.count for block in batch.blocks)
        if rows >= PIECE_ROWS:
            yield Add(piece)
            piece, rows = [], 0
    yield Add(piece)
    yield Commit()
