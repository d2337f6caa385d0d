"""A server with live events and consoles on a real socket, and clients of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from api_world import Clock, World
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from waypost.live import Live
from waypost.telemetry.message import Message


class Ticking(Clock):
    """The server's time: it goes on by itself, and tests may move it."""

    def __init__(self) -> None:
        self._ahead = 0

    @property
    def now(self) -> int:
        return int(time.time() * 1000) + self._ahead

    def __call__(self) -> float:
        return self.now / 1000

    def pass_(self, seconds: float) -> None:
        self._ahead += int(seconds * 1000)


class Client:
    """One WebSocket client. JSON comes as objects, anything else as text."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, message: Any) -> None:
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def text(self, timeout: float = 5) -> str:
        async with asyncio.timeout(timeout):
            return str(await self.socket.recv(decode=True))

    async def next(self, timeout: float = 5) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.text(timeout))
        return found

    async def event(self, event: str, timeout: float = 5) -> dict[str, Any]:
        """The next message of the server, which is this event."""
        found = await self.next(timeout)
        assert (found["type"], found.get("event")) == ("event", event), found
        return found

    async def output(self, sign: str, timeout: float = 5) -> str:
        """The next line of a console that begins with this sign."""
        async with asyncio.timeout(timeout):
            while True:
                found = await self.next(timeout)
                if found["type"] == "output" and found["msg"].startswith(sign):
                    return str(found["msg"][2:])

    async def silent(self, seconds: float = 0.3) -> None:
        """Nothing comes for a while."""
        try:
            found = await self.text(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"got {found}")

    async def closed(self, timeout: float = 5) -> int:
        """Waits for the end; its code."""
        try:
            while True:
                await self.text(timeout)
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd is not None else 1006


class LiveWorld:
    """A world (tests/api) with a server. ``address`` is ``ws://...``."""

    def __init__(self, world: World, live: Live, address: str) -> None:
        self.world = world
        self.live = live
        self.address = address
        self._clients: list[ClientConnection] = []

    async def connect(self, path: str = "/event/subscription", **options: Any) -> Client:
        socket = await connect(self.address + path, compression=None, max_queue=None, **options)
        self._clients.append(socket)
        return Client(socket)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    async def subscribe(
        self, *requests: dict[str, Any], who: str = "user", **more: Any
    ) -> tuple[Client, dict[str, Any]]:
        """A client that subscribed, and what it was answered."""
        client = await self.connect()
        await client.send(self.wish(*requests, who=who, **more))
        return client, await client.next()

    def wish(
        self, *requests: dict[str, Any], who: str = "user", action: str = "subscribe", **more: Any
    ) -> dict[str, Any]:
        return {
            "action": action,
            "hash": self.world.hashes[who],
            "requests": list(requests),
            **more,
        }

    async def report(self, tracker: dict[str, Any], **fields: Any) -> None:
        """What the tracker's device says now: a fix in Madrid unless ``fields`` say otherwise."""
        now = self.world.clock.now
        message: dict[str, Any] = {
            "time": now,
            "digest_of": f"{time.monotonic_ns()}".encode(),
            "latitude": 40.4,
            "longitude": -3.7,
            "speed": 30.0,
            "satellites": 9,
        }
        message.update(fields)
        await self.world.report(tracker, Message(**message))


async def until(true: Callable[[], Any], seconds: float = 5) -> None:
    """Waits until something holds."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to hold")


def all_of(event: str, **more: Any) -> dict[str, Any]:
    return {"type": event, "target": {"type": "all"}, **more}


def some_of(event: str, *trackers: dict[str, Any], **more: Any) -> dict[str, Any]:
    ids = [tracker["id"] for tracker in trackers]
    return {"type": event, "target": {"type": "selected", "tracker_ids": ids}, **more}
