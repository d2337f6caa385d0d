"""From the queue of commands to live connections, and the answers back.

A source has a worker only while it has commands to send here. It claims one attempt after the
other, writes it to the newest connection and waits for the answer; where the protocol takes several
commands at a time, it does not wait before the next. Notices on the bus are hints: the queue is
also looked at when a device connects and every now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import structlog

from waypost.clock import now_ms
from waypost.commands.queue import Attempt, CommandQueue
from waypost.commands.shown import hide_in_answer
from waypost.fleet.outgoing import TYPED
from waypost.gateway.batch import comes_back
from waypost.protocols.base import Answer, Command, CommandError, Device, Encoded, Protocol

if TYPE_CHECKING:
    from waypost.bus.base import Bus, Subscription
    from waypost.gateway.identity import Identified as Connection
    from waypost.gateway.metrics import GatewayMetrics
    from waypost.gateway.sessions import Sessions

log = structlog.get_logger()

T = TypeVar("T")

#: Devices that connect within so many seconds are looked up in the queue together.
GATHER = 0.02
#: Seconds between two looks at the whole queue.
LOOK = 30.0
#: Commands of one device under way at once, where its protocol allows several.
FLIGHTS = 8
#: Instructions of many lines say after so many seconds that they are still under way.
SIGN = 30.0
#: Seconds until the next try while the database is away.
RETRY = 2.0


class Flight:
    """An attempt that is written to a connection, line by line, and not answered yet."""

    __slots__ = ("attempt", "connection", "key", "result", "secrets", "signed", "steps")

    def __init__(
        self,
        attempt: Attempt,
        connection: Connection,
        steps: list[Encoded],
        secrets: tuple[str, ...],
    ) -> None:
        self.attempt = attempt
        self.connection = connection
        #: What people must not see, should the device repeat it.
        self.secrets = secrets
        #: What is still to be written.
        self.steps = steps
        self.key: str | None = None
        #: When the queue heard of it last.
        self.signed = now_ms()
        #: The answer to the line written last, or None where the connection ended before it.
        self.result: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    def go_on(self) -> bool:
        """Writes up to the next line that will be answered; False: there was none."""
        while self.steps:
            step = self.steps.pop(0)
            if step.answered:
                self.key = step.key
                self.result = asyncio.get_running_loop().create_future()
                self.connection.command(step.data)
                return True
            self.connection.command(step.data)
        return False


def _steps(
    protocol: Protocol, command: Command, device: Device
) -> tuple[list[Encoded], tuple[str, ...]]:
    """What is written for a command, and the secrets in it. Raises :class:`CommandError`."""
    if command.kind in TYPED:
        return [protocol.encode(command, device)], ()
    lines = protocol.instructions(command, device)
    if not lines:
        raise CommandError(f"{protocol.name} needs nothing said for: {command.kind}")
    steps = [protocol.encode(Command(command.id, line.text.encode()), device) for line in lines]
    return steps, tuple(secret for line in lines for secret in line.secrets)


class Commander:
    """One per gateway."""

    def __init__(
        self,
        queue: CommandQueue,
        sessions: Sessions,
        metrics: GatewayMetrics,
        bus: Bus,
    ) -> None:
        self._queue = queue
        self._sessions = sessions
        self._metrics = metrics
        self._bus = bus
        self._id = ""
        self._loop = asyncio.get_running_loop()
        self._flights: dict[int, list[Flight]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        #: Woken while its worker was about to end.
        self._again: set[int] = set()
        #: When the next try of a source is due.
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._arrived: set[int] = set()
        self._gathering: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        #: Not before :meth:`start`, and not after :meth:`stop`.
        self._stopping = True

    async def start(self, gateway_id: str, *, alone: bool) -> None:
        """Takes up what a crash left, then begins. ``alone``: there is no other gateway, so all
        that was under way was this one's, whatever its name was."""
        self._id = gateway_id
        self._stopping = False
        left = None if alone else gateway_id
        await self._persist(lambda: self._queue.recover(left, now=now_ms()))
        self._subscription = await self._bus.subscribe("command.*", self._on_notice)
        self._spawn(self._look())

    async def stop(self) -> None:
        """Gives back what is under way."""
        self._stopping = True
        if self._subscription is not None:
            await self._subscription.close()
        if self._gathering is not None:
            self._gathering.cancel()
        for timer in self._timers.values():
            timer.cancel()
        for flight in [flight for here in self._flights.values() for flight in here]:
            if not flight.result.done():
                flight.result.set_result(None)
        for task in (*self._workers.values(), *self._tasks):
            if task.get_name() == "command look":
                task.cancel()
        pending = {*self._workers.values(), *self._tasks}
        if pending:
            _, late = await asyncio.wait(pending, timeout=5)
            for task in late:
                task.cancel()

    # What the gateway tells.

    def reachable(self, connection: Connection) -> None:
        """A registered device connected, or a UDP peer was heard again: is there something?"""
        if connection.record is None or not connection.protocol.commands or self._stopping:
            return
        self._arrived.add(connection.record.source_id)
        if self._gathering is None:
            self._gathering = self._loop.call_later(GATHER, self._gathered)

    def left(self, connection: Connection, source_id: int) -> None:
        """A connection ended, or its device is another one now."""
        for flight in self._flights.get(source_id, ()):
            if flight.connection is connection and not flight.result.done():
                flight.result.set_result(None)

    def answered(self, connection: Connection, answer: Answer) -> None:
        """The device answered a command."""
        if connection.record is None:
            return
        source_id = connection.record.source_id
        flights = [
            flight for flight in self._flights.get(source_id, ()) if not flight.result.done()
        ]
        for flight in flights:
            if answer.key is None or answer.key == flight.key:
                flight.result.set_result(answer)
                return
        self._spawn(self._late(source_id, answer))

    def _on_notice(self, subject: str, payload: bytes) -> None:
        word = subject.rpartition(".")[2]
        if word.isdigit():
            self._wake(int(word))

    # Waking up.

    def _gathered(self) -> None:
        self._gathering = None
        arrived, self._arrived = self._arrived, set()
        self._spawn(self._wake_waiting(arrived))

    async def _wake_waiting(self, source_ids: set[int]) -> None:
        waiting = await self._persist(lambda: self._queue.waiting(source_ids))
        for source_id in waiting or ():
            self._wake(source_id)

    def _wake(self, source_id: int) -> None:
        if self._stopping or self._target(source_id) is None:
            return
        if source_id in self._workers:
            self._again.add(source_id)
            return
        task = asyncio.create_task(self._work(source_id), name=f"commands of {source_id}")
        self._workers[source_id] = task
        task.add_done_callback(lambda done: self._worked(source_id, done))

    def _wake_later(self, source_id: int, due: int) -> None:
        timer = self._timers.get(source_id)
        if timer is not None:
            timer.cancel()
        delay = max(due - now_ms(), 0) / 1000
        self._timers[source_id] = self._loop.call_later(delay, self._is_due, source_id)

    def _is_due(self, source_id: int) -> None:
        del self._timers[source_id]
        self._wake(source_id)

    def _worked(self, source_id: int, task: asyncio.Task[None]) -> None:
        del self._workers[source_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("command_worker_failed", source=source_id, exc_info=task.exception())
        if source_id in self._again:
            self._again.discard(source_id)
            self._wake(source_id)

    async def _look(self) -> None:
        """Looks at the whole queue every now and then."""
        asyncio.current_task().set_name("command look")  # type: ignore[union-attr]
        while not self._stopping:
            await self._wake_waiting(set(self._sessions.source_ids))
            await asyncio.sleep(LOOK)

    # Sending.

    def _target(self, source_id: int) -> Connection | None:
        """The newest connection that a command can be written to."""
        for connection in reversed(self._sessions.of_source(source_id)):
            if connection.can_command and not connection.superseded:
                return connection
        return None

    async def _work(self, source_id: int) -> None:
        while not self._stopping:
            connection = self._target(source_id)
            if connection is None:
                return
            flights = self._flights.get(source_id, [])
            if flights and (connection.protocol.one_command_at_a_time or len(flights) >= FLIGHTS):
                waits = [flight.result for flight in flights]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0)  # the flight's own task takes it off
                continue
            try:
                attempt, due = await self._queue.claim(source_id, self._id, now=now_ms())
            except Exception as error:
                if not comes_back(error):
                    raise
                await asyncio.sleep(RETRY)
                continue
            if attempt is None:
                if due is not None:
                    self._wake_later(source_id, due)
                return
            await self._send(attempt, connection)

    async def _send(self, attempt: Attempt, connection: Connection) -> None:
        """Writes a claimed attempt to the connection and follows it up."""
        queue = self._queue
        device = connection.device
        if device is None:
            await self._end(attempt, "disconnected", queue.disconnected)
            return
        command = Command(attempt.command_id, attempt.payload, attempt.kind)
        try:
            steps, secrets = _steps(connection.protocol, command, device)
        except CommandError as error:
            reason = str(error) or "the protocol cannot carry it"
            await self._end(attempt, "refused", queue.refused, reason)
            return
        except Exception:
            log.exception("encoder_failed", protocol=connection.protocol.name)
            reason = "internal error in the encoder"
            await self._end(attempt, "refused", queue.refused, reason)
            return
        key = steps[0].key
        if key is not None and command.kind in TYPED:
            await self._persist(lambda: queue.keyed(attempt, key))
        if not connection.can_command:
            await self._end(attempt, "disconnected", queue.disconnected)
            return
        flight = Flight(attempt, connection, steps, secrets)
        if not flight.go_on():
            await self._end(attempt, "unanswered", queue.delivered)
            return
        self._flights.setdefault(attempt.source_id, []).append(flight)
        self._spawn(self._follow(flight))

    async def _follow(self, flight: Flight) -> None:
        """Waits for the answers to an attempt, and writes one line after the other."""
        attempt, queue = flight.attempt, self._queue
        answer, late = await self._answer(flight)
        said = [answer.text] if answer is not None else []
        while answer is not None and answer.ok and flight.connection.can_command:
            if not flight.go_on():
                break
            if now_ms() - flight.signed > SIGN * 1000:
                flight.signed = now_ms()
                await self._persist(lambda: queue.goes_on(attempt, now=flight.signed))
            answer, late = await self._answer(flight)
            if answer is not None:
                said.append(answer.text)
        here = self._flights[attempt.source_id]
        here.remove(flight)
        if not here:
            del self._flights[attempt.source_id]
        if late:
            await self._end(attempt, "timeout", queue.timed_out)
        elif answer is None or (answer.ok and flight.steps):
            await self._end(attempt, "disconnected", queue.disconnected)
        else:
            text = hide_in_answer("\n".join(said), flight.secrets)
            await self._end(attempt, "answered", queue.answered, text, ok=answer.ok)
        self._wake(attempt.source_id)

    async def _answer(self, flight: Flight) -> tuple[Answer | None, bool]:
        """The answer to the line that was written last; None: the connection ended, or (True)
        there was none in time."""
        done, _ = await asyncio.wait({flight.result}, timeout=self._queue.timeout / 1000)
        if not done:
            flight.result.set_result(None)
        return flight.result.result(), not done

    async def _late(self, source_id: int, answer: Answer) -> None:
        counted = await self._persist(
            lambda: self._queue.late_answer(
                source_id, answer.text, key=answer.key, ok=answer.ok, now=now_ms()
            )
        )
        if not counted:
            log.debug("answer_to_nothing", source=source_id, text=answer.text[:200])

    async def _end(
        self,
        attempt: Attempt,
        outcome: str,
        write: Callable[..., Awaitable[None]],
        *said: str,
        **how: bool,
    ) -> None:
        """Writes down what became of an attempt."""
        self._metrics.command(outcome)
        log.info("command", outcome=outcome, command=attempt.command_id, source=attempt.source_id)
        await self._persist(lambda: write(attempt, *said, **how, now=now_ms()))

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T | None:
        """Goes on until the database has it; None where the gateway stops before that (then
        ``recover`` finds the attempt at the next start)."""
        while True:
            try:
                return await write()
            except Exception as error:
                if not comes_back(error):
                    log.exception("command_queue_failed")
                    return None
            if self._stopping:
                return None
            await asyncio.sleep(RETRY)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
