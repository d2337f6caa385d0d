"""A provider with an HTTP API, as tests want it: a real server, with every bad habit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import uvicorn


class HttpProvider:
    """``requests`` is what came: method, path, query, headers, body."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.url = ""
        #: What the next requests are answered with, then 200 and an id: status and body; None:
        #: a byte now and then, and never an end.
        self.answers: list[tuple[int, bytes] | None] = []
        self.outstanding = 0
        self.most = 0
        self.slow = 0.0
        self.gone = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.requests.append(
            {
                "method": scope["method"],
                "path": scope["path"],
                "raw_path": scope["raw_path"].decode(),
                "query": {
                    name: values[0]
                    for name, values in parse_qs(
                        scope["query_string"].decode(), keep_blank_values=True
                    ).items()
                },
                "headers": {
                    name.decode(): value.decode("latin-1") for name, value in scope["headers"]
                },
                "body": body,
            }
        )
        number = len(self.requests)
        self.outstanding += 1
        self.most = max(self.most, self.outstanding)
        answer = self.answers.pop(0) if self.answers else (200, b'{"id": "h-%d"}' % number)
        if self.slow:
            await asyncio.sleep(self.slow)
        if answer is None:
            # Bytes come, an answer never.
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while (await _soon(receive)) != "http.disconnect":
                await send({"type": "http.response.body", "body": b".", "more_body": True})
            self.outstanding -= 1
            self.gone.set()
            return
        self.outstanding -= 1
        status, text = answer
        headers = [(b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})


async def _soon(receive: Any) -> str | None:
    try:
        async with asyncio.timeout(0.2):
            return str((await receive())["type"])
    except TimeoutError:
        return None


@asynccontextmanager
async def open_provider() -> AsyncIterator[HttpProvider]:
    """The provider, listening."""
    provider = HttpProvider()
    config = uvicorn.Config(provider, "127.0.0.1", 0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    # It listens before the server runs: nobody has to wait until it does.
    listening = socket.create_server(("127.0.0.1", 0))
    provider.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield provider
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
        listening.close()
