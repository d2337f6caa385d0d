"""Points and states in PostgreSQL: partitions by retention class and time, binary COPY.

A commit first locks the state rows of its sources, in the order of their ids, and checks that
they are still this process's (epoch). Under that lock nobody else writes for these sources, so
points newer than the newest stored cannot be repeats and go in by COPY, straight into their
partition; the rest goes through a temporary table and only what is new is inserted. So one
index, by source and time, serves reading and recognising repeats alike.
"""

from __future__ import annotations

import asyncio
import time as clock
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from waypost.store.partitions import (
    DAY_MS,
    Partition,
    class_table,
    default_partition,
    partition_of,
)
from waypost.store.points import (
    COLUMNS,
    DIGEST,
    FUTURE,
    POINT_COLUMNS,
    RECEIVED,
    RETENTION,
    SOURCE,
    SOURCE_SHIFT,
    TIME,
    VALID,
    Block,
    Claimed,
    Point,
    Points,
    Row,
    SchemaError,
    SourceBatch,
    StaleEpoch,
    StoredState,
)
from waypost.telemetry.row import COPY

SCHEMA_VERSION = 1

TYPES = """
    source_id int8 NOT NULL, time int8 NOT NULL, digest int8 NOT NULL, received int8 NOT NULL,
    device_time int8, latitude float8, longitude float8, altitude float4, speed float4,
    hdop float4, retention int2 NOT NULL, heading int2, satellites int2, flags int2 NOT NULL,
    precision int4, event_id int4, content bytea
"""

SCHEMA = f"""
CREATE TABLE points ({TYPES}) PARTITION BY LIST (retention);
CREATE INDEX points_source_time ON points (source_id, time);
CREATE TABLE untimed (
    source_id int8 NOT NULL, digest int8 NOT NULL, received int8 NOT NULL,
    PRIMARY KEY (source_id, digest)
);
CREATE TABLE states (
    source_id int8 PRIMARY KEY, epoch int8 NOT NULL, owner text NOT NULL,
    version int8 NOT NULL, data bytea
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE points_schema (version int4 NOT NULL);
INSERT INTO points_schema VALUES ({SCHEMA_VERSION});
"""  # noqa: S608

#: Locks, as advisory lock keys: making the schema, and making partitions.
SCHEMA_LOCK = 0x57505F73
PARTITION_LOCK = 0x57505F70

UPDATE_STATES = """
UPDATE states s SET version = s.version + 1, data = new.data
FROM unnest($1::int8[], $2::int8[], $3::bytea[]) AS new (source_id, epoch, data)
WHERE s.source_id = new.source_id AND s.epoch = new.epoch
"""

MERGE = f"""
INSERT INTO points ({", ".join(COLUMNS)})
SELECT DISTINCT ON (i.source_id, i.time, i.digest) i.* FROM incoming i
WHERE NOT EXISTS (
    SELECT FROM points p
    WHERE p.source_id = i.source_id AND p.time = i.time AND p.digest = i.digest
)
"""  # noqa: S608

#: A plan made once for arrays of any length takes them for short ones: with a thousand sources it
#: is twenty times slower.
PLANS = {"plan_cache_mode": "force_custom_plan"}
#: For commits: row after row by the index, in the order of the arrays, so that two processes lock
#: the states of the same sources in the same order.
IN_ORDER = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}
#: Rows encoded and sent in one go.
COPY_ROWS = 1000
#: Bytes of encoded rows sent in one go.
COPY_BYTES = 262_144
#: What stands before and after the rows (PostgreSQL manual, COPY, "Binary Format").
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
#: Untimed messages are recognised as repeats for this long.
UNTIMED_MS = 30 * DAY_MS


