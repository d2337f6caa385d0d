"""How many live events a second reach 5,000 subscribers, and what an idle one costs.

    python benchmarks/live.py [--subscribers 5000] [--seconds 8]

Prints one JSON object. A server of its own on SQLite, real sockets, devices that report as fast as
they are acknowledged. ``state``: everybody follows the same device, each report is a message to
everybody (what is too fast is coalesced). ``state_batch``: everybody follows a hundred devices that
report all the time, and is told once a second. The yardstick is what plain encoding of the same
event with the standard library's ``json`` does in a second of processor time in the same run:
``ratio`` is how many messages the server delivers in a second of its processor time, reports and
all, for each event that could have been encoded so. Subscribers run in a process of their own,
which only counts frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from typing import Any

import msgspec
import uvloop
from listener import Listener

from waypost.bench.server import Server, call, finish


class Tally:
    """What all subscribers of the process got."""

    def __init__(self) -> None:
        self.frames = 0
        self.size = 0
        self.open = 0
        self.lost = 0


class Subscriber(Listener):
    """Counts what it hears."""

    def __init__(self, tally: Tally, wish: bytes) -> None:
        super().__init__(wish)
        self._tally = tally

    def opened(self) -> None:
        self._tally.open += 1

    def connection_lost(self, error: Exception | None) -> None:
        self._tally.lost += 1

    def hear(self, message: bytearray) -> None:
        self._tally.frames += 1
        self._tally.size += len(message)


async def subscribers(port: int, count: int, wish: bytes) -> None:
    """Connects, says so, and prints its counts once a second until standard input ends."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    for number in range(count):
        await loop.create_connection(
            lambda: Subscriber(tally, wish),
            "127.0.0.1",
            port,
            local_addr=(f"127.0.0.{2 + number % 4}", 0),
        )
    ended = loop.run_in_executor(None, sys.stdin.read)
    while not ended.done():
        counts = {"time": time.time(), **vars(tally)}
        sys.stdout.write(json.dumps(counts) + "\n")
        sys.stdout.flush()
        await asyncio.wait({ended}, timeout=0.25)


class Crowd:
    """The process with the subscribers."""

    def __init__(self, server: Server, count: int, wish: dict[str, Any] | None) -> None:
        port = server.ready["http"].rpartition(":")[2]
        text = json.dumps(wish) if wish is not None else ""
        command = [sys.executable, __file__, "--as-subscribers", port, str(count), text]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        while self.counts()["open"] < count:
            pass

    def counts(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the subscribers ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def counts_at(self, moment: float) -> dict[str, Any]:
        while True:
            found = self.counts()
            if found["time"] >= moment:
                return found

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def encoded_per_second(event: dict[str, Any]) -> float:
    """How many such events the standard library encodes in a second of processor time."""
    began, count = time.process_time(), 0
    while time.process_time() - began < 1:
        for _ in range(200):
            json.dumps(event).encode()
        count += 200
    return count / (time.process_time() - began)


def measure(
    server: Server, wish: dict[str, Any], devices: int, count: int, seconds: float
) -> dict[str, Any]:
    crowd = Crowd(server, count, wish)
    crowd.counts_at(time.time() + 2)
    load = server.load_devices(
        connections=devices,
        records=1,
        seconds=seconds + 3,
        start_ms=int(time.time() * 1000) - 60_000,
    )
    before = crowd.counts_at(time.time() + 1)
    cpu = server.cpu_seconds()
    after = crowd.counts_at(before["time"] + seconds)
    cpu = server.cpu_seconds() - cpu
    done = finish(load)
    crowd.end()
    span = after["time"] - before["time"]
    frames = after["frames"] - before["frames"]
    return {
        "messages_per_second": round(frames / span),
        "messages_per_server_cpu_second": round(frames / cpu),
        "megabytes_per_second": round((after["size"] - before["size"]) / span / 1e6, 1),
        "server_cpu": round(cpu / span, 2),
        "lost": after["lost"],
        "reports_per_second": round(done.per_second),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    count = options.subscribers
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    settings = {
        "WAYPOST_LIVE_CONNECTIONS_PER_USER": str(2 * count),
        "WAYPOST_LIVE_CONNECTIONS": str(2 * count),
        "WAYPOST_LIVE_HELLO": "600",
    }
    report: dict[str, Any] = {"subscribers": count}
    with Server(**settings) as server:
        server.register(100)
        login = server.first_login
        session = call(login["http"], "/user/auth", login["user"])["hash"]
        listed = call(login["http"], "/tracker/list", {"hash": session})["list"]
        first = next(one for one in listed if one["label"] == "Load 0")
        finish(
            server.load_devices(
                connections=100, records=1, seconds=1, start_ms=int(time.time() * 1000) - 90_000
            )
        )
        before = server.rss()
        crowd = Crowd(server, count, None)
        report["bytes_per_idle_socket"] = (server.rss() - before) // count
        crowd.end()
        reply = call(
            login["http"], "/tracker/get_state", {"hash": session, "tracker_id": first["id"]}
        )
        event = {"type": "event", "event": "state", "user_time": reply["user_time"]}
        plain = encoded_per_second({**event, "data": reply["state"]})
        report["bytes_of_event"] = len(msgspec.json.encode({**event, "data": reply["state"]}))
        report["json_events_per_second"] = round(plain)

        def wish(request: dict[str, Any]) -> dict[str, Any]:
            return {"action": "subscribe", "hash": session, "requests": [request]}

        alone = {"type": "state", "trackers": [first["id"]]}
        report["state"] = measure(server, wish(alone), 1, count, options.seconds)
        told = report["state"]["messages_per_server_cpu_second"]
        report["ratio"] = round(told / plain, 2)
        every = {"type": "state_batch", "target": {"type": "all"}, "rate_limit": "1s"}
        report["state_batch"] = measure(server, wish(every), 100, count, options.seconds)
        told = report["state_batch"]["messages_per_server_cpu_second"] * 100
        report["batch_ratio"] = round(told / plain, 2)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-subscribers"]:
        uvloop.run(subscribers(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].encode()))
    else:
        main()
