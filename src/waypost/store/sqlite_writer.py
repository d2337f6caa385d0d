"""The process that writes points and states of the embedded size, and what it is asked.

SQLite's work and the values that it takes would keep the interpreter from everybody else, devices
and people alike, for half of the time under load: so they have one of their own. It holds no more
than its connection. It ends when whoever asks has gone, with what was asked already.

Requests and answers are MessagePack, each behind four bytes of its length, over a socket.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
import traceback
from collections.abc import Sequence
from io import IOBase
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from waypost.store.points import (
    COLUMNS,
    DIGEST,
    RECEIVED,
    SOURCE,
    Block,
    Claimed,
    Row,
    SourceBatch,
    StaleEpoch,
)

#: Rows of one statement.
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


class Claim(msgspec.Struct, tag=True):
    """Answered with a list of ``Claimed``."""

    source_ids: list[int]
    owner: str


class Add(msgspec.Struct, tag=True):
    """Belongs to the next ``Commit``. Not answered."""

    batches: list[SourceBatch]


class Commit(msgspec.Struct, tag=True):
    """Stores what has been added, all of it or nothing."""


class Expire(msgspec.Struct, tag=True):
    """Deletes points of a source and retention class that were received ``before`` (ms) and whose
    time is before it or later than their receipt, ``limit`` at most. Answered with their number."""

    source_id: int
    retention: int
    before: int
    limit: int


class Tidy(msgspec.Struct, tag=True):
    """Forgets untimed messages received ``before`` (ms), and gives pages back to the disk."""

    before: int
    pages: int


Request = Claim | Add | Commit | Expire | Tidy


class Failure(msgspec.Struct):
    """An answer that is none: the name of an error of ``sqlite3`` and SQLite's name for it; or the
    sources of which the epoch is another one; or neither, for a fault of ours."""

    text: str
    error: str = ""
    name: str = ""
    stale: list[int] = []


#: What an answer begins with.
DONE, FAILED = b"\0", b"\1"

_read_rows = msgspec.msgpack.Decoder(list[Row]).decode
_read_request = msgspec.msgpack.Decoder(Request).decode
_pack = msgspec.msgpack.encode


def frame(*parts: bytes) -> bytes:
    """A request or an answer, with its length."""
    data = b"".join(parts)
    return len(data).to_bytes(4, "big") + data


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """A connection as the points need it: write-ahead log, and commits that are on the disk when
    they return."""
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


class Writer:
    """Does what is asked, one request after another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._added: list[SourceBatch] = []

    def serve(self, link: socket.socket) -> None:
        """Until the other side has gone."""
        with link.makefile("rb", 1 << 20) as requests:
            while (data := _read_frame(requests)) is not None:
                request = _read_request(data)
                if isinstance(request, Add):
                    self._added += request.batches
                    continue
                answer = self._answer(request)
                self._added = []  # stored or not: who asks sends all of it again
                try:
                    link.sendall(answer)
                except OSError:
                    return  # nobody listens any more

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _answer(self, request: Request) -> bytes:
        try:
            if self._connection is None:
                self._connection = connect(self._path, readonly=False)
            return frame(DONE, _pack(self._do(self._connection, request)))
        except StaleEpoch as error:
            failure = Failure(str(error), stale=sorted(error.source_ids))
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            failure = Failure(str(error), type(error).__name__, name)
        except Exception:  # noqa: BLE001  (told to who asked, who logs it)
            failure = Failure(traceback.format_exc())
        return frame(FAILED, _pack(failure))

    def _do(self, connection: sqlite3.Connection, request: Request) -> Any:
        match request:
            case Commit():
                with Transaction(connection):
                    _commit(connection, self._added)
            case Claim():
                with Transaction(connection):
                    return _claim(connection, request)
            case Expire():
                with Transaction(connection):
                    return _expire(connection, request)
            case Tidy():
                with Transaction(connection):
                    connection.execute("DELETE FROM untimed WHERE received < ?", (request.before,))
                connection.execute(f"PRAGMA incremental_vacuum({request.pages})").fetchall()
        return None


def _read_frame(requests: IOBase) -> bytes | None:
    """None: there are no more."""
    head = requests.read(4)
    size = int.from_bytes(head, "big")
    data = requests.read(size)
    return data if len(head) == 4 and len(data) == size else None


class Transaction:
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


def _claim(connection: sqlite3.Connection, request: Claim) -> list[Claimed]:
    claimed = []
    for source_id in request.source_ids:
        row = connection.execute(
            "INSERT INTO states VALUES (?, 1, ?, 0, NULL) ON CONFLICT (source_id) "
            "DO UPDATE SET epoch = epoch + 1, owner = excluded.owner "
            "RETURNING source_id, epoch, version, data",
            (source_id, request.owner),
        ).fetchone()
        claimed.append(Claimed(*row))
    return claimed


def _expire(connection: sqlite3.Connection, request: Expire) -> int:
    return connection.execute(
        "DELETE FROM points WHERE rowid IN (SELECT rowid FROM points WHERE "
        "source_id = ? AND retention = ? AND received < ? "
        "AND (time < ? OR time > received) LIMIT ?)",
        (request.source_id, request.retention, request.before, request.before, request.limit),
    ).rowcount


def _commit(connection: sqlite3.Connection, batches: Sequence[SourceBatch]) -> None:
    _update_states(connection, batches)
    rows: list[Row] = []
    for batch in batches:
        for block in batch.blocks:
            rows += _read_block(block)
        rows += batch.fresh
        rows += batch.rest
        for row in batch.untimed:
            if connection.execute(
                "INSERT OR IGNORE INTO untimed VALUES (?, ?, ?)",
                (row[SOURCE], row[DIGEST], row[RECEIVED]),
            ).rowcount:
                rows.append(row)
    _insert(connection, rows)


def _read_block(block: Block) -> list[Row]:
    """Its rows, which are in ``telemetry.row.MSGPACK``."""
    # MessagePack's "array 32".
    return _read_rows(b"\xdd" + block.count.to_bytes(4, "big") + block.data)


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
    full = ROWS_PER_STATEMENT[0] * len(USUAL)
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
            if len(usual) == full:
                _execute(connection, INSERT_USUAL, usual, len(USUAL))
                usual.clear()
    _execute(connection, INSERT_USUAL, usual, len(USUAL))
    _execute(connection, INSERT_ANY, list(chain.from_iterable(others)), len(COLUMNS))


def _execute(
    connection: sqlite3.Connection, statements: dict[int, str], values: list[Any], width: int
) -> int:
    """Executes statements (by how many rows they take) for rows of ``width`` values; gives how many
    rows they changed. After each it lets others have the processor: the system would let them wait
    some milliseconds for it, and among them are those who serve people."""
    start, count, changed = 0, len(values) // width, 0
    for size, statement in statements.items():
        while count >= size:
            changed += connection.execute(statement, values[start : start + size * width]).rowcount
            os.sched_yield()
            start += size * width
            count -= size
    return changed


def main() -> None:
    """``python -m waypost.store.sqlite_writer FILE SOCKET``: the number of an open one."""
    # A terminal's Ctrl-C, and a service manager's stop, go to all processes; but the server still
    # has something to be written, and says when it has not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    writer = Writer(Path(sys.argv[1]))
    with socket.socket(fileno=int(sys.argv[2])) as link:
        writer.serve(link)
    writer.close()


if __name__ == "__main__":
    main()
