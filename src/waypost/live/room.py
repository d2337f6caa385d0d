"""The console of one device, whoever looks at it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from waypost import tasks
from waypost.bus.base import Subscription
from waypost.bus.taps import IN, OUT, read_entry, tap_subject, watch
from waypost.commands import queue
from waypost.commands.queue import Progress
from waypost.fleet.rows import TrackerRow
from waypost.live.console_frames import output, status
from waypost.live.console_view import readable, status_rows
from waypost.live.sources import Source
from waypost.store.engine import fault_code

if TYPE_CHECKING:
    from waypost.live.console import Console
    from waypost.live.consoles import Consoles

log = structlog.get_logger(__name__)

#: Seconds between two looks at commands that are not done.
LOOK = 0.5
#: For how many seconds gateways are asked to tell the device's bytes.
WATCH_FOR = 90.0


class Room:
    """The console of one device, with everybody who looks at it."""

    def __init__(self, consoles: Consoles, row: TrackerRow) -> None:
        self.consoles = consoles
        self.row = row
        self.viewers: set[Console] = set()
        self.source: Source | None = None
        self._tap: Subscription | None = None
        #: Commands that are not done; true once people were told that one waits.
        self._pending: dict[int, bool] = {}
        self._following: asyncio.Task[None] | None = None
        self._telling = False

    async def open(self) -> None:
        self._tap = await self.consoles.bus.subscribe(tap_subject(self.row.device_id), self._heard)
        self.watch()
        self.source = self.consoles.sources.follow(self.row, self)

    async def close(self) -> None:
        if self.source is not None:
            self.consoles.sources.unfollow(self.source, self)
        if self._tap is not None:
            await self._tap.close()
        await tasks.end([self._following])

    def watch(self) -> None:
        """Asks gateways for the device's bytes."""
        watch(self.consoles.bus, self.row.device_id, WATCH_FOR)

    def _heard(self, subject: str, payload: bytes) -> None:
        entry = read_entry(payload)
        if isinstance(entry.data, str):
            self.say("*", entry.data, entry.time)
        else:
            sign = {IN: "<", OUT: ">"}.get(entry.kind, "*")
            for line in readable(entry.data):
                self.say(sign, line, entry.time)

    def say(self, sign: str, text: str, time: int | None = None) -> None:
        """A line for everybody."""
        frame = output(sign, text, self.consoles.now() if time is None else time)
        for viewer in tuple(self.viewers):
            viewer.show(frame)

    # The state.

    def mark(self, source: Source) -> None:
        """The device's state changed."""
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        frame = self.status()
        for viewer in tuple(self.viewers):
            viewer.show_status(frame)

    def status(self) -> bytes | None:
        """The frame that shows the state; None: nothing is known yet."""
        rows = status_rows(self.source.state) if self.source is not None else []
        return status(rows) if rows else None

    # Commands.

    def follow(self, command_id: int) -> None:
        """Says what becomes of a command."""
        self._pending[command_id] = False
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name="live: console commands")

    async def _follow(self) -> None:
        try:
            while self._pending:
                await asyncio.sleep(LOOK)
                try:
                    found = await self.consoles.commands.progress(list(self._pending))
                except Exception as error:
                    if fault_code(error) != 14:
                        raise
                    continue
                for one in found:
                    self._report(one)
                for command_id in self._pending.keys() - {one.id for one in found}:
                    del self._pending[command_id]
        except Exception:
            log.exception("console_commands_failed", source=self.row.source_id)
        finally:
            self._following = None

    def _report(self, progress: Progress) -> None:
        if progress.finished_at is None and progress.state != queue.ACKNOWLEDGED:
            if progress.state == queue.QUEUED and not self._pending[progress.id]:
                self._pending[progress.id] = True
                self.say("*", f"{progress.id}: waits for the device")
            return
        self._pending.pop(progress.id, None)
        if progress.state == queue.ACKNOWLEDGED:
            self.say("=", f"{progress.id}: {progress.answer or 'done'}")
        elif progress.state == queue.SENT:
            self.say("=", f"{progress.id}: sent; the device's protocol has no answers")
        else:
            told = progress.answer or progress.error or "without a reason"
            self.say("!", f"{progress.id}: {progress.state}: {told}")
