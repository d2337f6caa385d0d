"""The bus between processes: NATS, core publish and subscribe.

A process hears its own messages at once and directly; those of others come over NATS, each marked
with who sent it, so that nothing is heard twice. While NATS is away, what is published reaches
only this process: everything on the bus is a hint, and whoever acts on hints also looks at the
database from time to time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.errors import Error as NatsError

from waypost.bus.base import Handler
from waypost.bus.local import Dispatcher

log = structlog.get_logger()

#: All subjects begin with this on the wire, so that a NATS server can be shared.
PREFIX = "waypost."
ORIGIN = 8
#: Bytes kept for NATS while it is away; beyond this, messages are dropped with a log line.
PENDING = 8 * 1024 * 1024
#: Seconds that the first connection may take.
CONNECT = 10


class _Subscription:
    def __init__(
        self, bus: NatsBus, pattern: str, handler: Handler, wire: NatsSubscription
    ) -> None:
        self._bus = bus
        self._pattern = pattern
        self._handler = handler
        self._wire = wire

    async def close(self) -> None:
        self._bus.dispatcher.remove(self._pattern, self._handler)
        try:
            await self._wire.unsubscribe()
        except NatsError as error:
            log.debug("nats_unsubscribe", error=str(error))


class NatsBus:
    """The bus of the large size. Make it with :meth:`open`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._origin = secrets.token_bytes(ORIGIN)
        self._dropping = False
        self._outbox: deque[tuple[str, bytes]] = deque()
        self.dispatcher = Dispatcher()

    @classmethod
    async def open(cls, url: str, on_reconnect: Callable[[], None] | None = None) -> NatsBus:
        """Connects; raises OSError or a NATS error if no server at ``url`` answers in time.
        ``on_reconnect`` is called when the connection is back after a loss: hints were missed."""

        async def lost() -> None:
            log.warning("nats_lost")

        async def back() -> None:
            log.info("nats_back")
            if on_reconnect is not None:
                on_reconnect()

        async def failed(error: Exception) -> None:
            log.debug("nats_error", error=str(error))

        options: dict[str, Any] = {
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.5,
            "connect_timeout": 5,
            "pending_size": PENDING,
        }
        connecting = asyncio.create_task(
            nats.connect(
                url,
                allow_reconnect=True,
                disconnected_cb=lost,
                reconnected_cb=back,
                error_cb=failed,
                name="waypost",
                **options,
            )
        )
        try:
            # A client that connects again for ever tries for ever the first time, too.
            await asyncio.wait([connecting], timeout=CONNECT)
            if not connecting.done():
                raise TimeoutError(f"no answer within {CONNECT} s")
            return cls(connecting.result())
        finally:
            # Its ``asyncio.wait_for`` loses a cancellation that meets a refused connection
            # (Python 3.11), and it would go on.
            while not connecting.done():
                connecting.cancel()
                await asyncio.wait([connecting], timeout=0.1)
            if not connecting.cancelled():
                connecting.exception()  # nobody else asks for it where the start was given up

    def publish(self, subject: str, payload: bytes = b"") -> None:
        self.dispatcher.dispatch(subject, payload)
        self._outbox.append((subject, payload))
        if len(self._outbox) == 1:
            self.dispatcher.follow(self._send(), subject)

    async def _send(self) -> None:
        """Sends what this turn of the event loop has published, and what comes meanwhile."""
        outbox = self._outbox
        while outbox:
            subject, payload = outbox[0]
            try:
                await self._client.publish(PREFIX + subject, self._origin + payload)
                self._dropping = False
            except (NatsError, OSError) as error:
                if not self._dropping:
                    self._dropping = True
                    log.warning("nats_publish_failed", subject=subject, error=str(error))
            outbox.popleft()

    async def subscribe(self, pattern: str, handler: Handler) -> _Subscription:
        async def received(message: Msg) -> None:
            if message.data[:ORIGIN] != self._origin:
                subject = message.subject.removeprefix(PREFIX)
                self.dispatcher.call(handler, subject, message.data[ORIGIN:])

        self.dispatcher.add(pattern, handler)
        wire = await self._client.subscribe(PREFIX + pattern, cb=received)
        return _Subscription(self, pattern, handler, wire)

    async def close(self) -> None:
        await self.dispatcher.drain()
        try:
            await self._client.drain()
        except (NatsError, OSError) as error:
            log.debug("nats_drain", error=str(error))
