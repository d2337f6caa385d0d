"""The process that writes points in SQLite may end, or fail, at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from waypost.bus.local import LocalBus
from waypost.ingest import Ingest
from waypost.store.engine import is_unavailable
from waypost.store.points import SourceBatch
from waypost.store.points_sqlite import SqlitePoints
from waypost.store.sqlite_process import WriterFault, WriterGone
from waypost.telemetry.message import Message

NOW = 1_790_000_000_000

SERVER = """
import asyncio, sys
from pathlib import Path
from waypost.store.points_sqlite import SqlitePoints

async def main():
    points = SqlitePoints(Path(sys.argv[1]))
    await points.open()
    await points.claim([1], "a")
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
async def points(data_dir: Path) -> AsyncIterator[SqlitePoints]:
    store = SqlitePoints(data_dir / "points.db")
    await store.open()
    yield store
    await store.close()


def writers(of: int) -> list[int]:
    """The writing processes that the process ``of`` has started, by what the system says."""
    found: list[int] = []
    for thread in Path(f"/proc/{of}/task").iterdir():
        for pid in map(int, (thread / "children").read_text().split()):
            if b"sqlite_writer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def kill_writers() -> None:
    for pid in writers(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def batch(time: int, count: int = 1) -> SourceBatch:
    rows = [
        (1, time + n, n, NOW, None, 41.5, 2.25, 12.0, 33.5, 0.8, 366, 90, 9, 1, None, None, b"\x80")
        for n in range(count)
    ]
    return SourceBatch(1, 1, b"s", fresh=rows)  # type: ignore[arg-type]


async def test_another_one_is_started_when_it_has_been_killed(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    await points.commit([batch(NOW)])
    (pid,) = writers(os.getpid())
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WriterGone) as gone:
        await points.commit([batch(NOW + 1000)])
    assert is_unavailable(gone.value)
    await points.commit([batch(NOW + 1000)])
    assert await points.count() == 2
    assert writers(os.getpid()) != [pid]


async def test_devices_wait_until_what_they_sent_is_stored_by_the_next_one(
    points: SqlitePoints,
) -> None:
    ingest = Ingest(points, LocalBus(), owner="a")
    ingest.start()
    live = await ingest.open(1, 366)
    for number in range(8):
        stored: asyncio.Future[BaseException | None] = asyncio.Future()
        messages = [Message(NOW + 100 * number + n, bytes([number, n])) for n in range(50)]
        ingest.submit(live, messages, NOW + 60_000, stored.set_result)
        await asyncio.sleep(number / 2000)
        kill_writers()
        assert await asyncio.wait_for(stored, 20) is None
    assert await points.count() == 400
    await ingest.close()


async def test_it_does_nothing_by_halves(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    for number in range(10):
        commit = asyncio.create_task(points.commit([batch(NOW + 10_000 * number, 4000)]))
        await asyncio.sleep(0.002 * number)
        kill_writers()
        await asyncio.wait({commit})
        commit.exception()
        assert await points.count() % 4000 == 0


async def test_it_outlives_the_signals_that_stop_a_server(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    (pid,) = writers(os.getpid())
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    await points.commit([batch(NOW)])
    assert writers(os.getpid()) == [pid]
    await points.close()
    assert writers(os.getpid()) == []


async def test_a_store_that_is_closed_is_one_file(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    await points.commit([batch(NOW, 100)])
    assert await points.count() == 100
    await points.close()
    assert [one.name for one in points.path.parent.iterdir()] == ["points.db"]


def test_it_ends_with_a_server_that_is_killed(data_dir: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data_dir / "points.db")], stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    (pid,) = writers(server.pid)
    server.kill()
    server.wait()
    server.stdout.close()
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(pid)


async def test_who_gives_up_waiting_does_not_spoil_what_comes_next(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    commit = asyncio.create_task(points.commit([batch(NOW, 500)]))
    await asyncio.sleep(0)
    commit.cancel()
    claimed = await points.claim([1, 2], "b")
    assert [claimed[1].epoch, claimed[2].epoch] == [2, 1]
    assert await points.count() == 500


async def test_a_disk_without_room_is_waited_for(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    (pid,) = writers(os.getpid())
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE, (200_000, -1))
    with pytest.raises(Exception, match="disk") as full:
        await points.commit([batch(NOW, 4000)])
    assert is_unavailable(full.value)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
    await points.commit([batch(NOW, 4000)])
    assert await points.count() == 4000
    assert writers(os.getpid()) == [pid]


async def test_a_file_that_is_away_is_waited_for(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    kill_writers()
    with pytest.raises(WriterGone):
        await points.commit([batch(NOW)])
    folder = points.path.parent
    away = folder.rename(folder.with_name("away"))
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError) as gone:
            await points.commit([batch(NOW, 10)])
        assert is_unavailable(gone.value)
    away.rename(folder)
    await points.commit([batch(NOW, 10)])
    assert await points.count() == 10


async def test_a_fault_is_told_and_nothing_of_it_stays(points: SqlitePoints) -> None:
    await points.claim([1], "a")
    wrong = SourceBatch(1, 1, b"s", fresh=[*batch(NOW).fresh, (1, 2, 3)])
    with pytest.raises(WriterFault, match="unpack"):
        await points.commit([wrong])
    with pytest.raises(OverflowError):
        await points.commit([batch(NOW, 1000), SourceBatch(1, 1, b"s", fresh=[(2**64,) * 17])])
    await points.commit([batch(NOW + 1)])
    assert await points.count() == 1


async def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "points.db"
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="not a database"):
        await SqlitePoints(file).open()
