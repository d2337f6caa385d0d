"""WebSockets on the API's port: who may open one, where it leads, and their common heartbeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import structlog
from prometheus_client.registry import CollectorRegistry
from websockets.http11 import Request

from waypost import tasks
from waypost.accounts.service import Accounts
from waypost.address import Addresses
from waypost.bus.base import Bus
from waypost.catalog.errors import error_body
from waypost.commands.queue import CommandQueue
from waypost.fleet.service import Fleet
from waypost.live.consoles import Consoles
from waypost.live.events import Events
from waypost.live.framing import framing_of
from waypost.live.metrics import LiveMetrics
from waypost.live.socket import Endpoint, Rejected, Socket
from waypost.live.subscriber import Subscriber
from waypost.refusal import Refused
from waypost.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds between two looks at all connections.
BEAT = 1.0
#: Parameters of a handshake at most.
PARAMETERS = 50
#: Paths, behind ``/v2``, ``/api-v2`` or nothing; the second is the one newer clients use.
EVENTS, WRAPPED_EVENTS, CONSOLE = "event/subscription", "wse/subscription", "console"


class Live:
    """One per process that serves the API. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        accounts: Accounts,
        fleet: Fleet,
        commands: CommandQueue,
        *,
        clock: Callable[[], float] = time.time,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = LiveMetrics()
        self.events = Events(settings, bus, accounts.sessions, fleet, self.metrics, clock)
        self.consoles = Consoles(
            settings, bus, fleet, commands, self.events.sources, self.metrics, clock
        )
        #: Every connection, those in the middle of their handshake too.
        self.sockets: set[Socket] = set()
        self.metrics.sizes["sources"] = (
            "Sources that WebSocket clients follow",
            lambda: len(self.events.sources.ids),
        )
        self._addresses = Addresses(settings.trusted_proxies)
        self._any_origin = "*" in settings.api_origins
        self._origins = frozenset(settings.api_origins)
        self._registry = registry
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.events.start()
        await self.consoles.start()
        self._beating = asyncio.create_task(self._beat(), name="live: heartbeat")
        if self._registry is not None:
            self._registry.register(self.metrics)

    async def close(self) -> None:
        """To be called when the server has closed its connections."""
        if self._registry is not None:
            self._registry.unregister(self.metrics)
        await tasks.end([self._beating])
        for socket in list(self.sockets):
            socket.shutdown()
        await self.consoles.close()
        await self.events.close()

    def accept(self, connections: set[Any]) -> asyncio.Protocol:
        """What speaks WebSocket on one connection (``api.server.WebSockets``)."""
        return Socket(self, connections)

    async def open(self, request: Request, peer: str) -> Endpoint:
        """The endpoint that a handshake asks for. Raises :class:`Rejected`, :class:`Refused`."""
        if len(self.sockets) > self.settings.live_connections:
            raise Rejected(503, error_body(15)[1])
        self._check_origin(request)
        path, _, query = request.path.partition("?")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS)
        except ValueError:
            raise Refused(5) from None
        parameters = {name.lower(): value for name, value in pairs}
        for name, value in request.headers.raw_items():
            if name.lower().startswith("x-atmo"):
                parameters.setdefault(name.lower(), value)
        path = route(path)
        if path in (EVENTS, WRAPPED_EVENTS):
            hash_ = parameters.get("hash") or parameters.get("session_key")
            framing = framing_of(parameters)
            wrapped = path == WRAPPED_EVENTS
            return Subscriber(self.events, framing, wrapped=wrapped, hash=hash_ or None)
        if path == CONSOLE:
            forwarded = ",".join(request.headers.get_all("X-Forwarded-For"))
            return await self.consoles.open(parameters, self._addresses.client(peer, forwarded))
        raise Rejected(404, error_body(111)[1])

    def _check_origin(self, request: Request) -> None:
        """Browsers say whose page opens a WebSocket; others need not."""
        for origin in request.headers.get_all("Origin"):
            if not self._any_origin and origin not in self._origins:
                raise Rejected(403, error_body(13)[1])

    def rejection(self, error: Exception) -> Rejected:
        """The HTTP reply to a handshake that failed."""
        if isinstance(error, Refused):
            status, body = error_body(error.code, error.extra)
            return Rejected(403 if error.code == 4 else status, body)
        return Rejected(*error_body(*self.events.explain(error)))

    # What sockets tell.

    def opened(self, endpoint: Endpoint) -> None:
        connections = self.metrics.connections
        connections[endpoint.kind] = connections.get(endpoint.kind, 0) + 1

    def ended(self, endpoint: Endpoint) -> None:
        self.metrics.connections[endpoint.kind] -= 1

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(BEAT)
            now, patience = loop.time(), float(self.settings.live_ping)
            for at, socket in enumerate(list(self.sockets)):
                try:
                    socket.beat(now, patience)
                except Exception:
                    log.exception("live_beat_failed")
                    socket.close(1011, "internal error")
                if at % 500 == 499:
                    await asyncio.sleep(0)
            self.events.beat()
            self.consoles.beat()


def route(path: str) -> str:
    """A path without what may stand before and behind it."""
    path = path.strip("/")
    for prefix in ("v2/", "api-v2/", "panel/"):
        path = path.removeprefix(prefix)
    return path.lower()
