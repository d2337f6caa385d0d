"""The client for programs without an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
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
from waypost.client._generated.blocking import Panel, User

T = TypeVar("T")


class Client(User):
    """A server, called on somebody's behalf: ``client.tracker.list()``,
    ``client.panel.tracker.read(tracker_id=1)``.

    ``hash`` is a session or an API key of the user API, ``panel_hash`` a session of the panel;
    :meth:`log_in` and :meth:`log_in_panel` get them. ``timeout`` is in seconds. Errors are
    :class:`~waypost.client.Refused`, ``Unreachable`` and ``UnexpectedReply``; a call that was one
    too many is made again as ``retries`` say. Several threads may use it."""

    def __init__(
        self,
        address: str,
        *,
        hash: str | None = None,
        panel_hash: str | None = None,
        timeout: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(self)
        self.panel = Panel(self)
        self.hash = hash
        self.panel_hash = panel_hash
        self._retries = retries or Retries()
        self._http = httpx.Client(base_url=address, timeout=timeout, transport=transport)

    def log_in(self, login: str, password: str, *, code: Callable[[], str] | None = None) -> str:
        """Begins a session of the user API, which further calls use; its hash.

        Where the user has to bring a code from an e-mail, ``code`` is called for it; without it
        :class:`~waypost.client.CodeRequired` is raised, whose hash ``user.auth.code`` takes."""
        made = self.user.auth(login=login, password=password)
        if made.type == SECOND_FACTOR:
            if code is None:
                raise CodeRequired(made.hash)
            self.hash = made.hash
            self.hash = self.user.auth.code.verify(code=code())
        else:
            self.hash = made.hash
        return self.hash

    def log_in_panel(self, login: str, password: str) -> str:
        """Begins a session of the panel, which further calls use; its hash."""
        self.panel_hash = self.panel.account.auth(login=login, password=password).hash
        return self.panel_hash

    def pages(
        self, method: Callable[..., Page[T]], *, limit: int = 1000, **parameters: Any
    ) -> Iterator[T]:
        """All that ``method`` lists, ``limit`` at a time:
        ``client.pages(client.panel.tracker.list, order_by="label")``."""
        offset = 0
        while True:
            page = method(**parameters, offset=offset, limit=limit)
            yield from page.items
            offset += len(page.items)
            if not page.items or offset >= page.count:
                return

    def close(self) -> None:
        """Closes the connections; the sessions go on."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, api: str, path: str, parameters: Mapping[str, Any], type_: type[T]) -> T:
        """Any action, by its API (``user`` or ``panel``) and path; its reply as ``type_``."""
        sent = encode(parameters)
        waits = self._retries.waits()
        while True:
            answer = self._send(api, path, sent)
            wait = next(waits, None) if came_too_early(answer) else None
            if wait is None:
                return decode(answer, type_)
            time.sleep(wait)

    def _send(self, api: str, path: str, sent: Parameters) -> httpx.Response:
        headers = sent.headers(self.panel_hash if api == "panel" else self.hash)
        try:
            return self._http.post(url_of(api, path), headers=headers, **sent.arguments())
        except httpx.TransportError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
