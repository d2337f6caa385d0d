"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx

from waypost.client._core import (
    SECOND_FACTOR,
    Page,
    Parameters,
    Retries,
    came_too_early,
    decode,
    encode,
    url_of,
)
from waypost.client._errors import CodeRequired, Unreachable
from waypost.client._generated.aio import Panel, User

T = TypeVar("T")


class AsyncClient(User):
    """Like :class:`~waypost.client.Client`, with calls to be awaited:
    ``await client.tracker.list()``."""

    def __init__(
        self,
        address: str,
        *,
        hash: str | None = None,
        panel_hash: str | None = None,
        timeout: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(self)
        self.panel = Panel(self)
        self.hash = hash
        self.panel_hash = panel_hash
        self._retries = retries or Retries()
        self._http = httpx.AsyncClient(base_url=address, timeout=timeout, transport=transport)

    async def log_in(
        self, login: str, password: str, *, code: Callable[[], str | Awaitable[str]] | None = None
    ) -> str:
        """Begins a session of the user API, which further calls use; its hash.

        Where the user has to bring a code from an e-mail, ``code`` is called for it; without it
        :class:`~waypost.client.CodeRequired` is raised, whose hash ``user.auth.code`` takes."""
        made = await self.user.auth(login=login, password=password)
        if made.type == SECOND_FACTOR:
            if code is None:
                raise CodeRequired(made.hash)
            self.hash = made.hash
            given = code()
            text = given if isinstance(given, str) else await given
            self.hash = await self.user.auth.code.verify(code=text)
        else:
            self.hash = made.hash
        return self.hash

    async def log_in_panel(self, login: str, password: str) -> str:
        """Begins a session of the panel, which further calls use; its hash."""
        self.panel_hash = (await self.panel.account.auth(login=login, password=password)).hash
        return self.panel_hash

    async def pages(
        self, method: Callable[..., Awaitable[Page[T]]], *, limit: int = 1000, **parameters: Any
    ) -> AsyncIterator[T]:
        """All that ``method`` lists, ``limit`` at a time."""
        offset = 0
        while True:
            page = await method(**parameters, offset=offset, limit=limit)
            for item in page.items:
                yield item
            offset += len(page.items)
            if not page.items or offset >= page.count:
                return

    async def close(self) -> None:
        """Closes the connections; the sessions go on."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def call(self, api: str, path: str, parameters: Mapping[str, Any], type_: type[T]) -> T:
        """Any action, by its API (``user`` or ``panel``) and path; its reply as ``type_``."""
        sent = encode(parameters)
        waits = self._retries.waits()
        while True:
            answer = await self._send(api, path, sent)
            wait = next(waits, None) if came_too_early(answer) else None
            if wait is None:
                return decode(answer, type_)
            await asyncio.sleep(wait)

    async def _send(self, api: str, path: str, sent: Parameters) -> httpx.Response:
        headers = sent.headers(self.panel_hash if api == "panel" else self.hash)
        try:
            return await self._http.post(url_of(api, path), headers=headers, **sent.arguments())
        except httpx.TransportError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
