"""The pump: decodes what arrived, connection by connection, in slices of event-loop time.

Reading a socket only appends to a buffer. The pump then gives every connection with something to
do a turn, and soon (``waypost.pace``) lets the event loop do something else, so that HTTP
requests in the same process stay quick however much the devices send. While the ingest queue is
full it stands still, and connections stop reading their sockets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import Protocol

from waypost.clock import now_ms
from waypost.pace import piece_ends


class Turner(Protocol):
    """What the pump turns."""

    queued: bool

    def turn(self) -> None:
        """Does a bounded piece of work; asks the pump for another turn if there is more."""


class Queue(Protocol):
    """The ingest queue, as the pump sees it."""

    @property
    def full(self) -> bool: ...
    async def room(self) -> None: ...


class Pump:
    """One per process."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._ready: deque[Turner] = deque()
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._stopped = False
        self._waiting: asyncio.Task[None] | None = None
        #: The queue is full: whoever has bytes to read should leave them in the socket.
        self.stalled = False
        #: Milliseconds since 1970 at the beginning of this slice.
        self.now = now_ms()

    def add(self, turner: Turner) -> None:
        """Gives ``turner`` a turn, after those who asked before."""
        if not turner.queued:
            turner.queued = True
            self._ready.append(turner)
            if not self._scheduled and not self._stopped:
                self._scheduled = True
                self._loop.call_soon(self._run)

    @property
    def backlog(self) -> int:
        """How many are waiting for their turn."""
        return len(self._ready)

    def stop(self) -> None:
        """No more turns: what was read and not decoded by now is not acknowledged."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _run(self) -> None:
        ready, queue = self._ready, self._queue
        self.now = now_ms()
        end = piece_ends()
        while ready and not self._stopped:
            if queue.full:
                self.stalled = True
                self._waiting = self._loop.create_task(self._wait(), name="ingest room")
                return
            turner = ready.popleft()
            turner.queued = False
            turner.turn()
            if perf_counter() > end:
                break
        if ready and not self._stopped:
            self._loop.call_soon(self._run)
        else:
            self._scheduled = False

    async def _wait(self) -> None:
        await self._queue.room()
        self.stalled = False
        self._waiting = None
        self._run()
