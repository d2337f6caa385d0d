"""People who watch, at an API process that no device connects to and where nobody changes
anything: what happens elsewhere comes through the bus."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from platform_process import Platform, Tracker, record
from test_many_machines import IMEI, nats_url  # noqa: F401 - a fixture
from websockets.sync.client import ClientConnection, connect

OTHER = "352093081452269"


def wish(hash_: str) -> str:
    batch = {"type": "state_batch", "target": {"type": "all"}, "rate_limit": "100ms"}
    return json.dumps({"action": "subscribe", "hash": hash_, "requests": [batch]})


def until(client: ClientConnection, **wanted: Any) -> dict[str, Any]:
    """The next message that says this."""
    while True:
        found: dict[str, Any] = json.loads(client.recv(10))
        if all(found.get(name) == value for name, value in wanted.items()):
            return found


def latitudes(client: ClientConnection, seconds: float) -> dict[int, float]:
    """The newest latitude of each source in what comes for so long."""
    found: dict[int, float] = {}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            message = json.loads(client.recv(left))
        except TimeoutError:
            break
        if message.get("event") == "state_batch":
            found |= {one["source_id"]: one["gps"]["location"]["lat"] for one in message["data"]}
    return found


def test_live_events_and_a_console_across_processes(
    postgres: str,
    nats_url: str,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    shared = {"WAYPOST_DATABASE": postgres, "WAYPOST_NATS": nats_url}

    def role(name: str, folder: str) -> Platform:
        return Platform(tmp_path / folder, "--role", name, **shared)

    with role("api", "a") as api, role("api", "b") as far, role("gateway", "c") as gateway:
        sockets = far.ready["http"].replace("http", "ws")
        master, session, panel = api.user_hash(), api.user_hash(), api.panel_hash()
        one, two = api.register(master, IMEI), api.register(master, OTHER)
        sources = {one["source"]["id"], two["source"]["id"]}
        now = time.time_ns() // 1_000_000
        devices = [Tracker(number, gateway.port("teltonika")) for number in (IMEI, OTHER)]
        with connect(f"{sockets}/event/subscription") as watcher:
            watcher.send(wish(session))
            assert until(watcher, type="response")["data"]["state_batch"]["success"]
            assert {one["source_id"] for one in until(watcher, event="state_batch")["data"]} == (
                sources
            )
            for number, device in enumerate(devices):
                assert device.send(record(now - 9000, 50.1 + number, 10, 30)) == 1
            assert sorted(latitudes(watcher, 2).values()) == [50.1, 51.1]

            block = {"hash": panel, "tracker_id": two["id"]}
            assert api.call("panel/tracker/source/update", **block, blocked=True)["success"]
            event = until(watcher, event="lifecycle")["data"]
            assert event == {"source_id": two["source"]["id"], "lifecycle_event": "block"}
            assert api.call("user/logout", hash=session)["success"]
            until(watcher, event="logout")
            assert devices[0].send(record(now - 8000, 52.1, 10, 30)) == 1
            assert latitudes(watcher, 1) == {}

        made = api.call("panel/tracker/console/connect", hash=panel, tracker_id=one["id"])
        key = f"key={made['key']}&timestamp={made['timestamp']}&dealer_id=1&device={one['id']}"
        with connect(f"{sockets}/console?{key}") as console:
            console.send("getinfo")
            assert devices[0].command() == "getinfo"
            lines = []
            while not lines or not lines[-1].startswith("="):
                lines.append(until(console, type="output")["msg"])
            assert lines[-1].endswith("done: getinfo")
            assert any(line.startswith("> ") for line in lines)
            assert any(line.startswith("< ") for line in lines)
        for device in devices:
            device.close()
