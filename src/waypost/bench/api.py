"""``waypost bench api``: what the hot calls of the API do, and what a connection costs."""

from __future__ import annotations

import socket
import time
from typing import Any

from waypost.bench.server import FIRST_IMEI, BenchError, Server, call, finish, http_request


def bench_api(
    *, database: str = "", trackers: int = 10_000, seconds: float = 4.0
) -> dict[str, Any]:
    """Registers ``trackers`` devices, lets the first hundreds report, then measures
    ``tracker/get_states`` of 100 and of 2,000, ``tracker/get_state`` and ``tracker/list``."""
    with Server(database) as server:
        started = time.perf_counter()
        server.register(trackers)
        imported = time.perf_counter() - started
        reporting = min(trackers, 2000)
        finish(
            server.load_devices(
                connections=reporting, records=1, seconds=2, start_ms=int(time.time() * 1000)
            )
        )
        login = server.first_login
        session = call(login["http"], "/user/auth", login["user"])["hash"]
        listed = call(login["http"], "/tracker/list", {"hash": session})["list"]
        if len(listed) != trackers:
            raise BenchError(f"{len(listed)} trackers are listed instead of {trackers}")
        ids = [item["id"] for item in listed]
        report: dict[str, Any] = {
            "engine": "postgresql" if database else "sqlite",
            "trackers": trackers,
            "import_seconds": round(imported, 2),
        }
        for name, path, body, connections in (
            ("get_states_100", "/tracker/get_states", {"trackers": ids[:100]}, 8),
            ("get_states_2000", "/tracker/get_states", {"trackers": ids[:2000]}, 1),
            ("get_state", "/tracker/get_state", {"tracker_id": ids[0]}, 8),
            ("list_all", "/tracker/list", {}, 1),
        ):
            request = http_request(path, {"hash": session, **body})
            server.load_http(request, connections=connections, seconds=1)
            load = server.load_http(request, connections=connections, seconds=seconds)
            report[f"{name}_per_second"] = round(load.per_second, 1)
            report[f"{name}_p50_ms"] = load.p50_ms
            report[f"{name}_errors"] = load.errors
        report["bytes_per_idle_connection"] = _idle(server, min(trackers, 10_000))
        return report


def _idle(server: Server, count: int) -> int:
    """Memory of one logged-in, silent device connection; all must still be there at the end."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    before = server.rss()
    held: list[socket.socket] = []
    for number in range(count):
        # Several loopback addresses: one has fewer than 10,000 free ports on some machines.
        held.append(
            socket.create_connection(
                ("127.0.0.1", server.ready["ports"]["teltonika"]),
                source_address=(f"127.0.0.{2 + number % 4}", 0),
            )
        )
        held[-1].sendall(b"\x00\x0f%015d" % (FIRST_IMEI + number))
    for connection in held:
        connection.settimeout(30)
        if connection.recv(1) != b"\x01":
            raise BenchError("a log-in was refused")
    each = (server.rss() - before) // count
    for connection in held:
        connection.close()
    return each
