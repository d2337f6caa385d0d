"""The table of cells as it is read: a SQLite file that is never changed once it is there.

A file of its own, with PostgreSQL too: an import builds a new one beside it, in a process of its
own, and puts it in its place by renaming, so that readers see the old table or the new one, and
neither ingest nor the API waits for tens of millions of rows to go into the database that they
work with. It is looked up in a few microseconds without going over a network.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from waypost.location.position import KnownCell
from waypost.telemetry.message import Cell

log = structlog.get_logger()

FILE = "cells.db"
#: Marks of the file: whose it is, and how it is built.
APPLICATION_ID = 0x57504C54
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE cells (
    mcc INTEGER NOT NULL, net INTEGER NOT NULL, area INTEGER NOT NULL, cell INTEGER NOT NULL,
    radio INTEGER NOT NULL, latitude INTEGER NOT NULL, longitude INTEGER NOT NULL,
    range INTEGER NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (mcc, net, area, cell, radio)
) WITHOUT ROWID;
CREATE TABLE about (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
"""
#: Degrees are kept as whole numbers, this many to one.
DEGREE = 1_000_000

#: Numbers of the radio networks, by all of their names.
RADIOS = {
    name: number
    for number, names in {
        1: ("GSM", "GPRS", "EDGE", "2G"),
        2: ("UMTS", "WCDMA", "HSPA", "3G"),
        3: ("CDMA",),
        4: ("LTE", "4G", "CAT-M", "NB-IOT", "NBIOT"),
        5: ("NR", "5G"),
    }.items()
    for name in names
}
#: How far a cell reaches whose range nobody measured, metres, by radio.
_RANGES = {1: 5000, 2: 2500, 3: 5000, 4: 2000, 5: 1000}

_SELECT = (
    "SELECT radio, latitude, longitude, range, samples FROM cells "
    "WHERE mcc = ? AND net = ? AND area = ? AND cell = ?"
)


class TableError(Exception):
    """The file is no table of cells, or is one of another version; the text says which."""


def open_table(path: Path) -> sqlite3.Connection:
    """A connection to a finished table. Raises :class:`TableError`."""
    # Immutable: nobody writes to it, so that it needs neither locks nor files beside it.
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise TableError(f"{path}: {error}") from None
    try:
        marks = tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if marks != (APPLICATION_ID, SCHEMA_VERSION):
            raise TableError(
                f"{path}: not a table of cells of version {SCHEMA_VERSION}; import it again"
            )
        connection.execute("PRAGMA mmap_size=2000000000")
    except sqlite3.Error as error:
        connection.close()
        raise TableError(f"{path}: {error}") from None
    except TableError:
        connection.close()
        raise
    return connection


def about(path: Path) -> dict[str, Any]:
    """What an import said of the table: ``cells``, ``imported`` (ms), ``files``. Raises
    :class:`TableError`."""
    connection = open_table(path)
    try:
        return dict(connection.execute("SELECT name, value FROM about"))
    finally:
        connection.close()


class CellTable:
    """Looks cells up, on a thread of its own. A new table is noticed at the next look-up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cells")
        self._connection: sqlite3.Connection | None = None
        #: The file that is open, or that cannot be used: inode, time, size.
        self._file: tuple[int, int, int] | None = None

    @property
    def there(self) -> bool:
        """Is there a table?"""
        return self._path.exists()

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown, True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def find(self, many: Sequence[Sequence[Cell]]) -> list[list[KnownCell]]:
        """For each of several surroundings the cells that the table knows."""
        if not self.there:
            return [[] for _ in many]
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._find, many)

    def _find(self, many: Sequence[Sequence[Cell]]) -> list[list[KnownCell]]:
        connection = self._open()
        if connection is None:
            return [[] for _ in many]
        try:
            return [
                [known for cell in cells if (known := _look_up(connection, cell)) is not None]
                for cells in many
            ]
        except sqlite3.Error as error:
            log.error("cell_table_unreadable", file=str(self._path), error=str(error))
            return [[] for _ in many]

    def _open(self) -> sqlite3.Connection | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        file = found.st_ino, found.st_mtime_ns, found.st_size
        if file != self._file:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._file = file
            try:
                self._connection = open_table(self._path)
            except TableError as error:
                log.error("cell_table_unusable", error=str(error))
        return self._connection


def _look_up(connection: sqlite3.Connection, cell: Cell) -> KnownCell | None:
    """The cell in the table: of the same radio where several have these numbers and the device
    says which, else that of which most is known."""
    rows = connection.execute(_SELECT, (cell.mcc, cell.mnc, cell.lac, cell.cell_id)).fetchall()
    if not rows:
        return None
    radio = RADIOS.get(cell.type.upper()) if cell.type else None
    best = max(rows, key=lambda row: (row[0] == radio, row[4], row[0]))
    return KnownCell(
        best[1] / DEGREE, best[2] / DEGREE, best[3] or _RANGES.get(best[0], 2000), cell.rssi
    )
