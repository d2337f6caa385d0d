"""``waypost bench``: figures of this machine, as one JSON object."""

from __future__ import annotations

import json
import sys
from typing import Any

from cyclopts import App

bench = App(name="bench", help="Measure a server of its own; prints one JSON object.")


def _print(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report) + "\n")


@bench.command
def ingest(
    *,
    database: str = "",
    connections: int = 200,
    records: int = 20,
    seconds: float = 10.0,
    api: bool = False,
) -> None:
    """Acknowledged records a second, counted again in the database.

    Parameters
    ----------
    database
        PostgreSQL address; its tables are used, so give it an empty database. Without it: SQLite.
    connections
        Devices that send at once.
    records
        Records of one packet.
    seconds
        How long.
    api
        Also the API's latency, without and with the load.
    """
    from waypost.bench.ingest import bench_ingest

    _print(
        bench_ingest(
            database=database, connections=connections, records=records, seconds=seconds, api=api
        )
    )


@bench.command
def api(*, database: str = "", trackers: int = 10_000, seconds: float = 4.0) -> None:
    """Requests a second of the calls that clients repeat, and memory of an idle connection.

    Parameters
    ----------
    database
        PostgreSQL address of an empty database. Without it: SQLite.
    trackers
        Registered devices.
    seconds
        How long each call is repeated.
    """
    from waypost.bench.api import bench_api

    _print(bench_api(database=database, trackers=trackers, seconds=seconds))
