"""What every connection does, whatever carries it: frames are decoded in order, a device's record
is waited for, messages go to the ingest, and replies leave in order once their messages are stored.

A device that nobody registered: its log-in is answered, the inbox shows it, its data is not
acknowledged. The newest of it is kept, so that registering the device takes it up at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from waypost.gateway.identity import LOOK_AGAIN_MS, Identified, usable_id
from waypost.gateway.link import UNACKNOWLEDGED, Pending, Reply
from waypost.gateway.throttle import Throttle
from waypost.protocols.base import Decoded, Frame, Hello, Protocol, ProtocolError
from waypost.store.engine import is_unavailable
from waypost.telemetry.records import Records

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway
    from waypost.ingest import LiveSource
    from waypost.telemetry.message import Message

__all__ = ["Connection", "Pending", "Reply"]

log = structlog.get_logger()

#: Frames of one connection decoded in one turn.
FRAMES_PER_TURN = 2


class Connection(Identified):
    """One device connection, UDP peer or stream of requests. The pump gives it turns."""

    __slots__ = ("throttle",)

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        super().__init__(gateway, protocol, host, port)
        rate = gateway.settings.connection_rate
        self.throttle = Throttle(rate) if rate else None

    @property
    def blocked(self) -> bool:
        """Nothing may be decoded now; whoever ends that asks for a turn."""
        return (
            self.waiting
            or self.closed
            or self.choked
            or len(self.pending) >= UNACKNOWLEDGED
            or (self.throttle is not None and self.throttle.waits(self))
        )

    def turn(self) -> None:
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
            if decoded.needs_device or self.is_new(hello):
                self.waiting = True
                self.gateway.spawn(self._meet(hello, decoded, frame))
                return
            if self.trace.nameless:
                self.trace = self.gateway.tap.device(self.device_id or "", self.trace)
        self.apply(decoded, frame)

    def _decode(self, frame: Frame) -> Decoded | None:
        record = self.record
        try:
            if record is not None:
                return self.protocol.decode(frame, record.device)
            return self.protocol.decode(frame, None, unknown=bool(self.ids))
        except ProtocolError as error:
            self.counters.errors += 1
            self.fault(frame, str(error) or "not a valid frame")
        except Exception:
            self.counters.errors += 1
            log.exception("decoder_failed", protocol=self.protocol.name, device=self.device_id)
            self.fault(frame, "internal error in the decoder")
        return None

    async def _meet(self, hello: Hello, decoded: Decoded, frame: Frame) -> None:
        """Finds the device's record, then goes on with the frame that asked for it."""
        if await self.meet(hello, frame):
            again: Decoded | None = decoded
            if decoded.needs_device:
                again = self._decode(frame)
            if again is not None:
                self.apply(again, frame)
        self.gateway.pump.add(self)

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
        if not isinstance(messages, Records):
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
            if self.stale:
                self.stale = False
                self.changed()
            gateway.pump.add(self)


def newest_position(messages: Sequence[Message]) -> Message | None:
    """The newest message with a location."""
    newest = None
    for message in messages:
        if message.has_location and (newest is None or (message.time or 0) >= (newest.time or 0)):
            newest = message
    return newest
