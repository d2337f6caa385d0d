"""The pages beside the API: health, metrics, and what describes the API itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import cached_property

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from waypost.api.dispatch import Dispatcher
from waypost.api.docs import render_docs
from waypost.api.openapi import build_openapi
from waypost.api.services import Services

Headers = list[tuple[bytes, bytes]]
Page = tuple[int, Headers, bytes]

JSON = "application/json; charset=utf-8"
#: Seconds that the database has to answer ``/readyz``.
PATIENCE = 3


class Pages:
    """Answers the fixed paths."""

    def __init__(self, services: Services, dispatcher: Dispatcher) -> None:
        self._services = services
        self._dispatcher = dispatcher
        self._pages: dict[str, Callable[[], Page | Awaitable[Page]]] = {
            "/": self._root,
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
            "/docs": self._docs,
        }

    async def find(self, method: str, path: str) -> Page | None:
        """The page at a path; None: there is none."""
        page = self._pages.get(path)
        if page is None or method not in ("GET", "HEAD"):
            return None
        answer = page()
        return await answer if inspect.isawaitable(answer) else answer

    def _root(self) -> Page:
        return 302, [(b"location", b"/docs")], b""

    def _health(self) -> Page:
        """This process runs."""
        return _page(b'{"healthy":true}', JSON)

    async def _ready(self) -> Page:
        """This process can do its work: 200, else 503 with what is missing."""
        checks = {"database": await self._database()}
        checks.update({name: check() for name, check in self._services.health.items()})
        ready = all(checks.values())
        body = msgspec.json.encode({"ready": ready, "checks": checks})
        return _page(body, JSON, 200 if ready else 503)

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE), self._services.database.read() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - whatever it is, the answer is no
            return False
        return True

    def _metrics(self) -> Page:
        return _page(generate_latest(), CONTENT_TYPE_LATEST)

    def _openapi(self) -> Page:
        return _page(self._openapi_text, JSON)

    @cached_property
    def _openapi_text(self) -> bytes:
        return msgspec.json.encode(build_openapi(self._dispatcher.actions))

    def _docs(self) -> Page:
        return _page(self._docs_text, "text/html; charset=utf-8")

    @cached_property
    def _docs_text(self) -> bytes:
        return render_docs(self._dispatcher.actions)


def _page(body: bytes, content_type: str, status: int = 200) -> Page:
    return status, [(b"content-type", content_type.encode())], body
