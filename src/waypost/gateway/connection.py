"""What every connection does, whatever carries it: frames are decoded in order, a device's record
is waited for, messages go to the ingest, and replies leave in order once their messages are stored.

Transports subclass :class:`Connection`: they bring frames (``todo`` or :meth:`Connection.cut`) and
say how an answer is written, reading is held, and the connection is shut. The state of a
connection is its attributes; the pump gives it turns.

A device that nobody registered: its log-in is answered, the inbox shows it, its data is not
acknowledged. The newest of it is kept here, so that registering the device takes it up at once.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, ClassVar

import structlog

from waypost.fleet.device_ids import LONGEST
from waypost.gateway.clock import now_ms
from waypost.gateway.logs import limited
from waypost.gateway.tap import IN, NOTE, OUT
from waypost.protocols.base import (
    Decoded,
    Device,
    Frame,
    Hello,
    HttpReply,
    Protocol,
    ProtocolError,
)
from waypost.store.engine import is_unavailable

if TYPE_CHECKING:
    from waypost.fleet.directory import Callback, DeviceRecord
    from waypost.gateway.gateway import Gateway
    from waypost.ingest import LiveSource
    from waypost.telemetry.message import Message

log = structlog.get_logger()

#: Frames of one connection decoded in one turn.
FRAMES_PER_TURN = 8
#: Packets of one connection that may wait for their commit.
UNACKNOWLEDGED = 64
#: An unregistered device that goes on sending is looked up again after so many milliseconds: the
#: notice of its registration may have been lost.
LOOK_AGAIN_MS = 15_000

Reply = bytes | HttpReply | None


class Pending:
    """A frame whose answer waits: for the commit of its messages, or for the answers before it."""

    __slots__ = ("close", "connection", "frame", "parts", "reply")

    def __init__(
        self, connection: Connection, frame: Frame | None, reply: Reply, close: bool, parts: int
    ) -> None:
        self.connection = connection
        self.frame = frame
        self.reply = reply
        self.close = close
        #: Commits still to come.
        self.parts = parts

    def done(self, error: BaseException | None) -> None:
        """One commit is over."""
        connection = self.connection
        if error is None:
            self.parts -= 1
            connection.flush()
        elif not connection.closed:
            connection.counters.not_stored += 1
            connection.not_stored(self, str(error) or type(error).__name__)


class Connection:
    """One device connection, UDP peer or stream of requests."""

    __slots__ = (
        "address",
        "choked",
        "closed",
        "counters",
        "gateway",
        "host",
        "ids",
        "kept",
        "last_seen",
        "live",
        "looked_up",
        "model",
        "noted",
        "password",
        "pending",
        "protocol",
        "queued",
        "record",
        "since",
        "stale",
        "stranger",
        "superseded",
        "throttle",
        "todo",
        "trace",
        "unwatch",
        "waiting",
    )

    #: An open connection means that the device is there (TCP, MQTT), so that two of the same
    #: device are worth an event.
    persistent: ClassVar[bool] = True
    #: Frames of an unregistered device kept until it is claimed.
    keep: ClassVar[int] = 1
    #: Every frame is answered, even where the protocol has no reply to it.
    answers_all: ClassVar[bool] = False

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        self.gateway = gateway
        self.protocol = protocol
        self.host = host
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.counters = gateway.metrics.of(protocol.name)
        self.since = self.last_seen = now_ms()
        self.trace = gateway.tap.nameless(self.address)
        #: Ids that the device stated; empty: it has not said who it is.
        self.ids: list[str] = []
        self.model: str | None = None
        self.password: str | None = None
        self.record: DeviceRecord | None = None
        self.live: LiveSource | None = None
        #: Ends the notices about the device.
        self.unwatch: Callback | None = None
        self.todo: list[Frame] = []
        self.pending: list[Pending] = []
        self.kept: list[Frame] = []
        self.closed = False
        #: In the pump's queue.
        self.queued = False
        #: Until the device's record is found.
        self.waiting = False
        #: Nobody had registered the device when it was looked up last.
        self.stranger = False
        #: The device's record changed while it was looked up.
        self.stale = False
        #: The peer does not read what is written to it.
        self.choked = False
        #: Another gateway has a newer connection of this device.
        self.superseded = False
        #: When this turn of an unregistered device was looked up, and when the activity of a
        #: registered one was last noted (ms).
        self.looked_up = 0
        self.noted = 0
        self.throttle: Throttle | None = (
            Throttle(gateway.settings.connection_rate) if gateway.settings.connection_rate else None
        )
        self.counters.connections += 1

    # What transports say.

    def cut(self) -> bool:
        """Brings more frames into ``todo``; False: there are none."""
        return False

    def answer(self, frame: Frame | None, reply: Reply) -> None:
        """Writes the answer to ``frame``; called in the order of the frames."""
        raise NotImplementedError

    def idle(self) -> None:
        """All that had arrived is decoded."""

    def shut(self) -> None:
        """Ends the transport after what was written has left."""
        raise NotImplementedError

    def fault(self, frame: Frame | None, reason: str) -> None:
        """``frame`` (None: the stream) cannot be read."""
        self.close(reason)

    def not_stored(self, pending: Pending, reason: str) -> None:
        """The messages of a frame could not be stored: it must not be acknowledged."""
        self.close(f"not stored: {reason}")

    def unregistered(self, frame: Frame) -> None:
        """Data of a device that nobody registered arrived."""

    def unavailable(self, frame: Frame, reason: str) -> None:
        """The device's record cannot be found out now."""
        self.close(reason)

    def refuse(self, frame: Frame, reason: str) -> None:
        """The device is not who it says."""
        self.close(reason)

    @property
    def can_command(self) -> bool:
        """A command written now would reach the device."""
        return self.protocol.commands and not self.closed

    def command(self, data: bytes) -> None:
        """Writes a command."""
        raise NotImplementedError

    def check(self, now: int) -> None:
        """Ends the connection if it has been silent for too long (``now`` in ms)."""
        settings = self.gateway.settings
        if self.pending or self.waiting:
            return
        if not self.ids:
            if now - self.since > settings.connection_hello * 1000:
                self.close(f"did not say who it is within {settings.connection_hello} s")
        elif now - self.last_seen > settings.connection_idle * 1000:
            self.close(f"silent for {settings.connection_idle} s")

    # What all of them do.

    @property
    def device(self) -> Device | None:
        return self.record.device if self.record is not None else None

    @property
    def device_id(self) -> str | None:
        """The id under which the device is registered, else the first that it stated."""
        if self.record is not None:
            return self.record.device.device_id
        return self.ids[0] if self.ids else None

    def note(self, text: str) -> None:
        """Remembers what happened in the tap."""
        self.gateway.tap.add(self.trace, now_ms(), NOTE, text, self.address)

    def heard(self, data: bytes) -> None:
        """Bytes arrived."""
        self.last_seen = now = now_ms()
        self.counters.bytes_in += len(data)
        self.gateway.tap.add(self.trace, now, IN, data, self.address)

    def said(self, data: bytes) -> None:
        """Bytes were sent."""
        self.counters.bytes_out += len(data)
        self.gateway.tap.add(self.trace, now_ms(), OUT, data, self.address)

    @property
    def blocked(self) -> bool:
        """Nothing may be decoded now; whoever ends that asks for a turn."""
        return (
            self.closed
            or self.waiting
            or self.choked
            or len(self.pending) >= UNACKNOWLEDGED
            or (self.throttle is not None and self.throttle.waits(self))
        )

    def turn(self) -> None:
        """Decodes a few of the frames that have arrived."""
        for _ in range(FRAMES_PER_TURN):
            if self.blocked:
                return
            if not self.todo and not self.cut():
                if not self.closed:
                    self.idle()
                return
            self.handle(self.todo.pop(0))
        self.gateway.pump.add(self)

    def handle(self, frame: Frame) -> None:
        """Decodes a frame and does what it says, or looks the device up first."""
        self.counters.frames += 1
        if self.throttle is not None:
            self.throttle.take()
        decoded = self._decode(frame)
        if decoded is None:
            return
        hello = decoded.hello
        if hello is not None:
            if self._meets(hello, decoded.needs_device):
                self.waiting = True
                self.gateway.spawn(self._look_up(hello, decoded, frame))
                return
            if self.trace.nameless:
                self.trace = self.gateway.tap.device(self.device_id or "", self.trace)
        self.apply(decoded, frame)

    def _decode(self, frame: Frame) -> Decoded | None:
        device = self.device
        try:
            return self.protocol.decode(frame, device, unknown=device is None and bool(self.ids))
        except ProtocolError as error:
            self.counters.errors += 1
            self.fault(frame, str(error) or "not a valid frame")
        except Exception:
            self.counters.errors += 1
            log.exception("decoder_failed", protocol=self.protocol.name, device=self.device_id)
            self.fault(frame, "internal error in the decoder")
        return None

    def _meets(self, hello: Hello, needs_device: bool) -> bool:
        """Does this log-in ask for a look-up?"""
        if needs_device or not self.ids:
            return True
        if hello.device_ids == self.ids or not set(hello.device_ids) - set(self.ids):
            return self.record is None and self.gateway.pump.now - self.looked_up > LOOK_AGAIN_MS
        return True

    async def _look_up(self, hello: Hello, decoded: Decoded, frame: Frame) -> None:
        """Finds the device's record, then goes on with the frame that asked for it."""
        ids = [item for item in dict.fromkeys(hello.device_ids) if usable_id(item)]
        if not ids:
            self.waiting = False
            self.counters.errors += 1
            self.fault(frame, f"no usable device id in {hello.device_ids!r:.200}")
            return
        if ids != self.ids:
            self._leave()
            self.ids = ids
            self.gateway.sessions.add(self)
            self._watch_ids()
        self.model = hello.model or self.model
        if hello.password is not None:
            self.password = hello.password
        before = self.record
        if not await self.find_record(frame):
            return
        if before is None and self.record is not None and self.kept:
            self.claimed(frame)
        again: Decoded | None = decoded
        if decoded.needs_device:
            again = self._decode(frame)
        if again is not None:
            self.apply(again, frame)
        self.gateway.pump.add(self)

    async def find_record(self, frame: Frame | None = None) -> bool:
        """Looks the device up (again) and takes its record on. False: the connection cannot go on
        with what it was doing."""
        gateway = self.gateway
        self.waiting = True
        try:
            while True:
                self.stale = False
                record = await gateway.directory.find(self.ids)
                live = None
                if record is not None:
                    self._watch_source(record.source_id)
                    live = await gateway.ingest.open(record.source_id, record.retention_days)
                if self.closed or not self.stale:
                    break
                if live is not None:
                    gateway.ingest.release(live)
        except Exception as error:
            if not is_unavailable(error):
                log.exception("look_up_failed", device=self.device_id)
            self.waiting = False
            if not self.closed:
                self.cannot(frame, "the device cannot be looked up now")
            return False
        if self.closed:
            if live is not None:
                gateway.ingest.release(live)
            return False
        self.waiting = False
        self.looked_up = gateway.pump.now
        if record is None or live is None:
            self.drop_record()
            self._watch_ids()
            self.trace = gateway.tap.device(self.ids[0], self.trace)
            gateway.inbox.note(self, self.ids[0], None)
            self.stranger = True
            return True
        if not self._password_fits(record.device):
            gateway.ingest.release(live)
            self.drop_record()
            if frame is not None:
                self.refuse(frame, "wrong password")
            else:
                self.close("wrong password")
            return False
        again = self.record is not None and self.record.source_id == record.source_id
        self.drop_record()
        self.record, self.live = record, live
        self.trace = gateway.tap.device(record.device.device_id, self.trace)
        gateway.joined(self, again=again)
        return True

    def cannot(self, frame: Frame | None, reason: str) -> None:
        """The record cannot be found out: ``frame`` cannot be read, or the connection go on."""
        if frame is not None:
            self.unavailable(frame, reason)
        else:
            self.close(reason)

    def _watch_ids(self) -> None:
        """Be told when somebody registers the device."""
        if self.unwatch is not None:
            self.unwatch()
        self.unwatch = self.gateway.directory.watch_devices(self.ids, self.changed)

    def _watch_source(self, source_id: int) -> None:
        """Be told when the registered device changes or is given up."""
        if self.unwatch is not None:
            self.unwatch()
        self.unwatch = self.gateway.directory.watch_source(source_id, self.changed)

    def _password_fits(self, device: Device) -> bool:
        """A device that has a password of its own must have stated it, where its protocol knows
        passwords at all."""
        if not device.password or self.password is None:
            return True
        return hmac.compare_digest(device.password.encode(), self.password.encode())

    def drop_record(self) -> None:
        """Forgets the record, and gives the source back."""
        if self.record is not None:
            self.gateway.sessions.forget_source(self, self.record.source_id)
            self.record = None
        if self.live is not None:
            self.gateway.ingest.release(self.live)
            self.live = None

    def _leave(self) -> None:
        """The device at the other end is another one now, or none."""
        if self.record is not None:
            source_id = self.record.source_id
            self.drop_record()
            self.gateway.left(self, source_id)
        self.gateway.sessions.discard(self)
        if self.unwatch is not None:
            self.unwatch()
            self.unwatch = None
        self.kept = []
        self.stranger = False

    def apply(self, decoded: Decoded, frame: Frame) -> None:
        """Does what a frame said, the device's record being known (or that it has none)."""
        messages = decoded.messages
        if messages:
            self.counters.messages += len(messages)
        live = self.live
        if live is None and (messages or decoded.reply_means_stored):
            self._nobodys(decoded, frame)
            return
        if self.record is not None:
            for answer in decoded.answers:
                self.gateway.commander.answered(self, answer)
        if live is None or not messages:
            if decoded.reply is not None or decoded.close or self.answers_all:
                self.settle(frame, decoded.reply, close=decoded.close)
            return
        gateway = self.gateway
        for message in messages:
            if message.device_id is not None and message.device_id not in self.ids:
                self.waiting = True
                gateway.spawn(self._submit_for_several(live, decoded, frame))
                return
        pending = Pending(
            self, frame if self.answers_all else None, decoded.reply, decoded.close, 1
        )
        self.pending.append(pending)
        gateway.active(self)
        gateway.ingest.submit(live, messages, gateway.pump.now, pending.done)

    def _nobodys(self, decoded: Decoded, frame: Frame) -> None:
        """Data of a device that nobody registered, or that has not said who it is."""
        if not self.ids:
            self.counters.errors += 1
            self.fault(frame, "data before the device said who it is")
            return
        self.counters.unregistered += 1
        self.gateway.inbox.note(self, self.ids[0], newest_position(decoded.messages))
        self.kept.append(frame)
        if len(self.kept) > self.keep:
            del self.kept[0]
        self.unregistered(frame)
        if self.gateway.pump.now - self.looked_up > LOOK_AGAIN_MS:
            self.changed()

    async def _submit_for_several(self, own: LiveSource, decoded: Decoded, frame: Frame) -> None:
        """A packet that reports for several devices: each message goes to the device it is about.
        What is about devices that nobody registered shows in the inbox and holds up nothing: the
        acknowledgement is owed to the device that sends."""
        gateway = self.gateway
        groups: dict[str | None, list[Message]] = {}
        for message in decoded.messages:
            other = message.device_id if message.device_id not in self.ids else None
            groups.setdefault(other, []).append(message)
        targets: list[tuple[LiveSource, list[Message]]] = []
        opened: list[LiveSource] = []
        try:
            for device_id, group in groups.items():
                if device_id is None:
                    targets.append((own, group))
                    continue
                record = await gateway.directory.find([device_id]) if usable_id(device_id) else None
                if record is None:
                    gateway.inbox.note(self, device_id, newest_position(group))
                    continue
                live = await gateway.ingest.open(record.source_id, record.retention_days)
                opened.append(live)
                targets.append((live, group))
        except Exception as error:
            if not is_unavailable(error):
                log.exception("look_up_failed", device=self.device_id)
            if not self.closed:
                self.unavailable(frame, "a device cannot be looked up now")
        else:
            if not self.closed:
                self.waiting = False
                held = frame if self.answers_all else None
                pending = Pending(self, held, decoded.reply, decoded.close, len(targets))
                self.pending.append(pending)
                gateway.active(self)
                for live, group in targets:
                    gateway.ingest.submit(live, group, gateway.pump.now, pending.done)
                self.flush()
        finally:
            self.waiting = False
            for live in opened:
                gateway.ingest.release(live)
            gateway.pump.add(self)

    def settle(self, frame: Frame | None, reply: Reply, *, close: bool = False) -> None:
        """Answers a frame that stored nothing, after the answers before it."""
        pending = Pending(self, frame if self.answers_all else None, reply, close, 0)
        self.pending.append(pending)
        self.flush()

    def flush(self) -> None:
        """Writes the answers that nothing holds back any more."""
        pending = self.pending
        full = len(pending) >= UNACKNOWLEDGED
        while pending and not pending[0].parts and not self.closed:
            first = pending.pop(0)
            if first.reply is not None or self.answers_all:
                self.answer(first.frame, first.reply)
            if first.close:
                self.close("closed at the device's wish")
        if full and len(pending) < UNACKNOWLEDGED and not self.closed:
            self.gateway.pump.add(self)

    # Changes of the device while it is connected.

    def changed(self) -> None:
        """Somebody registered, changed or gave up the device."""
        if self.waiting:
            self.stale = True
        elif not self.closed:
            self.waiting = True
            self.gateway.spawn(self._renew())

    async def _renew(self) -> None:
        """Takes the device's record anew."""
        before = self.record
        if not await self.find_record():
            return
        if self.record is None and before is not None:
            self.close("the device is no longer registered")
            return
        if before is None and self.record is not None:
            self.claimed(None)
        self.gateway.pump.add(self)

    def claimed(self, newer: Frame | None) -> None:
        """Somebody registered the device: what it sent last is taken up now, unless ``newer``
        came since (then the device sends the older again)."""
        self.note("registered while connected")
        kept, self.kept = self.kept, []
        if newer is None or self.keep > 1:
            self.todo[:0] = kept

    # The end.

    def close(self, reason: str) -> None:
        """Ends the connection; ``reason`` is kept in the tap and logged."""
        if self.closed:
            return
        limited(
            "device_connection_closed",
            reason=reason,
            protocol=self.protocol.name,
            address=self.address,
            device=self.device_id,
        )
        self.end(reason)
        self.shut()

    def end(self, reason: str) -> None:
        """The connection is over: gives everything back. Once."""
        if self.closed:
            return
        self.closed = True
        self.note(f"closed: {reason}")
        self.counters.connections -= 1
        self.waiting = False
        self._leave()
        self.pending.clear()
        self.todo.clear()
        self.gateway.forget(self)


