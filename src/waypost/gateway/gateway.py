"""The gateway of a process: everything that devices connect to, in one object."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from waypost.bus.base import id_in
from waypost.bus.taps import IN, NOTE
from waypost.clock import now_ms
from waypost.gateway.activity import Activity
from waypost.gateway.admission import Admission, raise_file_limit
from waypost.gateway.auto import AUTO
from waypost.gateway.commander import Commander
from waypost.gateway.inbox import Inbox
from waypost.gateway.listeners import Listeners, Protocols, plan
from waypost.gateway.metrics import GatewayMetrics
from waypost.gateway.pump import Pump
from waypost.gateway.sessions import Sessions
from waypost.gateway.tap import Tap
from waypost.protocols import all_protocols

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from waypost.bus.base import Bus, Subscription
    from waypost.commands.queue import CommandQueue
    from waypost.fleet.directory import Directory
    from waypost.gateway.identity import Identified as Connection
    from waypost.gateway.link import Link
    from waypost.ingest import Ingest
    from waypost.protocols.base import Protocol as DeviceProtocol
    from waypost.settings import Settings
    from waypost.store.engine import Database

log = structlog.get_logger()

#: A connected device's ``last_connection_at`` is renewed this often (ms).
TOUCH_MS = 300_000
#: A second connection of one device is an event at most this often (ms).
SECOND_MS = 600_000
#: Seconds that commits may take when the gateway stops, and then the last bytes.
STOP_COMMITS = 10.0
STOP_BYTES = 2.0
#: Connections looked at between two looks at the event loop.
SWEEP = 500


class Open(Protocol):
    """What the gateway asks of everything that is open."""

    @property
    def pending(self) -> Any: ...
    def check(self, now: int) -> None: ...
    def discard(self) -> None: ...
    def close(self, reason: str) -> None: ...
    def abort(self) -> None: ...


class Gateway:
    """Make it with :meth:`start`; end it with :meth:`stop`, before the ingest is closed."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        bus: Bus,
        directory: Directory,
        ingest: Ingest,
        commands: CommandQueue,
        protocols: Mapping[str, type[DeviceProtocol]] | None = None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.ingest = ingest
        self.loop = asyncio.get_running_loop()
        self.log = log
        self.protocols = Protocols(all_protocols() if protocols is None else protocols)
        fits = raise_file_limit()
        if fits < settings.connections:
            log.info("connections_limited", limit=fits, wanted=settings.connections)
        self.admission = Admission(
            min(settings.connections, fits), settings.connections_per_address
        )
        self.metrics = GatewayMetrics()
        self.tap = Tap(bus, settings.tap_bytes)
        self.sessions = Sessions()
        self.inbox = Inbox(database, settings.inbox_size)
        self.activity = Activity(database)
        self.pump = Pump(ingest)
        self.commander = Commander(commands, self.sessions, self.metrics, bus)
        #: Everything that is open: connections, UDP peers, connections still to be recognised.
        self.open: set[Open] = set()
        self.stopping = False
        #: Unlike any other gateway of the cluster, and the same after a crash.
        self.id = ""
        self._bus = bus
        self._listeners = Listeners(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._notices: Subscription | None = None
        self._seconds: dict[int, int] = {}
        self._registry: CollectorRegistry | None = None
        self.metrics.sizes = {
            "devices": ("Connected devices", lambda: len(self.sessions)),
            "backlog": ("Connections waiting to be decoded", lambda: self.pump.backlog),
            "unacknowledged": (
                "Packets waiting for their commit",
                lambda: sum(len(item.pending) for item in self.open),
            ),
        }

    @classmethod
    async def start(
        cls,
        settings: Settings,
        database: Database,
        bus: Bus,
        directory: Directory,
        ingest: Ingest,
        commands: CommandQueue,
        *,
        protocols: Mapping[str, type[DeviceProtocol]] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> Gateway:
        """Opens the ports. ``protocols``: those of the registry unless given; ``registry``: where
        the figures are shown. Raises :class:`SettingsError` for a port that cannot be opened."""
        self = cls(settings, database, bus, directory, ingest, commands, protocols)
        await self.tap.start()
        self.inbox.start()
        self.activity.start()
        self._notices = await bus.subscribe("session.*", self._on_session)
        await self._listeners.open(plan(settings, self.protocols))
        self.id = f"{socket.gethostname()}:{self.ports[AUTO]}"
        await self.commander.start(self.id, alone=settings.single_process)
        self._sweeper = asyncio.create_task(self._sweep(), name="gateway sweep")
        if registry is not None:
            registry.register(self.metrics)
            self._registry = registry
        return self

    @property
    def ports(self) -> dict[str, int]:
        """The open ports by name: protocols, ``auto`` and ``mqtt``."""
        return dict(self._listeners.ports)

    async def stop(self) -> None:
        """In order: accepts and reads no more, lets commits end and replies leave, closes."""
        self.stopping = True
        self._listeners.close_streams()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for item in list(self.open):
            item.discard()
        self.pump.stop()
        await self._until(lambda: not any(item.pending for item in self.open), STOP_COMMITS)
        await self.commander.stop()
        closing = list(self.open)
        for item in closing:
            item.close("the server stops")
        for task in list(self._tasks):
            task.cancel()
        await self._until(lambda: not any(_open_socket(item) for item in closing), STOP_BYTES)
        for item in closing:
            if _open_socket(item):
                item.abort()
        self._listeners.close_datagrams()
        for part in (self.inbox, self.activity, self.tap):
            await part.close()
        if self._notices is not None:
            await self._notices.close()
        if self._registry is not None:
            self._registry.unregister(self.metrics)

    async def _until(self, true: Any, seconds: float) -> None:
        # Asked again and again: there is no event for the last of many.
        for _ in range(int(seconds / 0.02)):
            if true():
                return
            await asyncio.sleep(0.02)

    # What connections tell.

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` beside the event loop's other tasks; a failure is logged."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("gateway_task_failed", exc_info=task.exception())

    def joined(self, connection: Connection, *, again: bool) -> None:
        """The connection's device is registered; ``again``: it was, and its record is new."""
        record = connection.record
        if record is None:
            return
        source_id = record.source_id
        older = self.sessions.of_source(source_id)
        self.sessions.know(connection, source_id)
        if not again:
            now = connection.noted = now_ms()
            self.activity.touch(source_id, record.device.device_id, now)
            self.inbox.claimed(connection.ids, shown=connection.stranger)
            connection.stranger = False
            if connection.persistent:
                self._tell(connection, source_id, is_open=True)
                for other in older:
                    if other.persistent:
                        self._second(connection, connection.address, other.address)
                        break
        self.commander.reachable(connection)

    def active(self, connection: Connection) -> None:
        """A registered device sent data."""
        now = self.pump.now
        if now - connection.noted > TOUCH_MS and connection.record is not None:
            connection.noted = now
            record = connection.record
            self.activity.touch(record.source_id, record.device.device_id, now)

    def left(self, connection: Connection, source_id: int) -> None:
        """The connection ended, or its device is another one now."""
        self.commander.left(connection, source_id)
        if connection.persistent:
            self._tell(connection, source_id, is_open=False)

    def forget(self, connection: Link) -> None:
        """The connection is over."""
        self.open.discard(connection)
        self.admission.leave(connection.host)

    def turned_away(self, address: str, limit: str) -> None:
        """A connection was refused for a limit."""
        self.metrics.refuse(limit)
        self.tap_stranger(address, None, f"refused: the setting {limit} allows no more")

    def tap_stranger(self, address: str, data: bytes | None, text: str) -> None:
        """Remembers something of an address that has no connection."""
        trace = self.tap.nameless(address)
        now = now_ms()
        if data is not None:
            self.tap.add(trace, now, IN, data, address)
        self.tap.add(trace, now, NOTE, text, address)

    # Two connections of one device.

    def _tell(self, connection: Connection, source_id: int, *, is_open: bool) -> None:
        """Tells other gateways who has the newest connection of a device."""
        if not self.settings.single_process and not self.stopping:
            word = {"gateway": self.id, "open": is_open, "address": connection.address}
            self._bus.publish(f"session.{source_id}", msgspec.msgpack.encode(word))

    def _on_session(self, subject: str, payload: bytes) -> None:
        try:
            word = msgspec.msgpack.decode(payload, type=_SessionWord)
            source_id = id_in(subject)
        except (msgspec.DecodeError, ValueError):
            return  # not one of ours
        if word.gateway == self.id:
            return
        for connection in self.sessions.of_source(source_id):
            if not connection.persistent:
                continue
            if word.open and not connection.superseded:
                self._second(connection, word.address, connection.address)
            connection.superseded = word.open
            if not word.open:
                self.commander.reachable(connection)

    def _second(self, connection: Connection, newer: str, older: str) -> None:
        """A device has two live connections: people should see that, if not too often."""
        now = now_ms()
        source_id = connection.record.source_id if connection.record is not None else 0
        if now - self._seconds.get(source_id, 0) < SECOND_MS:
            return
        if len(self._seconds) > 10_000:
            self._seconds = {key: at for key, at in self._seconds.items() if now - at < SECOND_MS}
        self._seconds[source_id] = now
        text = f"connected from {newer} while the connection from {older} is open"
        log.warning("second_connection", source=source_id, newer=newer, older=older)
        connection.note(text)
        self.activity.event(source_id, "second_connection", text, now)

    # Time.

    async def _sweep(self) -> None:
        """Ends connections that have been silent for too long."""
        hello = self.settings.connection_hello
        while True:
            await asyncio.sleep(max(min(1.0, hello / 4), len(self.open) / 20_000))
            now = now_ms()
            every = list(self.open)
            for start in range(0, len(every), SWEEP):
                for item in every[start : start + SWEEP]:
                    try:
                        item.check(now)
                    except Exception:
                        log.exception("check_failed")
                await asyncio.sleep(0)


class _SessionWord(msgspec.Struct):
    gateway: str
    open: bool
    address: str


def _open_socket(item: Open) -> bool:
    transport = getattr(item, "transport", None)
    return transport is not None and getattr(item, "gone", "") is None
