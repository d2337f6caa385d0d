"""What must hold of both points stores."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from waypost.parts import points_store
from waypost.settings import Settings
from waypost.store.engine import asyncpg_dsn
from waypost.store.partitions import DAY_MS, partition_of
from waypost.store.points import (
    COLUMNS,
    FUTURE,
    RETENTION,
    SOURCE_SHIFT,
    TIME,
    VALID,
    Block,
    Points,
    Row,
    SchemaError,
    SourceBatch,
    StaleEpoch,
)
from waypost.store.points_postgres import PostgresPoints
from waypost.store.points_sqlite import SqlitePoints
from waypost.telemetry.message import LBS
from waypost.telemetry.row import RowFormat

NOW = 1_790_000_000_000


def make_store(database_url: str, folder: Path) -> Points:
    return points_store(Settings(database=database_url, data_dir=folder))


def row(time: int, digest: int = 1, *, source: int = 1, **more: object) -> Row:
    values: dict[str, object] = {
        "source_id": source,
        "time": time,
        "digest": digest,
        "received": NOW,
        "device_time": None,
        "latitude": 41.5,
        "longitude": 2.25,
        "altitude": 12.0,
        "speed": 33.5,
        "hdop": None,
        "retention": 366,
        "heading": 90,
        "satellites": 9,
        "flags": VALID,
        "precision": None,
        "event_id": None,
        "content": msgspec.msgpack.encode({"ignition": True}),
    }
    values.update(more)
    return tuple(values[name] for name in COLUMNS)


async def put(points: Points, *, epoch: int = 1, source: int = 1, **kinds: list[Row]) -> None:
    await points.commit([SourceBatch(source, epoch, b"\x90", **kinds)])


async def test_what_is_committed_is_read_back(points: Points) -> None:
    await points.claim([1], "a")
    await put(points, fresh=[row(NOW - 2000), row(NOW - 1000, 2)])
    found, more = await points.read(1, NOW - 5000, NOW, limit=10)
    assert [point.time for point in found] == [NOW - 2000, NOW - 1000]
    assert not more
    point = found[0]
    assert (point.latitude, point.longitude, point.speed) == (41.5, 2.25, 33.5)
    assert point.values() == {"ignition": True}
    assert point.valid
    assert await points.count() == await points.count(1) == 2
    assert await points.count(2) == 0


async def test_a_repeat_is_stored_once_whatever_way_it_comes(points: Points) -> None:
    await points.claim([1], "a")
    await put(points, fresh=[row(NOW - 2000), row(NOW - 1000)])
    await put(points, rest=[row(NOW - 2000), row(NOW - 1000), row(NOW - 1000)])
    assert await points.count() == 2
    # Two different messages of one second both stay.
    await put(points, rest=[row(NOW - 1000, 77), row(NOW - 1000, 77)])
    assert await points.count() == 3


async def test_a_message_without_time_is_known_by_its_content(points: Points) -> None:
    await points.claim([1, 2], "a")
    await put(points, untimed=[row(NOW, 5), row(NOW, 5), row(NOW, 6)])
    await put(points, untimed=[row(NOW + 60_000, 5, received=NOW + 60_000)])
    assert await points.count() == 2
    await put(points, source=2, untimed=[row(NOW, 5, source=2)])
    assert await points.count() == 3


def block(rows: list[Row], form: RowFormat) -> Block:
    """Rows in binary."""
    data = b""
    for one in rows:
        data += form.row
        for name, value in zip(COLUMNS, one, strict=True):
            if value is None:
                data += form.null
            elif name == "content":
                data += form.content_head(len(value)) + value
            else:
                code = form.formats[name]
                data += form.heads[code] + struct.pack(f">{code}", value)
    return Block(data, len(rows), rows[0][RETENTION], rows[0][TIME], rows[-1][TIME])


async def test_binary_rows_are_stored_wherever_they_belong(points: Points) -> None:
    form = points.row_format

    def in_binary(rows: list[Row]) -> Block:
        return block(rows, form)

    await points.claim([1, 2], "a")
    year, month = 366 * DAY_MS, 31 * DAY_MS
    rows = [
        # Within a partition; over two of them; wild dates, before and after what is kept.
        [row(NOW - 2000), row(NOW - 1000, 2, device_time=NOW - 1500, event_id=7, content=None)],
        [row(NOW - 500, 3), row(NOW + month, 4, latitude=None, longitude=None)],
        [row(NOW - 20 * year, 5), row(NOW + 20 * year, 6)],
        [row(NOW - 3000, 7, retention=7), row(NOW - 2500, 8, retention=7)],
    ]
    await points.commit(
        [
            SourceBatch(1, 1, b"s", blocks=[*map(in_binary, rows)], fresh=[row(NOW, 9)]),
            SourceBatch(2, 1, b"s", blocks=[in_binary([row(NOW, 1, source=2)])]),
        ]
    )
    found, _ = await points.read(1, 0, NOW + 40 * year, limit=100)
    expected = sorted([NOW, *(one[TIME] for part in rows for one in part)])
    assert [point.time for point in found] == expected
    point = next(one for one in found if one.time == NOW - 1000)
    assert (point.device_time, point.event_id, point.content) == (NOW - 1500, 7, None)
    assert (point.longitude, point.speed, point.heading) == (2.25, 33.5, 90)
    # The same once more, as something that may be there already.
    await points.commit([SourceBatch(1, 1, b"t", rest=[one for part in rows for one in part])])
    assert await points.count() == len(expected) + 1


async def test_only_the_owner_commits(points: Points) -> None:
    first = (await points.claim([1, 2], "a"))[1]
    assert (first.epoch, first.version, first.data) == (1, 0, None)
    await points.commit([SourceBatch(1, 1, b"one"), SourceBatch(2, 1, b"two")])
    second = (await points.claim([1], "b"))[1]
    assert (second.epoch, second.version, second.data) == (2, 1, b"one")
    with pytest.raises(StaleEpoch) as caught:
        await points.commit(
            [
                SourceBatch(1, 1, b"late", fresh=[row(NOW)]),
                SourceBatch(2, 1, b"more", fresh=[row(NOW, source=2)]),
            ]
        )
    assert caught.value.source_ids == {1}
    assert await points.count() == 0, "nothing of a refused batch is stored"
    states = await points.states([1, 2, 3])
    assert {key: (state.version, state.data) for key, state in states.items()} == {
        1: (1, b"one"),
        2: (1, b"two"),
    }


async def test_wild_dates_are_kept_and_found(points: Points) -> None:
    await points.claim([1], "a")
    wild = [row(0), row(NOW + 4000 * DAY_MS, flags=VALID | FUTURE), row(NOW - 3000 * DAY_MS)]
    await put(points, rest=wild)
    await put(points, rest=wild)
    found, _ = await points.read(1, 0, 4_000_000_000_000, limit=10)
    assert len(found) == 3
    newest = await points.newest(1)
    assert newest is not None
    assert newest.time == NOW - 3000 * DAY_MS, "one that lies in the future is not the newest"


async def test_the_newest_is_by_satellites_unless_asked(points: Points) -> None:
    await points.claim([1], "a")
    await put(
        points,
        fresh=[
            row(NOW - 3000),
            row(NOW - 2000, flags=VALID | LBS << SOURCE_SHIFT),
            row(NOW - 1500, flags=0),
            row(NOW - 1000, latitude=None, longitude=None),
        ],
    )
    gnss = await points.newest(1)
    assert gnss is not None
    assert gnss.time == NOW - 3000
    anyhow = await points.newest(1, gnss=False)
    assert anyhow is not None
    assert (anyhow.time, anyhow.found_by) == (NOW - 2000, LBS)
    assert await points.newest(9) is None
    latest = await points.latest(1, 3)
    assert [NOW - point.time for point in latest] == [1000, 1500, 2000], "of every kind"
    assert await points.latest(9, 3) == []


async def test_reading_goes_by_pages_without_loss_or_repeat(
    points: Points, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.store.points.PAGE", 7)
    await points.claim([1], "a")
    # Several points share a time, also across the edge of a page.
    rows = [row(NOW - 1000 * (50 - n // 5), n) for n in range(100)]
    await put(points, rest=rows)
    found, more = await points.read(1, 0, NOW, limit=1000)
    assert len(found) == 100
    assert not more
    assert [point.time for point in found] == sorted(r[1] for r in rows)
    some, more = await points.read(1, 0, NOW, limit=33)
    assert [p.time for p in some] == [p.time for p in found[:33]]
    assert more
    located, _ = await points.read(1, 0, NOW, limit=1000, located=True)
    assert len(located) == 100


async def test_retention_takes_what_is_too_old_and_no_more(points: Points) -> None:
    await points.claim([1], "a")
    old = NOW - 40 * DAY_MS
    await put(
        points,
        rest=[
            row(old, 1, retention=7, received=old),
            row(old, 2, retention=366, received=old),
            row(old, 3, retention=0, received=old),
            row(0, 4, retention=7, received=NOW),
            row(NOW - DAY_MS, 5, retention=7),
            row(NOW - 900 * DAY_MS, 6, retention=7, received=old),
        ],
    )
    await points.expire(NOW)
    found, _ = await points.read(1, 0, NOW, limit=10)
    kept = {(point.time, point.received) for point in found}
    assert kept == {(old, old), (0, NOW), (NOW - DAY_MS, NOW)}
    assert len(found) == 4
    await put(points, rest=[row(old, 9, retention=7, received=NOW)])
    assert await points.count() == 5, "a partition that went is made again when needed"


async def test_a_second_start_finds_everything(database_url: str, data_dir: Path) -> None:
    store = make_store(database_url, data_dir)
    await store.open()
    await store.claim([1], "a")
    await put(store, fresh=[row(NOW)])
    await store.close()
    again = make_store(database_url, data_dir)
    await again.open()
    assert await again.count() == 1
    assert (await again.claim([1], "b"))[1].epoch == 2
    await again.close()


async def test_a_newer_schema_is_refused(database_url: str, data_dir: Path) -> None:
    store = make_store(database_url, data_dir)
    await store.open()
    if isinstance(store, PostgresPoints):
        connection = await store._connect()
        await connection.execute("UPDATE points_schema SET version = 99")
        await connection.close()
    else:
        assert isinstance(store, SqlitePoints)
        with closing(sqlite3.connect(store.path)) as file:
            file.execute("PRAGMA user_version=99")
    await store.close()
    with pytest.raises(SchemaError, match="newer"):
        await make_store(database_url, data_dir).open()


async def test_commits_that_may_be_lost_are_refused(postgres: str) -> None:
    store = PostgresPoints(asyncpg_dsn(postgres))
    await store.open()
    connection = await store._connect()
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.close()
    await store.close()
    with pytest.raises(SchemaError, match="synchronous_commit"):
        await PostgresPoints(asyncpg_dsn(postgres)).open()


def test_partitions_follow_one_another() -> None:
    for retention in (0, 31, 92, 366):
        time = NOW - 45 * DAY_MS
        first = partition_of(retention, time, NOW)
        assert first.start is not None
        assert first.end is not None
        assert first.start <= time < first.end
        assert partition_of(retention, first.start, NOW) == first
        assert partition_of(retention, first.end - 1, NOW) == first
        after = partition_of(retention, first.end, NOW)
        assert after.start == first.end
        assert after.name != first.name
    assert partition_of(7, 0, NOW).start is None
    assert partition_of(366, NOW + 60 * DAY_MS, NOW).name == "points_r366_default"
