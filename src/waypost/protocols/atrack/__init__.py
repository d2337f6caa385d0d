"""ATrack trackers (AT, AK, AL, AS, AX, AU, AY series) over TCP and UDP.

Specified in the ATrack Protocol Document (AT series 1.1.4, AP 1.3.8, SP 1.5.2), sections 2.1
"Command Syntax", 2.2 "Position Format", 2.3 "Acknowledge/Keep Alive Message Format". That document
is confidential: what stands here was taken from recorded packets and published decoders and
configurations; the ``+TAG`` of commands is not confirmed by a recording. A report begins with
its prefix (``@P`` unless AT$FORM says another), CRC, length, sequence number and unit id, in
binary or in ASCII; each is acknowledged by ``FE02``, unit id and sequence number, always in
binary; a keep-alive has that form too and is echoed. Answers to commands are lines that begin
with ``$``. Pictures come in ``@R`` packets.

``setup`` of a device: ``form`` (the custom columns of AT$FORM, where the reports do not carry
them as ``%CI``), ``custom`` (false: it has none), ``long_date``, ``decimal_fuel`` (the level of a
fuel sensor is decimal), ``frame_mask`` (Bluetooth tags are sent as frames), ``events`` (report id
of AT$REPT -> event id).
"""

from __future__ import annotations

import re
import struct

from fastcrc.crc16 import arc

from waypost.protocols.atrack import instructions
from waypost.protocols.atrack.answers import read_answer
from waypost.protocols.atrack.binary import read_binary
from waypost.protocols.atrack.framing import (
    KEEP_ALIVE,
    PADDING,
    TEXT,
    TEXT_HEADER,
    check_prefix,
    message_size,
)
from waypost.protocols.atrack.pictures import Pictures
from waypost.protocols.atrack.report import Setup
from waypost.protocols.atrack.text import read_text
from waypost.protocols.base import (
    Command,
    CommandError,
    Decoded,
    Device,
    Encoded,
    Hello,
    ProtocolError,
    Transport,
)
from waypost.protocols.stream import cut
from waypost.protocols.told import Telling

_ACKNOWLEDGEMENT = struct.Struct(">HQH")
_HEADER = struct.Struct(">2sHHHQ")
_PICTURE = b"@R"
#: Beginnings of answers that no other protocol's have.
_ANSWERS = (b"$INFO=", b"$UNID=", b"$OK\r", b"$ERROR=")

_COMMAND = re.compile(r"AT\$[0-9A-Za-z]+\+([0-9A-Za-z]+)(?:=|$)")


class Atrack(Telling):
    name = "atrack"
    port = 5026
    max_frame = 8192
    commands = True
    tells = instructions.TELLS
    profiles = instructions.PROFILES

    _begun = False
    _form = ""
    _pictures: Pictures | None = None

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        if start[:1] == b"$":
            if start.startswith(_ANSWERS):
                return True
            return None if any(word.startswith(start) for word in _ANSWERS) else False
        if start[:2] == KEEP_ALIVE[: len(start)]:
            return True if len(start) >= 12 else None
        if start[0:1] != b"@" or not start[1:2].isalpha():
            return None if start in (b"", b"@") else False
        if len(start) < TEXT_HEADER:
            return None
        if TEXT.match(start):
            return True
        return 10 <= int.from_bytes(start[4:6], "big") <= cls.max_frame - 6

    def frames(self, buffer: bytearray) -> list[bytes]:
        whole = self.transport is Transport.UDP

        def size_at(data: bytes, at: int) -> int | None:
            size = message_size(data, at, self.max_frame, begun=self._begun, whole=whole)
            self._begun |= size is not None and size <= len(data) - at
            return size

        return cut(buffer, size_at, whole=whole, fill=PADDING)

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        if frame[:2] == KEEP_ALIVE:
            if len(frame) != _ACKNOWLEDGEMENT.size:
                raise ProtocolError(f"a keep-alive of {len(frame)} bytes; it has 12")
            unit = _ACKNOWLEDGEMENT.unpack(frame)[1]
            return Decoded(hello=Hello([str(unit)]), reply=frame)
        if frame[:1] == b"$":
            decoded, form = read_answer(frame)
            self._form = self._form if form is None else form
            return decoded
        text = TEXT.match(frame)
        if text is not None:
            return self._text(frame, text, device, unknown)
        return self._binary(frame, device, unknown)

    def _text(
        self, frame: bytes, header: re.Match[bytes], device: Device | None, unknown: bool
    ) -> Decoded:
        body = frame[header.end() :].decode("utf-8", "replace")
        sequence, _, body = body.partition(",")
        unit, comma, body = body.partition(",")
        if not comma or not unit or not sequence.isdecimal() or len(sequence) > 10:
            raise ProtocolError("a report without sequence number and unit id")
        hello = Hello([unit])
        if device is None and not unknown:
            return Decoded(hello=hello, needs_device=True)
        stated, length = int(header[2]), len(frame) - header.end() + 1
        intact = arc(frame[header.start(2) - 1 :]) == int(header[1], 16)
        if stated != length and not intact and not self.recorded:
            raise ProtocolError(
                f"a report of {length} bytes says that it has {stated}, and its checksum is wrong"
            )
        messages = read_text(body, Setup.of(device.setup if device else {}, self._form))
        for message in messages:
            if not intact:
                message.values["atrack_crc_mismatch"] = True
            if stated != length:
                message.values["atrack_length_mismatch"] = True
        reply = None
        if unit.isdecimal() and unit.isascii() and int(unit) < 1 << 64:
            reply = _ACKNOWLEDGEMENT.pack(0xFE02, int(unit), int(sequence) & 0xFFFF)
        return Decoded(hello=hello, messages=messages, reply=reply)

    def _binary(self, frame: bytes, device: Device | None, unknown: bool) -> Decoded:
        if len(frame) < _HEADER.size:
            raise ProtocolError(f"a report of {len(frame)} bytes; its header alone has 16")
        prefix, crc, length, sequence, unit = _HEADER.unpack_from(frame)
        check_prefix(frame[: 6 + length])
        if not _HEADER.size - 6 <= length <= len(frame) - 6:
            raise ProtocolError(f"a report of {len(frame) - 6} bytes says that it has {length}")
        frame = frame[: 6 + length]
        hello = Hello([str(unit)])
        reply = _ACKNOWLEDGEMENT.pack(0xFE02, unit, sequence)
        if prefix == _PICTURE:
            if self._pictures is None:
                self._pictures = Pictures()
            messages = self._pictures.take(frame[_HEADER.size :])
            return Decoded(hello=hello, messages=messages, reply=reply, reply_means_stored=True)
        if device is None and not unknown:
            return Decoded(hello=hello, needs_device=True)
        setup = Setup.of(device.setup if device else {}, self._form)
        messages = read_binary(frame, _HEADER.size, setup)
        if arc(frame[4:]) != crc:
            for message in messages:
                message.values["atrack_crc_mismatch"] = True
        return Decoded(hello=hello, messages=messages, reply=reply)

    def encode(self, command: Command, device: Device) -> Encoded:
        """``AT$UNID=?`` or ``AT$UNID+TAG=?``; the device's answer repeats the tag."""
        if command.kind == "hex":
            return Encoded(command.payload)
        text = command.text.strip("\r\n")
        if not text or not text.isprintable():
            raise CommandError("a command is one line of text, such as AT$INFO=?")
        tag = _COMMAND.match(text)
        return Encoded(text.encode() + b"\r\n", key=tag[1] if tag else None)
