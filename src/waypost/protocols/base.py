"""What a device protocol is.

A protocol is one module (or small package) under ``waypost.protocols`` that holds one or more
subclasses of :class:`Protocol`; the registry finds them by being there. It is pure: no socket,
no clock (but :attr:`Protocol.clock`, for devices that ask for the time), no database.

A connection (or a UDP peer, a recorded session, a stream of HTTP requests of one device) has one
instance. The gateway asks it two questions, apart: where are the frames in these bytes
(:meth:`Protocol.frames`), and what does this frame say (:meth:`Protocol.decode`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import msgspec

from waypost.clock import now_ms
from waypost.telemetry.message import Message

T = TypeVar("T")


class ProtocolError(Exception):
    """The bytes cannot be this protocol's, or exceed its bounds. The connection is closed and the
    text is kept as the reason, so it must say what was expected and what came."""


class CommandError(Exception):
    """The command cannot be put into this protocol (too long, not text, no command channel)."""


class Transport(enum.StrEnum):
    TCP = "tcp"
    UDP = "udp"
    HTTP = "http"
    MQTT = "mqtt"


class HttpRequest(msgspec.Struct, gc=False):
    """A request to a protocol that travels by HTTP. Header names are lower case."""

    method: str
    target: str  # path and query as sent
    headers: dict[str, str]
    body: bytes


class HttpReply(msgspec.Struct, gc=False):
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"


class MqttPublish(msgspec.Struct, gc=False):
    """A PUBLISH that a device sent."""

    topic: str
    body: bytes


Frame = bytes | HttpRequest | MqttPublish
"""What one call of :meth:`Protocol.decode` gets: for TCP and UDP the bytes of one frame."""


class Device(msgspec.Struct):
    """What a decoder may know of a registered device."""

    device_id: str
    #: Code of the catalog's model, where known.
    model: str | None = None
    #: What is configured on the device or for it and decides how its data reads.
    setup: dict[str, Any] = {}
    #: The device's own password, where the protocol has one.
    password: str | None = None


class Hello(msgspec.Struct):
    """The device says who it is. ``device_ids`` in the order stated; the first known one counts."""

    device_ids: list[str]
    #: What the device says of its make (a name or code of its own), a hint for the inbox.
    model: str | None = None
    password: str | None = None


class Answer(msgspec.Struct):
    """A device's answer to a command. ``key`` is what :meth:`Protocol.encode` gave the command
    (None where the protocol has no such thing: the oldest unanswered command is meant)."""

    text: str
    key: str | None = None
    ok: bool = True
    raw: bytes = b""


class Decoded(msgspec.Struct):
    """What one frame said."""

    hello: Hello | None = None
    messages: Sequence[Message] = []
    answers: list[Answer] = []
    #: Goes out once all of ``messages`` are stored (at once where there are none). For a device
    #: that is not registered it goes out only where ``messages`` is empty and
    #: ``reply_means_stored`` is False.
    reply: bytes | HttpReply | None = None
    #: The reply tells the device to forget data even though ``messages`` is empty.
    reply_means_stored: bool = False
    #: The frame cannot be read before the device's record is known: look ``hello`` up, then call
    #: ``decode`` with the same frame again, with the device (or with ``unknown`` True).
    needs_device: bool = False
    #: Say nothing more and close (the device asked for it, or was refused).
    close: bool = False


class Command(msgspec.Struct):
    """A command for a device. ``kind`` is ``text`` (as a person types it) or ``hex`` (bytes); any
    other is one of :mod:`waypost.protocols.instructions`, with its content as the payload, and
    becomes commands of the first sort where the protocol knows how."""

    id: int
    payload: bytes
    kind: str = "text"

    @property
    def text(self) -> str:
        """The payload as text; raises :class:`CommandError` if it is not UTF-8."""
        try:
            return self.payload.decode()
        except UnicodeDecodeError as error:
            raise CommandError(f"not text: {error}") from None

    def content(self, kind: type[T]) -> T:
        """The payload of an instruction; raises :class:`CommandError` if it is not that."""
        try:
            return msgspec.json.decode(self.payload, type=kind)
        except msgspec.MsgspecError as error:
            raise CommandError(f"not a {self.kind}: {error}") from None


class Encoded(msgspec.Struct):
    """A command as the protocol sends it."""

    data: bytes
    #: What the device's answer will repeat, if anything.
    key: str | None = None
    #: False: the protocol has no answer to it; sent is all there is to know.
    answered: bool = True


class Text(msgspec.Struct, frozen=True):
    """A command in a device's own language, over its connection or as an SMS."""

    text: str
    #: What in it people must not see (passwords).
    secrets: tuple[str, ...] = ()


