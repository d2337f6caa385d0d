"""How long after a report 5,000 subscribers hear of it, and what those cost who do not read.

    python benchmarks/live_delay.py [--subscribers 5000] [--seconds 8]

Prints one JSON object. A server of its own on SQLite, real sockets; a hundred devices report ten
times a second together, each time from another latitude, by which an event is known. ``delay`` is
from the report's last byte to the event, at a hundred subscribers (the others count only).
``slices``: each subscriber follows 20 of the devices; ``alike``: all follow the same 20;
``slow``: likewise, while 50 more follow everything, another hundred devices report as fast as they
can, and the 50 do not read; ``edits``: while a tracker's label changes twice a second.
``slow.caught_up``: how many of the 50 have the newest state of everything after they read again.
``block_ms``: until the last subscriber heard that a tracker was blocked, and ``after_block`` how
many events of it came later than that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import sys
import time
from typing import Any

import msgspec
import uvloop
from listener import Listener

from commands import Caller, Device, figures
from waypost.bench.server import BenchError, Server, call

DEVICES, SLICE, SLOW, LOOKED_AT = 100, 20, 50, 100
#: Reports a second of all devices together.
RATE = 10
#: Kinds of subscribers: what is done with what they get.
COUNT, TIME, KEEP = range(3)

_LATITUDE = re.compile(rb'"lat":([0-9.]+)')


class Ear(Listener):
    """A subscriber."""

    def __init__(self, wish: bytes, kind: int, heard: Heard) -> None:
        super().__init__(wish)
        self._kind, self._heard = kind, heard
        self.states: dict[int, dict[str, Any]] = {}

    def connection_lost(self, error: Exception | None) -> None:
        self._heard.lost += 1

    def hear(self, message: bytearray) -> None:
        heard = self._heard
        heard.frames += 1
        if message.startswith(b'{"type":"response"') or b'"action":"subscri' in message[:80]:
            heard.subscribed += 1
        elif b'"lifecycle"' in message[:60]:
            heard.lives.append(time.perf_counter())
        elif self._kind == TIME:
            found = _LATITUDE.search(message)
            sent = heard.sent.get(round(float(found[1]) * 1e6)) if found is not None else None
            if sent is not None:
                heard.delays.append((time.perf_counter() - sent) * 1000)
            if heard.blocked and b'"source_id":%d,' % heard.blocked in message:
                heard.of_blocked.append(time.perf_counter())
        elif self._kind == KEEP:
            event = msgspec.json.decode(message)
            if event.get("event") == "state_batch":
                self.states |= {one["source_id"]: one for one in event["data"]}


class Heard:
    """What all of them heard."""

    def __init__(self) -> None:
        self.frames = self.subscribed = self.lost = 0
        self.delays: list[float] = []
        self.lives: list[float] = []
        #: When the report with this latitude (10^-6 degrees) was sent.
        self.sent: dict[int, float] = {}
        self.blocked = 0
        self.of_blocked: list[float] = []


class Bench:
    def __init__(self, server: Server, subscribers: int, seconds: float) -> None:
        self.server, self.subscribers, self.seconds = server, subscribers, seconds
        self.port = int(server.ready["http"].rpartition(":")[2])
        login = server.first_login
        self.address = login["http"]
        self.session = call(self.address, "/user/auth", login["user"])["hash"]
        self.panel = call(self.address, "/panel/account/auth", login["panel"])["hash"]
        listed = call(self.address, "/tracker/list", {"hash": self.session})["list"]
        by_number = {int(one["label"].split()[-1]): one for one in listed}
        self.trackers = [by_number[number] for number in range(2 * DEVICES)]
        self.heard = Heard()
        self._latitude = 40_000_000
        self._caller: Caller

    async def open(self) -> None:
        self._caller = await Caller(self.server, self.session).open()
        self.devices = [Device(number) for number in range(DEVICES)]
        for device in self.devices:
            await device.connect(int(self.server.ready["ports"]["teltonika"]))
        await asyncio.gather(*(self._report(number) for number in range(DEVICES)))

    async def _report(self, number: int) -> None:
        self._latitude += 1
        self.heard.sent[self._latitude] = time.perf_counter()
        await self.devices[number].report(int(time.time() * 1000) - 2000, self._latitude * 10)

    async def crowd(self, wish: dict[str, Any], count: int, kind: int) -> list[Ear]:
        """Connects subscribers; returns when all were answered."""
        loop = asyncio.get_running_loop()
        text = json.dumps({"action": "subscribe", "hash": self.session, "requests": [wish]})
        wanted, ears = self.heard.subscribed + count, []
        for number in range(count):
            _, ear = await loop.create_connection(
                lambda: Ear(text.encode(), kind, self.heard),
                "127.0.0.1",
                self.port,
                local_addr=(f"127.0.0.{2 + number % 4}", 0),
            )
            ears.append(ear)
        deadline = time.perf_counter() + 30
        while self.heard.subscribed < wanted:
            if time.perf_counter() > deadline:
                raise BenchError(f"{wanted - self.heard.subscribed} were not answered")
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        return ears

    async def listen(self, slices: int) -> tuple[list[Ear], int]:
        """All subscribers, in so many groups; bytes that one costs."""
        memory = self.server.rss()
        ears: list[Ear] = []
        for number in range(slices):
            chosen = self.trackers[number * SLICE : (number + 1) * SLICE]
            wish = {"type": "state", "trackers": [one["id"] for one in chosen]}
            looked = LOOKED_AT // slices
            ears += await self.crowd(wish, looked, TIME)
            ears += await self.crowd(wish, self.subscribers // slices - looked, COUNT)
        return ears, (self.server.rss() - memory) // len(ears)

    async def pace(self, devices: int) -> dict[str, Any]:
        """Devices report in turn, at the rate that gives as many events in either case."""
        self.heard.delays.clear()
        frames, cpu, begun = self.heard.frames, self.server.cpu_seconds(), time.perf_counter()
        rate = RATE * devices // DEVICES
        for turn in range(int(self.seconds * rate)):
            await asyncio.sleep(max(begun + turn / rate - time.perf_counter(), 0))
            await self._report(turn % devices)
        await asyncio.sleep(0.5)
        span = time.perf_counter() - begun
        return {
            "events_per_second": round((self.heard.frames - frames) / span),
            "server_cpu": round((self.server.cpu_seconds() - cpu) / span, 2),
            "delay": figures(self.heard.delays),
        }

    async def slow(self) -> dict[str, Any]:
        everything = {"type": "state_batch", "target": {"type": "all"}, "rate_limit": "100ms"}
        ears = await self.crowd(everything, SLOW, KEEP)
        memory = self.server.rss()
        for ear in ears:
            ear.transport.pause_reading()
        load = self.server.load_devices(
            connections=DEVICES,
            records=1,
            seconds=self.seconds,
            start_ms=int(time.time() * 1000) - 90_000,
            first=DEVICES,
        )
        found = await self.pace(SLICE)
        found["mb_of_slow"] = round((self.server.rss() - memory) / 1e6, 1)
        await asyncio.get_running_loop().run_in_executor(None, load.communicate)
        for ear in ears:
            ear.transport.resume_reading()
        await asyncio.sleep(3)
        ids = [one["id"] for one in self.trackers]
        _, reply = await self._caller.call("/tracker/get_states", trackers=ids)
        newest = {one["source_id"]: one["gps"]["location"] for one in reply["states"].values()}
        found["caught_up"] = sum(
            all(ear.states[key]["gps"]["location"] == where for key, where in newest.items())
            for ear in ears
        )
        found["lost"] = self.heard.lost
        for ear in ears:
            ear.transport.abort()
        return found

    async def edits(self) -> dict[str, Any]:
        async def edit() -> None:
            caller = await Caller(self.server, self.session).open()
            tracker = self.trackers[0]
            for number in range(10_000):
                label = {"label": f"Van {number}", "group_id": 0}
                await caller.call("/tracker/update", tracker={"id": tracker["id"], **label})
                await asyncio.sleep(0.5)

        work = asyncio.create_task(edit())
        found = await self.pace(SLICE)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return found

    async def block(self) -> dict[str, Any]:
        heard, tracker = self.heard, self.trackers[1]
        heard.blocked = tracker["source"]["id"]
        heard.lives.clear()
        panel = await Caller(self.server, self.panel).open()
        begun = time.perf_counter()
        await panel.call("/panel/tracker/source/update", tracker_id=tracker["id"], blocked=True)
        panel.close()
        for _ in range(20):
            await asyncio.sleep(0.2)
            await self._report(1)
        last = max(heard.lives)
        return {
            "told": len(heard.lives),
            "block_ms": round((last - begun) * 1000),
            "after_block": sum(moment > last for moment in heard.of_blocked),
        }

    async def run(self) -> dict[str, Any]:
        await self.open()
        report: dict[str, Any] = {"subscribers": self.subscribers}
        ears, report["bytes_per_subscriber"] = await self.listen(DEVICES // SLICE)
        report["slices"] = await self.pace(DEVICES)
        for ear in ears:
            ear.transport.abort()
        await asyncio.sleep(1)
        ears, _ = await self.listen(1)
        self.heard.lost = 0
        report["alike"] = await self.pace(SLICE)
        report["edits"] = await self.edits()
        report["slow"] = await self.slow()
        report |= await self.block()
        return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    settings = {"WAYPOST_LIVE_CONNECTIONS_PER_USER": str(2 * options.subscribers)}
    with Server(**settings) as server:
        server.register(2 * DEVICES)
        report = uvloop.run(Bench(server, options.subscribers, options.seconds).run())
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
