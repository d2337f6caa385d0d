"""The HTTP server of the API: uvicorn on a socket that is open before anybody is told of it."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from waypost.api.http import HttpApi
from waypost.settings import Settings, SettingsError

WebSockets = Callable[[set[Any]], asyncio.Protocol]
"""Makes what speaks WebSocket on one connection. It is handed the connection's transport and then
its request, as bytes; it stands in the given set while it is open, and its ``shutdown()`` is called
when the server ends."""


class _Quiet(uvicorn.Server):
    """Signals are the runtime's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(settings: Settings) -> socket.socket:
    """The API's socket. Raises :class:`SettingsError` if the address cannot be had."""
    host, _, port = settings.http.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:
        raise SettingsError(f"http: {settings.http!r} is not HOST:PORT")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, int(port)))
    except OSError as error:
        found.close()
        why = "another program does" if error.errno == errno.EADDRINUSE else error.strerror
        raise SettingsError(
            f"http: cannot listen on {settings.http}: {why}; choose another address with "
            "--http HOST:PORT (WAYPOST_HTTP, or http in waypost.toml)"
        ) from None
    found.listen(2048)
    found.setblocking(False)
    return found


def address(settings: Settings, listening: socket.socket) -> str:
    """Where the API is reached, as a URL."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  (a name for the listener, not a binding)
        host = "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{host}:{port}"


class ApiServer:
    """Serves ``api`` on ``listening`` until :meth:`close`; requests for a WebSocket go to
    ``websockets``."""

    def __init__(
        self,
        api: HttpApi,
        listening: socket.socket,
        settings: Settings,
        websockets: WebSockets | None = None,
    ) -> None:
        def upgraded(config: Any, server_state: Any, app_state: Any) -> asyncio.Protocol:
            assert websockets is not None  # noqa: S101 - not called otherwise
            return websockets(server_state.connections)

        made: Any = "none" if websockets is None else upgraded
        self._socket = listening
        self._server = _Quiet(
            uvicorn.Config(
                api,
                http="httptools",
                ws=made,
                loop="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=10,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once connections are accepted. Raises :class:`SettingsError` for a certificate
        or key that cannot be read."""
        try:
            self._server.config.load()
        except OSError as error:
            raise SettingsError(f"tls_certificate, tls_key: {error}") from None
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="http")
        while not self._server.started:
            if self._task.done():
                await self._task
                raise SettingsError("http: the server ended before it began")
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Answers what has been asked, then ends."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