class Protocol:
    """One device protocol: subclass, set the class attributes, write ``frames`` and ``decode``."""

    #: The usual short name: the corpus file's, the settings', the URLs'.
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    transports: ClassVar[frozenset[Transport]] = frozenset({Transport.TCP, Transport.UDP})
    #: Port where devices connect unless settings say otherwise. TCP and UDP share it.
    port: ClassVar[int]
    #: No frame of this protocol is longer (bytes); a longer one is an error.
    max_frame: ClassVar[int] = 8192
    #: MQTT: filters of the topics that belong to this protocol.
    topics: ClassVar[tuple[str, ...]] = ()
    #: MQTT: the user name that its devices give, if it is always the same.
    mqtt_username: ClassVar[str | None] = None
    #: Commands can be sent over the connection.
    commands: ClassVar[bool] = False
    #: A command must be answered before the next one is sent.
    one_command_at_a_time: ClassVar[bool] = True

    def __init__(self, transport: Transport = Transport.TCP) -> None:
        self.transport = transport
        #: The messages are recordings, not live. Published ones were often edited (to hide whose
        #: they are) or cut at the end: a wrong checksum or length is then noted among the values
        #: and not refused. Nothing is acknowledged for such a frame.
        self.recorded = False
        #: Now, ms UTC: only for the reply to a device that asks what time it is.
        self.clock: Callable[[], int] = now_ms

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        """Can a connection that begins with these bytes be this protocol? True: certainly;
        False: no; None: perhaps, more bytes or other candidates decide (the *auto* port)."""
        return None

    def frames(self, buffer: bytearray) -> list[bytes]:
        """Takes whole frames off the front of ``buffer`` (it is shortened) and returns them; what
        remains is the beginning of a frame still to come. Raises :class:`ProtocolError` for bytes
        that cannot begin a frame, or a frame over ``max_frame``. A datagram is given whole."""
        raise TypeError(f"{self.name} is not a stream protocol")

    def decode(self, frame: Any, device: Device | None, *, unknown: bool = False) -> Decoded:
        """What ``frame`` says. ``device`` is the registered device of this connection, where it is
        known by now; ``unknown``: it was looked up and nobody registered it. Raises
        :class:`ProtocolError` for a frame that is broken."""
        raise TypeError(f"{self.name} cannot decode")

    def doubt(self, decoded: Decoded, fault: str) -> None:
        """Notes what is wrong with a recorded frame; nothing is acknowledged then."""
        decoded.reply = None
        for message in decoded.messages:
            message.values[f"{self.name}_fault"] = fault

    def encode(self, command: Command, device: Device) -> Encoded:
        """The bytes that carry ``command``, a ``text`` or ``hex``. Raises :class:`CommandError`
        where it cannot."""
        raise CommandError(f"{self.name} has no command channel")

    @classmethod
    def can_tell(cls, kind: str, device: Device) -> bool:
        """Are there instructions of this kind for such a device (its model)? People are told
        before they order something; what cannot be told is kept and not sent."""
        return False

    def instructions(self, command: Command, device: Device) -> list[Text]:
        """The commands that carry ``command``, which is neither ``text`` nor ``hex``, in the order
        in which the device gets them. Over a connection each goes through :meth:`encode`, and
        the next one follows the answer to it. Raises :class:`CommandError` where there are none."""
        raise CommandError(f"{self.name} has no way to tell a device: {command.kind}")

    def by_sms(self, text: Text, device: Device) -> Text:
        """A command as an SMS: in many makes a password stands before it."""
        return text
