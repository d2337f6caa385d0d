"""``waypost bench ingest``: acknowledged records a second, counted again in the database."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from waypost.bench.server import BenchError, Server, call, finish, http_request
from waypost.store.engine import asyncpg_dsn
from waypost.store.points import COLUMNS
from waypost.store.points_postgres import TYPES

#: Rows that the ceiling is measured with, and rows of one of its transactions.
CEILING_ROWS = 200_000
CEILING_BATCH = 4_000


def bench_ingest(
    *,
    database: str = "",
    connections: int = 200,
    records: int = 20,
    seconds: float = 10.0,
    api: bool = False,
) -> dict[str, Any]:
    """Measures one setting: ``connections`` devices that each send packets of ``records``
    records and wait for the acknowledgement. On PostgreSQL also the raw COPY of the same rows, in
    the same run. ``api``: also the API's latency, before the load and during another one like it
    (two clients that call without a pause take their share of the processors)."""
    with Server(database) as server:
        server.register(connections)
        before = server.points()
        quiet = server.load_http(_state_request(server), connections=2, seconds=3) if api else None
        used = server.cpu_seconds()
        begin = int(time.time() * 1000) - 366 * 86_400_000 // 2
        load = server.load_devices(
            connections=connections, records=records, seconds=seconds, start_ms=begin
        )
        result = finish(load)
        used = server.cpu_seconds() - used
        stored = server.points() - before
        report: dict[str, Any] = {
            "engine": "postgresql" if database else "sqlite",
            "connections": connections,
            "records_per_packet": records,
            "acknowledged": result.answered,
            "stored": stored,
            "records_per_second": round(result.per_second),
            "p50_ms": result.p50_ms,
            "p99_ms": result.p99_ms,
            "errors": result.errors,
            "server_cpu_seconds": round(used, 2),
            "generator_cpu_seconds": result.cpu_seconds,
        }
        if quiet is not None:
            later = begin + 60 * 86_400_000
            load = server.load_devices(
                connections=connections, records=records, seconds=seconds, start_ms=later
            )
            time.sleep(1)
            busy = server.load_http(
                _state_request(server), connections=2, seconds=max(2.0, seconds - 2)
            )
            finish(load)
            report["api_p99_ms_quiet"] = quiet.p99_ms
            report["api_p99_ms_busy"] = busy.p99_ms
            report["api_p99_ratio"] = round(busy.p99_ms / max(quiet.p99_ms, 0.01), 2)
        if stored < result.answered:
            raise BenchError(f"acknowledged records are missing: {report}")
        if database:
            server.stop()
            ceiling = asyncio.run(_ceiling(database))
            report.update(ceiling)
            share = result.per_second / ceiling["raw_copy_per_second"]
            report["share_of_raw_copy"] = round(share, 3)
        return report


def _state_request(server: Server) -> bytes:
    login = server.first_login
    answer = call(login["http"], "/user/auth", login["user"])
    trackers = call(login["http"], "/tracker/list", {"hash": answer["hash"]})["list"]
    body = {"hash": answer["hash"], "tracker_id": trackers[0]["id"]}
    return http_request("/tracker/get_state", body)


async def _ceiling(database: str) -> dict[str, Any]:
    """The raw COPY of the same rows into a table of the same columns: with the same index, in
    transactions as large as the load's, and bare, in one."""
    connection = await asyncpg.connect(asyncpg_dsn(database))
    try:
        rows = [
            tuple(row)
            for row in await connection.fetch(
                f"SELECT {', '.join(COLUMNS)} FROM points LIMIT {CEILING_ROWS}"  # noqa: S608
            )
        ]
        figures: dict[str, Any] = {}
        for name, index, batch in (
            ("raw_copy_per_second", True, CEILING_BATCH),
            ("raw_copy_without_index_per_second", False, len(rows)),
        ):
            await connection.execute(f"CREATE TABLE ceiling ({TYPES})")
            if index:
                await connection.execute("CREATE INDEX ON ceiling (source_id, time)")
            started = time.perf_counter()
            for start in range(0, len(rows), batch):
                await connection.copy_records_to_table(
                    "ceiling", records=rows[start : start + batch], columns=COLUMNS
                )
            figures[name] = round(len(rows) / (time.perf_counter() - started))
            await connection.execute("DROP TABLE ceiling")
        return figures
    finally:
        await connection.close()