class Throttle:
    """So many frames a second on average, and as many at once (``connection_rate``)."""

    __slots__ = ("allowance", "last", "rate", "timer")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.allowance = float(rate)
        self.last = now_ms()
        self.timer = False

    def take(self) -> None:
        self.allowance -= 1.0

    def waits(self, connection: Connection) -> bool:
        """Must the connection wait? Then it gets a turn when its time has come."""
        now = now_ms()
        earned = self.allowance + (now - self.last) * self.rate / 1000
        self.allowance, self.last = min(float(self.rate), earned), now
        if self.allowance >= 1.0:
            return False
        if not self.timer:
            self.timer = True
            delay = (1.0 - self.allowance) / self.rate
            connection.gateway.loop.call_later(max(delay, 0.01), self._go_on, connection)
        return True

    def _go_on(self, connection: Connection) -> None:
        self.timer = False
        connection.gateway.pump.add(connection)


def usable_id(device_id: str) -> bool:
    """Can this be a device id at all: printable characters without white space, not too many?"""
    return (
        0 < len(device_id) <= LONGEST
        and device_id.isprintable()
        and not any(map(str.isspace, device_id))
    )


def newest_position(messages: list[Message]) -> Message | None:
    """The newest message with a location."""
    newest = None
    for message in messages:
        if message.has_location and (newest is None or (message.time or 0) >= (newest.time or 0)):
            newest = message
    return newest
