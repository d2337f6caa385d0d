"""The bus inside one process: deliveries happen at once, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog

from waypost.bus.base import Handler, matches

log = structlog.get_logger()


class Dispatcher:
    """Which handler wants which subject. Patterns are sorted by their first word, so that a
    message meets only the few that can match it."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[tuple[str, Handler]]] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    def add(self, pattern: str, handler: Handler) -> None:
        self._handlers.setdefault(pattern.partition(".")[0], []).append((pattern, handler))

    def remove(self, pattern: str, handler: Handler) -> None:
        entries = self._handlers.get(pattern.partition(".")[0], [])
        if (pattern, handler) in entries:
            entries.remove((pattern, handler))

    def dispatch(self, subject: str, payload: bytes) -> None:
        """Calls every handler of ``subject``; one that fails holds up no other."""
        first = subject.partition(".")[0]
        entries = self._handlers.get(first, ())
        if "*" in self._handlers or ">" in self._handlers:
            wild = (*self._handlers.get("*", ()), *self._handlers.get(">", ()))
            entries = [*entries, *wild]
        for pattern, handler in tuple(entries):
            if not matches(pattern, subject):
                continue
            self.call(handler, subject, payload)

    def call(self, handler: Handler, subject: str, payload: bytes) -> None:
        """One delivery; a handler that fails is logged."""
        try:
            result = handler(subject, payload)
        except Exception:
            log.exception("bus_handler_failed", subject=subject)
            return
        if result is not None:
            self.follow(result, subject)

    def follow(self, work: Awaitable[None], subject: str) -> None:
        """Sees ``work`` through, and logs its failure."""

        async def run() -> None:
            try:
                await work
            except Exception:
                log.exception("bus_handler_failed", subject=subject)

        task = asyncio.ensure_future(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Waits for the handlers that are still at work."""
        while self._tasks:
            await asyncio.wait(self._tasks)


class _LocalSubscription:
    def __init__(self, dispatcher: Dispatcher, pattern: str, handler: Handler) -> None:
        self._dispatcher = dispatcher
        self._pattern = pattern
        self._handler = handler

    async def close(self) -> None:
        self._dispatcher.remove(self._pattern, self._handler)


class LocalBus:
    """The bus of the embedded size."""

    def __init__(self) -> None:
        self._dispatcher = Dispatcher()

    def publish(self, subject: str, payload: bytes = b"") -> None:
        self._dispatcher.dispatch(subject, payload)

    async def subscribe(self, pattern: str, handler: Handler) -> _LocalSubscription:
        self._dispatcher.add(pattern, handler)
        return _LocalSubscription(self._dispatcher, pattern, handler)

    async def close(self) -> None:
        await self._dispatcher.drain()
