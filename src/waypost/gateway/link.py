"""The near end of a connection: what is read and written, which answers wait, how it ends.

Transports subclass :class:`waypost.gateway.connection.Connection`, which builds on this. They
bring frames and say how an answer is written, reading is held and the connection is shut: the
methods of the first section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from waypost.bus.taps import IN, NOTE, OUT
from waypost.clock import now_ms
from waypost.gateway.logs import limited
from waypost.protocols.base import Frame, HttpReply, Protocol

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Packets of one connection that may wait for their commit.
UNACKNOWLEDGED = 64

Reply = bytes | HttpReply | None


class Pending:
    """A frame whose answer waits: for the commit of its messages, or for the answers before it."""

    __slots__ = ("close", "connection", "frame", "parts", "reply")

    def __init__(
        self, connection: Link, frame: Frame | None, reply: Reply, close: bool, parts: int
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


class Link:
    """One connection, UDP peer or stream of requests, without who is at the other end."""

    __slots__ = (
        "address",
        "choked",
        "closed",
        "counters",
        "gateway",
        "host",
        "last_seen",
        "pending",
        "protocol",
        "queued",
        "since",
        "todo",
        "trace",
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
        #: Frames that are not decoded yet.
        self.todo: list[Frame] = []
        #: Frames whose answers wait, in order.
        self.pending: list[Pending] = []
        self.closed = False
        #: In the pump's queue.
        self.queued = False
        #: Until the device's record is found.
        self.waiting = False
        #: The peer does not read what is written to it.
        self.choked = False
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
        raise NotImplementedError

    def turn(self) -> None:
        """Decodes a few of the frames that have arrived."""
        raise NotImplementedError

    # What all of them do.

    @property
    def device_id(self) -> str | None:
        """The id of the device at the other end."""
        raise NotImplementedError

    def leave(self) -> None:
        """The device at the other end is another one now, or none."""
        raise NotImplementedError

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
                self.close("closed at the device's wish", usual=True)
        if full and len(pending) < UNACKNOWLEDGED and not self.closed:
            self.gateway.pump.add(self)

    # The end.

    def close(self, reason: str, *, usual: bool = False) -> None:
        """Ends the connection; ``reason`` is kept in the tap, and logged unless it is a ``usual``
        one."""
        if self.closed:
            return
        if not usual and not self.gateway.stopping:
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
        self.leave()
        self.pending.clear()
        self.todo.clear()
        self.gateway.forget(self)
