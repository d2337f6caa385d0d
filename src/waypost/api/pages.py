"""The pages beside the API: health, metrics, and what describes the API itself."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from functools import cached_property

import msgspec
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from waypost.api.dispatch import Dispatcher
from waypost.api.docs import render_docs
from waypost.api.openapi import build_openapi
from waypost.api.services import Services
from waypost.store.files import load_file

log = structlog.get_logger(__name__)

Headers = list[tuple[bytes, bytes]]
Page = tuple[int, Headers, bytes]

JSON = "application/json; charset=utf-8"
#: Paths of uploaded files.
_FILE = re.compile(r"(?:/v2|/api-v2)?/static/([A-Za-z0-9_./-]{1,200})")
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
        if method not in ("GET", "HEAD"):
            return None
        file = _FILE.fullmatch(path)
        if file is not None:
            return await self._file(file[1])
        page = self._pages.get(path.rstrip("/") or "/")
        if page is None:
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

    async def _file(self, name: str) -> Page:
        """An uploaded file. Its name stands for this content for ever."""
        try:
            async with self._services.database.read() as connection:
                file = await load_file(connection, name)
        except (SQLAlchemyError, OSError) as error:
            log.warning("file_unavailable", name=name, error=str(error))
            return _page(b"unavailable", "text/plain; charset=utf-8", 503)
        if file is None:
            return _page(b"not found", "text/plain; charset=utf-8", 404)
        headers = [
            (b"content-type", file.type.encode()),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
        ]
        return 200, headers, file.content

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
