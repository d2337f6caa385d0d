"""Making the table of cells, beside the one that is in use.

The rows of the files go into a file of their own as they come; SQLite sorts them, with temporary
files where they do not fit into memory, and they fill the new table in its own order, which is
both the fastest way to build it and the smallest result. The finished table is written through to
the disk and takes the old one's name in one step. Whatever ends an import before that leaves the
old table as it was, and what is left lying is cleared away by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from waypost.clock import now_ms
from waypost.location.csv_rows import LayoutError, Reader
from waypost.location.table import (
    APPLICATION_ID,
    FILE,
    SCHEMA,
    SCHEMA_VERSION,
    TableError,
    open_table,
)

#: Bytes of a file that are read at once: some ten thousand lines.
PIECE = 1 << 20
#: What is being built, and rows as they came.
NEW_FILE, ROWS_FILE, LOCK_FILE = "cells.new", "cells.rows", "cells.lock"
#: Seconds between writings of what is built to the disk: all of it at the end would hold up the
#: server's own commits.
FLUSH = 1.0
#: SQLite's cache, KiB; what does not fit goes through temporary files.
CACHE = 48 * 1024
#: Steps of SQLite's machine between two words on how far it is.
STEPS = 2_000_000
#: Seconds between two words.
WORD = 0.5

_GZIP = b"\x1f\x8b"
_COLUMNS = "mcc, net, area, cell, radio, latitude, longitude, range, samples"

Show = Callable[[str, int, int], None]
"""Hears how far the import is: the step, how much of it is done, and of how much (0: nobody
knows). Steps are ``reading`` (bytes of the files) and ``sorting``."""


class ImportFailed(Exception):
    """The import cannot be done; the text says why."""


class Imported(msgspec.Struct, frozen=True):
    """What an import did: rows read, cells in the table now, lines passed over and the first of
    them, the table's size in bytes, and how long it took."""

    read: int
    cells: int
    wrong: int
    wrong_lines: list[str]
    bytes: int
    seconds: float


def import_cells(
    data_dir: Path, files: Sequence[Path], *, replace: bool = False, show: Show
) -> Imported:
    """Adds the cells of these files (plain or gzip) to the table, a later line taking the place of
    an earlier one about the same cell; with ``replace`` the table has only these. Raises
    :class:`ImportFailed`; then, and if it is interrupted, the table is as it was."""
    begun = time.monotonic()
    data_dir.mkdir(parents=True, exist_ok=True)
    # SQLite's temporary files are as large as the table: they belong on its disk.
    os.environ.setdefault("SQLITE_TMPDIR", str(data_dir))
    with _alone(data_dir):
        new, rows, table = (data_dir / name for name in (NEW_FILE, ROWS_FILE, FILE))
        try:
            _clear(new, rows)
            read, wrong, named = _gather(rows, files, show)
            old = table if table.exists() and not replace else None
            cells = _build(new, rows, old, files, show)
            size = new.stat().st_size
            os.replace(new, table)
            _to_disk(data_dir)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise ImportFailed(what) from None
        except sqlite3.Error as error:
            raise ImportFailed(str(error)) from None
        finally:
            _clear(new, rows)
    seconds = time.monotonic() - begun
    return Imported(read, cells, wrong, named, size, round(seconds, 1))


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One import at a time."""
    with (data_dir / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ImportFailed(f"another import is under way in {data_dir}") from None
        yield


def _clear(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_name(path.name + "-journal").unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    """A new database that nobody else sees: nothing in it needs to survive a crash."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        "page_size=4096",
        "journal_mode=OFF",
        "synchronous=OFF",
        "locking_mode=EXCLUSIVE",
        f"cache_size=-{CACHE}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _gather(rows: Path, files: Sequence[Path], show: Show) -> tuple[int, int, list[str]]:
    """Puts the rows of all files into ``rows``; how many, how many lines were wrong, and the first
    of them by name."""
    total = sum(path.stat().st_size for path in files)
    read = wrong = done = 0
    named: list[str] = []
    connection = _connect(rows)
    try:
        connection.execute(f"CREATE TABLE rows ({_COLUMNS})")
        connection.execute("BEGIN")
        insert = f"INSERT INTO rows VALUES ({', '.join('?' * 9)})"  # noqa: S608
        for path in files:
            reader = Reader()
            try:
                for piece, at in _pieces(path):
                    found = reader.feed(piece)
                    connection.executemany(insert, found)
                    read += len(found)
                    show("reading", done + at, total)
                found = reader.finish()
            except LayoutError as error:
                raise ImportFailed(f"{path}: {error}") from None
            except (EOFError, zlib.error, BadGzipFile) as error:
                raise ImportFailed(f"{path}: the file is damaged or cut off: {error}") from None
            connection.executemany(insert, found)
            read += len(found)
            wrong += reader.wrong
            named += [f"{path.name}, line {line.line}: {line.reason}" for line in reader.named]
            done += path.stat().st_size
        connection.execute("COMMIT")
    finally:
        connection.close()
    return read, wrong, named


def _pieces(path: Path) -> Iterator[tuple[bytes, int]]:
    """The content of a file piece by piece, each with how many bytes of the file are behind it."""
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == _GZIP
        source = cast(BinaryIO, GzipFile(fileobj=raw)) if packed else raw
        while piece := source.read(PIECE):
            yield piece, raw.tell()


def _build(new: Path, rows: Path, old: Path | None, files: Sequence[Path], show: Show) -> int:
    """Builds the table of what was gathered, on top of the old one; how many cells it has."""
    if old is not None:
        try:
            open_table(old).close()
        except TableError as error:
            raise ImportFailed(f"{error} (--replace makes a new one)") from None
        shutil.copyfile(old, new)
    connection = _connect(new)
    told = time.monotonic()

    def word() -> int:
        nonlocal told
        if time.monotonic() - told > WORD:
            told = time.monotonic()
            show("sorting", 0, 0)
        return 0

    show("sorting", 0, 0)
    try:
        connection.set_progress_handler(word, STEPS)
        if old is None:
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("ATTACH ? AS gathered", (str(rows),))
        with _flushing(new):
            connection.execute(
                f"INSERT OR REPLACE INTO cells ({_COLUMNS}) SELECT {_COLUMNS} "  # noqa: S608
                "FROM gathered.rows ORDER BY mcc, net, area, cell, radio, gathered.rows.rowid"
            )
            (cells,) = connection.execute("SELECT count(*) FROM cells").fetchone()
        connection.executemany(
            "INSERT OR REPLACE INTO about VALUES (?, ?)",
            [
                ("cells", cells),
                ("imported", now_ms()),
                ("files", ", ".join(path.name for path in files)),
            ],
        )
    except sqlite3.OperationalError as error:
        # What stopped the progress handler: a person.
        if str(error) == "interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()
    _to_disk(new)
    return int(cells)


@contextmanager
def _flushing(path: Path) -> Iterator[None]:
    """Writes what is put into a file to the disk meanwhile, a little at a time."""
    ended = threading.Event()

    def flush() -> None:
        while not ended.wait(FLUSH):
            _to_disk(path)

    thread = threading.Thread(target=flush, name="flush", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _to_disk(path: Path) -> None:
    """Returns when the file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