class PostgresPoints(Points):
    """The points store of the large size."""

    READERS = 5
    row_format = COPY

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._writer: asyncpg.Connection | None = None
        self._writing = asyncio.Lock()
        self._readers: asyncpg.Pool | None = None
        self._known: set[str] = set()
        #: Where the last rows went, and the next most likely go.
        self._usual = default_partition(0)

    async def open(self) -> None:
        connection = await self._connect()
        try:
            await self._create(connection)
        finally:
            await connection.close()
        self._readers = await asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=self.READERS,
            timeout=10,
            command_timeout=60,
            server_settings=PLANS,
        )

    async def _connect(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            self.dsn, timeout=10, command_timeout=120, server_settings=PLANS
        )
        if await connection.fetchval("SHOW synchronous_commit") == "off":
            await connection.close()
            raise SchemaError(
                "PostgreSQL runs with synchronous_commit=off: a crash would lose points that "
                "devices were told are stored. Set it to on (or remote_write, remote_apply)"
            )
        return connection

    async def _create(self, connection: asyncpg.Connection) -> None:
        number = int(await connection.fetchval("SHOW server_version_num"))
        if number < 150000:
            raise SchemaError(f"PostgreSQL {number // 10000} is too old: Waypost needs 15 or newer")
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", SCHEMA_LOCK)
            if await connection.fetchval("SELECT to_regclass('points_schema')") is None:
                await connection.execute(SCHEMA)
                return
            version = await connection.fetchval("SELECT version FROM points_schema")
            if version > SCHEMA_VERSION:
                raise SchemaError(
                    f"the points database is of schema {version}, newer than this program's "
                    f"{SCHEMA_VERSION}: start the newer Waypost, or restore a backup"
                )

    async def close(self) -> None:
        async with self._writing:
            if self._writer is not None:
                await self._writer.close()
                self._writer = None
        if self._readers is not None:
            await self._readers.close()

    async def _write_connection(self) -> asyncpg.Connection:
        if self._writer is None or self._writer.is_closed():
            self._writer = await self._connect()
            for name, value in IN_ORDER.items():
                await self._writer.execute(f"SET {name} = {value}")
            await self._writer.execute(
                f"CREATE TEMP TABLE incoming ({TYPES}) ON COMMIT DELETE ROWS"
            )
            self._known.clear()
            self._usual = default_partition(0)
        return self._writer

    @property
    def _pool(self) -> asyncpg.Pool:
        if self._readers is None:
            raise RuntimeError("the points store is not open")
        return self._readers

    async def claim(self, source_ids: Sequence[int], owner: str) -> dict[int, Claimed]:
        rows = await self._pool.fetch(
            "INSERT INTO states AS s (source_id, epoch, owner, version, data) "
            "SELECT u, 1, $2, 0, NULL FROM unnest($1::int8[]) AS u ORDER BY u "
            "ON CONFLICT (source_id) DO UPDATE SET epoch = s.epoch + 1, owner = excluded.owner "
            "RETURNING source_id, epoch, version, data",
            list(source_ids),
            owner,
        )
        return {row[0]: Claimed(*row) for row in rows}

    async def commit(self, batches: Sequence[SourceBatch]) -> None:
        async with self._writing:
            try:
                await self._commit(await self._write_connection(), batches)
            except asyncpg.UndefinedTableError:
                # Another process's retention has dropped a partition that we knew.
                self._known.clear()
                self._usual = default_partition(0)
                await self._commit(await self._write_connection(), batches)

    async def _commit(self, connection: asyncpg.Connection, batches: Sequence[SourceBatch]) -> None:
        now = int(clock.time() * 1000)
        fresh: dict[str, list[Row]] = defaultdict(list)
        blocks: dict[str, list[Block]] = defaultdict(list)
        rest: list[Row] = []
        missing: dict[str, Partition] = {}
        untimed: list[Row] = []
        usual = self._usual
        for batch in batches:
            for block in batch.blocks:
                if not _holds(usual, block):
                    usual = self._place(block, now, missing)
                blocks[usual.name if _holds(usual, block) else class_table(block.retention)].append(
                    block
                )
            untimed += batch.untimed
            rest += batch.rest
            rows = batch.fresh
            if rows and _within(usual, rows):
                fresh[usual.name] += rows
            elif rows:
                usual = self._route(rows, now, fresh, missing)
        self._usual = usual
        self._route(rest, now, None, missing)
        self._route(untimed, now, None, missing)
        for partition in missing.values():
            await self._create_partition(connection, partition)
        async with connection.transaction():
            await self._update_states(connection, batches)
            for table, whole in blocks.items():
                await self._copy_blocks(connection, table, whole)
            for table, rows in fresh.items():
                await self._copy(connection, table, rows)
            if untimed:
                rest += await self._unseen(connection, untimed)
            if rest:
                await self._copy(connection, "incoming", rest)
                await connection.execute(MERGE)

    async def _copy(self, connection: asyncpg.Connection, table: str, rows: list[Row]) -> None:
        """In pieces: rows are encoded without a pause, and the event loop has others to serve."""
        for start in range(0, len(rows), COPY_ROWS):
            await connection.copy_records_to_table(
                table, records=rows[start : start + COPY_ROWS], columns=COLUMNS
            )

    async def _copy_blocks(
        self, connection: asyncpg.Connection, table: str, blocks: list[Block]
    ) -> None:
        """Rows that are encoded already, with pauses for others between the pieces."""

        async def pieces() -> AsyncIterator[bytes]:
            piece, size = [COPY_HEAD], 0
            for block in blocks:
                piece.append(block.data)
                size += len(block.data)
                if size >= COPY_BYTES:
                    yield b"".join(piece)
                    await asyncio.sleep(0)
                    piece, size = [], 0
            piece.append(COPY_END)
            yield b"".join(piece)

        await connection.copy_to_table(table, source=pieces(), columns=COLUMNS, format="binary")

    def _place(self, block: Block, now: int, missing: dict[str, Partition]) -> Partition:
        """The partition of a block's newest row. Partitions that its rows need and that do not
        exist yet are noted; PostgreSQL sorts the rows of a block that lies in several."""
        for time in (block.first, block.last):
            partition = partition_of(block.retention, time, now)
            if partition.name not in self._known:
                missing[partition.name] = partition
        return partition

    def _route(
        self,
        rows: Sequence[Row],
        now: int,
        by_table: dict[str, list[Row]] | None,
        missing: dict[str, Partition],
    ) -> Partition:
        """Sorts rows by the table to copy them into, and notes partitions that do not exist yet.
        Wild dates go by their class's table: PostgreSQL knows whether one of its partitions holds
        them. Returns the partition of the last row."""
        partition: Partition | None = None
        for row in rows:
            time = row[TIME]
            if (
                partition is None
                or partition.retention != row[RETENTION]
                or partition.start is None
                or partition.end is None
                or not partition.start <= time < partition.end
            ):
                partition = partition_of(row[RETENTION], time, now)
                if partition.name not in self._known:
                    missing[partition.name] = partition
                if by_table is not None:
                    wild = partition.start is None
                    name = class_table(partition.retention) if wild else partition.name
                    table = by_table[name]
            if by_table is not None:
                table.append(row)
        return partition or default_partition(0)

    async def _update_states(
        self, connection: asyncpg.Connection, batches: Sequence[SourceBatch]
    ) -> None:
        ids = [batch.source_id for batch in batches]
        epochs = [batch.epoch for batch in batches]
        done = await connection.execute(
            UPDATE_STATES, ids, epochs, [batch.state for batch in batches]
        )
        if done == f"UPDATE {len(ids)}":
            return
        found = await connection.fetch(
            "SELECT source_id, epoch FROM states WHERE source_id = ANY ($1::int8[])", ids
        )
        ours = set(zip(ids, epochs, strict=True))
        raise StaleEpoch(source_id for source_id, _ in ours - {(row[0], row[1]) for row in found})

    async def _unseen(self, connection: asyncpg.Connection, rows: list[Row]) -> list[Row]:
        """Those of the untimed rows that were not stored before, once each."""
        new = await connection.fetch(
            "INSERT INTO untimed SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[]) "
            "ON CONFLICT DO NOTHING RETURNING source_id, digest",
            [row[SOURCE] for row in rows],
            [row[DIGEST] for row in rows],
            [row[RECEIVED] for row in rows],
        )
        wanted = {tuple(row) for row in new}
        found = []
        for row in rows:
            key = (row[SOURCE], row[DIGEST])
            if key in wanted:
                wanted.remove(key)
                found.append(row)
        return found

    async def _create_partition(self, connection: asyncpg.Connection, partition: Partition) -> None:
        """Makes the partition, its class's table and default one where they do not exist. Wild
        points of its time that lie in the default partition move over."""
        parent = class_table(partition.retention)
        rest = default_partition(partition.retention).name
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", PARTITION_LOCK)
            if await connection.fetchval("SELECT to_regclass($1)", parent) is None:
                await connection.execute(
                    f"CREATE TABLE {parent} PARTITION OF points "
                    f"FOR VALUES IN ({partition.retention}) PARTITION BY RANGE (time);"
                    f"CREATE TABLE {rest} PARTITION OF {parent} DEFAULT"
                )
            if (
                partition.start is not None
                and await connection.fetchval("SELECT to_regclass($1)", partition.name) is None
            ):
                within = f"time >= {partition.start} AND time < {partition.end}"
                await connection.execute(
                    f"CREATE TABLE {partition.name} ({TYPES});"  # noqa: S608
                    f"INSERT INTO {partition.name} SELECT * FROM {rest} WHERE {within};"
                    f"DELETE FROM {rest} WHERE {within};"
                    f"ALTER TABLE {parent} ATTACH PARTITION {partition.name} "
                    f"FOR VALUES FROM ({partition.start}) TO ({partition.end})"
                )
        self._known.update((partition.name, rest))

    async def states(self, source_ids: Sequence[int]) -> dict[int, StoredState]:
        rows = await self._pool.fetch(
            "SELECT source_id, version, data FROM states "
            "WHERE data IS NOT NULL AND source_id = ANY ($1::int8[])",
            list(source_ids),
        )
        return {row[0]: StoredState(*row) for row in rows}

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
        rows = await self._pool.fetch(
            f"SELECT {', '.join(POINT_COLUMNS)} FROM points "  # noqa: S608
            f"WHERE source_id = $1 AND time BETWEEN $2 AND $3 {only}"
            "ORDER BY time, digest LIMIT $4 OFFSET $5",
            source_id,
            start,
            end,
            limit,
            skip,
        )
        return [Point(*row) for row in rows]

    async def newest(self, source_id: int, *, gnss: bool = True) -> Point | None:
        mask = FUTURE | VALID | (3 << SOURCE_SHIFT if gnss else 0)
        row = await self._pool.fetchrow(
            f"SELECT {', '.join(POINT_COLUMNS)} FROM points "  # noqa: S608
            "WHERE source_id = $1 AND latitude IS NOT NULL AND flags & $2 = $3 "
            "ORDER BY time DESC LIMIT 1",
            source_id,
            mask,
            VALID,
        )
        return Point(*row) if row else None

    async def latest(self, source_id: int, limit: int) -> list[Point]:
        rows = await self._pool.fetch(
            f"SELECT {', '.join(POINT_COLUMNS)} FROM points "  # noqa: S608
            "WHERE source_id = $1 AND flags & $2 = 0 ORDER BY time DESC, digest DESC LIMIT $3",
            source_id,
            FUTURE,
            limit,
        )
        return [Point(*row) for row in rows]

    async def count(self, source_id: int | None = None) -> int:
        if source_id is None:
            return int(await self._pool.fetchval("SELECT count(*) FROM points"))
        return int(
            await self._pool.fetchval("SELECT count(*) FROM points WHERE source_id = $1", source_id)
        )

    async def expire(self, now: int) -> int:
        gone = 0
        async with self._pool.acquire() as connection:
            for retention, name, until in await self._leaves(connection):
                if not retention:
                    continue
                before = now - retention * DAY_MS
                if until is None:
                    status = await connection.execute(
                        f"DELETE FROM {name} WHERE received < $1",  # noqa: S608
                        before,
                    )
                    gone += int(status.rpartition(" ")[2])
                elif until <= before:
                    gone += await self._drop(connection, name)
            await connection.execute("DELETE FROM untimed WHERE received < $1", now - UNTIMED_MS)
        return gone

    async def _leaves(self, connection: asyncpg.Connection) -> list[tuple[int, str, int | None]]:
        """All leaf partitions: retention, table, end of their time (None: the default one)."""
        rows: list[Any] = await connection.fetch(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound "
            "FROM pg_partition_tree('points') t JOIN pg_class c ON c.oid = t.relid "
            "WHERE t.isleaf AND c.relname <> 'points'"
        )
        found = []
        for name, bound in rows:
            retention = int(name.split("_")[1][1:])
            until = None
            if bound != "DEFAULT":
                until = int(bound.rpartition("TO (")[2].strip("')"))
            found.append((retention, name, until))
        return found

    async def _drop(self, connection: asyncpg.Connection, name: str) -> int:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", PARTITION_LOCK)
            rows = await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608
            await connection.execute(f"DROP TABLE {name}")
        self._known.discard(name)
        return int(rows)


def _holds(partition: Partition, block: Block) -> bool:
    """Do all rows of ``block`` belong to ``partition``?"""
    return (
        partition.start is not None
        and partition.end is not None
        and partition.retention == block.retention
        and partition.start <= block.first
        and block.last < partition.end
    )


def _within(partition: Partition, rows: Sequence[Row]) -> bool:
    """Do these rows, of one source and of rising times, all belong to ``partition``?"""
    first, last = rows[0], rows[-1]
    return (
        partition.start is not None
        and partition.end is not None
        and partition.retention == first[RETENTION]
        and partition.start <= first[TIME]
        and last[TIME] < partition.end
    )
