"""All device consoles of a process: who may open one, and commands from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from waypost import tasks
from waypost.bus.base import Bus, Subscription, id_in
from waypost.commands.queue import CommandQueue
from waypost.fleet.console import ConsoleKey, Holder, find_key, may_command, note_command
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Fleet
from waypost.live.console import Console
from waypost.live.console_frames import Typed, output, text_of
from waypost.live.metrics import LiveMetrics
from waypost.live.room import WATCH_FOR, Room
from waypost.live.sources import Sources
from waypost.refusal import Refused, invalid
from waypost.settings import Settings
from waypost.store.engine import fault_code

log = structlog.get_logger(__name__)

#: How long a command may wait for a device that is not connected (ms): whoever typed it is gone
#: some time later.
LIFE = 5 * 60 * 1000


class Consoles:
    """All consoles of this process. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        fleet: Fleet,
        commands: CommandQueue,
        sources: Sources,
        metrics: LiveMetrics,
        clock: Callable[[], float],
    ) -> None:
        self.bus = bus
        self.commands = commands
        self.sources = sources
        self.metrics = metrics
        self._settings = settings
        self._fleet = fleet
        self._clock = clock
        self._rooms: dict[int, Room] = {}
        self._opening = asyncio.Lock()
        self._watched = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        self._subscriptions = [
            await self.bus.subscribe("fleet.source.*", self._source_changed),
            await self.bus.subscribe("accounts.dealer.*", self._dealer_changed),
        ]

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()
        await tasks.end(self._tasks)
        for room in self._rooms.values():
            await room.close()

    def now(self) -> int:
        return int(self._clock() * 1000)

    async def open(self, parameters: Mapping[str, str], address: str) -> Console:
        """The console that ``device``, ``key``, ``timestamp`` and ``dealer_id`` open. Raises
        :class:`Refused`: 7 where one is missing or wrong, 4 for a key that opens nothing, 15 for
        one viewer too many, and what :meth:`_row` says."""
        shown = ConsoleKey(_given(parameters, "key"), _integer(parameters, "timestamp"))
        dealer_id = _integer(parameters, "dealer_id")
        device = _given(parameters, "device")
        async with self._fleet.database.read() as connection:
            holder = await find_key(connection, shown, dealer_id, self.now())
        if holder is None:
            raise Refused(4)
        row = await self._row(holder)
        if device not in (str(row.id), row.device_id):
            raise Refused(201)
        viewers = sum(
            viewer.holder.panel_account_id == holder.panel_account_id
            for room in self._rooms.values()
            for viewer in room.viewers
        )
        if viewers >= self._settings.live_connections_per_user:
            raise Refused(15)
        async with self._opening:
            room = self._rooms.get(row.source_id)
            if room is None or room.row.device_id != row.device_id:
                room = Room(self, row)
                await room.open()
                self._rooms[row.source_id] = room
        return Console(room, holder, address, asyncio.get_running_loop().time())

    async def _row(self, holder: Holder) -> TrackerRow:
        """The tracker, if it has a console. Raises :class:`Refused`: 201, 252, 230 as
        ``console/connect`` does, 13 where the account may not command devices any more."""
        async with self._fleet.database.read() as connection:
            if not await may_command(connection, holder.panel_account_id):
                raise Refused(13)
        row = await self._fleet.trackers.dealer_tracker(holder.dealer_id, holder.tracker_id)
        if row is None:
            raise Refused(201)
        if row.corrupted:
            raise Refused(252)
        if row.deleted or row.blocked:
            raise Refused(230)
        return row

    async def command(self, viewer: Console, typed: Typed, address: str) -> None:
        """Writes a command down and queues it. Raises :class:`Refused`; the console is closed where
        it may not be used any more."""
        payload = typed.payload()
        holder, room = viewer.holder, viewer.room
        try:
            row = await self._row(holder)
        except Refused:
            viewer.socket.close(1008, "this console may not be used any more")
            raise
        now = self.now()
        async with self._fleet.database.begin() as connection:
            await note_command(
                connection,
                holder,
                address=address,
                now=now,
                kind=typed.type,
                command=typed.command,
                reliable=typed.reliable,
            )
        command_id = await self.commands.enqueue(
            row.source_id,
            payload,
            typed.type,
            typed.reliable,
            now=now,
            tracker_id=row.id,
            panel_account_id=holder.panel_account_id,
            life=LIFE,
        )
        self.metrics.commands += 1
        room.say("#", f"{command_id}: {typed.command}", now)
        room.follow(command_id)

    def left(self, viewer: Console) -> None:
        """The viewer is gone."""
        room = viewer.room
        room.viewers.discard(viewer)
        if not room.viewers:
            if self._rooms.get(room.row.source_id) is room:
                del self._rooms[room.row.source_id]
            self._spawn(room.close())

    def beat(self) -> None:
        """Every few seconds: gateways go on to tell, and rooms that nobody came into are closed."""
        now = asyncio.get_running_loop().time()
        if now - self._watched > WATCH_FOR / 3:
            self._watched = now
            for room in self._rooms.values():
                room.watch()
        if not self._opening.locked():
            for source_id, room in list(self._rooms.items()):
                if not room.viewers:
                    del self._rooms[source_id]
                    self._spawn(room.close())

    # What changed.

    def _source_changed(self, subject: str, payload: bytes) -> None:
        room = self._rooms.get(id_in(subject))
        for viewer in room.viewers if room is not None else ():
            self.review(viewer)

    def _dealer_changed(self, subject: str, payload: bytes) -> None:
        dealer_id = id_in(subject)
        for room in self._rooms.values():
            for viewer in room.viewers:
                if viewer.holder.dealer_id == dealer_id:
                    self.review(viewer)

    def review(self, viewer: Console) -> None:
        """Closes the console where it may not be used any more, or is of another device now."""
        self._spawn(self._review(viewer))

    async def _review(self, viewer: Console) -> None:
        reason = None
        try:
            row = await self._row(viewer.holder)
            if row.device_id != viewer.room.row.device_id:
                reason = "the tracker has another device now"
        except Refused as refused:
            reason = text_of(refused.code)
        except Exception as error:
            if fault_code(error) != 14:
                raise
        if reason is not None:
            viewer.show(output("!", reason, self.now()))
            viewer.socket.close(1008, reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("console_failed", exc_info=task.exception())


def _given(parameters: Mapping[str, str], name: str) -> str:
    value = parameters.get(name, "")
    if not value or len(value) > 200:
        raise invalid(name, "is required")
    return value


def _integer(parameters: Mapping[str, str], name: str) -> int:
    value = _given(parameters, name)
    if not value.isascii() or not value.isdigit() or len(value) > 15:
        raise invalid(name, "must be an integer")
    return int(value)
