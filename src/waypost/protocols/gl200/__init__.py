"""Queclink @Track: the devices of the GL, GV, GT, GMT, GB and CV families, in all three forms of
their protocol (``framing`` names them and their sources)."""

from __future__ import annotations

import re

from waypost.protocols.base import (
    Command,
    CommandError,
    Decoded,
    Device,
    Encoded,
    Protocol,
    ProtocolError,
    Text,
    Transport,
)
from waypost.protocols.gl200 import settings
from waypost.protocols.gl200.binary import decode_binary
from waypost.protocols.gl200.framing import cut, form
from waypost.protocols.gl200.legacy import is_legacy
from waypost.protocols.gl200.pro import decode_pro
from waypost.protocols.gl200.text import decode_text, split

_SERIAL = re.compile(r",([0-9A-Fa-f]{4})\$$")


class Track(Protocol):
    """What all dialects share: the stream is cut and read by its own marks."""

    max_frame = 8192
    commands = True
    #: Several commands may be under way: the serial number tells their answers apart.
    one_command_at_a_time = False

    def __init__(self, transport: Transport = Transport.TCP) -> None:
        super().__init__(transport)
        self._begun = False
        self._identified = False

    def frames(self, buffer: bytearray) -> list[bytes]:
        whole = self.transport is Transport.UDP
        found = cut(buffer, self.max_frame, begun=self._begun, whole=whole)
        self._begun = self._begun or bool(found)
        return found

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        kind = form(frame[:9])
        if kind == "text":
            self._identified = True
            return decode_text(frame)
        if kind == "hex":
            return self._identify(decode_binary(frame))
        if kind == "pro":
            return decode_pro(frame)
        raise ProtocolError(f"no @Track message begins with {frame[:12]!r}")

    def encode(self, command: Command, device: Device) -> Encoded:
        """Text as typed, with what ends it; its last column comes back in the device's answer."""
        if command.kind == "hex":
            return Encoded(command.payload)
        text = command_line(command)
        if self._is_legacy(device):
            columns = text.rstrip("$").split(",")
            return Encoded((text + "\0").encode("latin-1"), columns[-1].upper() or None)
        if not text.endswith("$"):
            text += "$"
        serial = _SERIAL.search(text)
        return Encoded(text.encode("latin-1"), serial[1].upper() if serial else None)

    @classmethod
    def _is_legacy(cls, device: Device) -> bool:
        """The model decides which dialect a device understands, wherever it connected."""
        return settings.is_legacy(device)

    @classmethod
    def can_tell(cls, kind: str, device: Device) -> bool:
        return settings.can_tell(kind, device)

    def instructions(self, command: Command, device: Device) -> list[Text]:
        return settings.instructions(command, device, self.clock)

    def _identify(self, decoded: Decoded) -> Decoded:
        """A name instead of an IMEI says who it is only where no IMEI did before."""
        hello = decoded.hello
        if hello is not None and hello.device_ids[0].isdigit():
            self._identified = True
        elif self._identified:
            decoded.hello = None
        return decoded


class Gl200(Track):
    """@Track as nearly all devices speak it."""

    name = "gl200"
    aliases = ("queclink",)
    port = 5004

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        kind = form(start[:9])
        if kind == "text":
            return _is_modern(start)
        return None if kind == "short" else kind is not None


def _is_modern(start: bytes) -> bool | None:
    """A text that names its protocol version first, not its unique id, is not the GL100 dialect."""
    columns = split(start[:64])
    if len(columns) < 3:
        return None if start[:1] == b"+" else False
    return not is_legacy(columns)


def command_line(command: Command) -> str:
    text = command.text.strip("\r\n\0 ")
    if not text:
        raise CommandError("the command is empty")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise CommandError("the command has characters that the device cannot read") from None
    if "\0" in text or "$" in text[:-1]:
        raise CommandError("the command holds a character that would end it early")
    return text
