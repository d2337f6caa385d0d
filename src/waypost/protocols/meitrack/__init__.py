"""Meitrack trackers (MVT, T, TC, MT, P, K, MD and MS series) over TCP and UDP.

Specified in Meitrack's GPRS protocol documents ("MEITRACK GPRS Protocol" V1.6 for MT90, MVT, T and
TC; "MEITRACK T622 GPRS Protocol" V1.2; ...). A message states the device's IMEI and a command; of
what a device sends of itself, ``AAA`` is a report as text, ``CCC`` and ``CCE`` are several in
binary, ``D00`` and ``D03`` bring pictures, ``AAC`` asks for a sign of life. CCC alone is
acknowledged, by the number of records that the device may forget. Everything else is the answer to
a command and repeats its data identifier.
"""

from __future__ import annotations

import re

from waypost.protocols.base import (
    Answer,
    Command,
    CommandError,
    Decoded,
    Device,
    Encoded,
    Hello,
    ProtocolError,
    Text,
    Transport,
)
from waypost.protocols.meitrack import instructions
from waypost.protocols.meitrack.binary import read_fixed, read_named
from waypost.protocols.meitrack.envelope import Frame, frame_size, pack, recognised, unpack
from waypost.protocols.meitrack.events import REQUESTED
from waypost.protocols.meitrack.pictures import Pictures, request
from waypost.protocols.meitrack.text import read_report
from waypost.protocols.stream import cut
from waypost.protocols.told import Telling

#: Longest command, bytes (1.1: "no more than 1,024 bytes").
LONGEST_COMMAND = 1024
_FIRST_IDENTIFIER, _IDENTIFIERS = 0x41, 58
#: How answers say that a command was not carried out.
_REFUSED = re.compile(r",\s*(?:err|fail|invalid|unsupported)", re.IGNORECASE)
#: Name under which a device keeps the picture that it has just taken.
_LAST_PICTURE = b"camera_picture.jpg"
_FRAMED = re.compile(r"@@([A-z])[0-9]{1,5},[0-9]{5,20},(.+)\*[0-9A-Fa-f]{2}", re.DOTALL)


class Meitrack(Telling):
    name = "meitrack"
    port = 5020
    max_frame = 16_384
    commands = True
    tells = instructions.TELLS
    profiles = instructions.PROFILES

    _pictures: Pictures | None = None

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        return recognised(start)

    def frames(self, buffer: bytearray) -> list[bytes]:
        def size_at(data: bytes, at: int) -> int | None:
            return frame_size(data, at, self.max_frame)

        return cut(buffer, size_at, whole=self.transport is Transport.UDP, fill=b"\r\n\0")

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        message = unpack(frame)
        if message.fault is not None and not self.recorded:
            raise ProtocolError(message.fault)
        decoded = self._message(message, frame)
        if message.fault is not None:
            self.doubt(decoded, message.fault)
        return decoded

    def _message(self, frame: Frame, raw: bytes) -> Decoded:
        unit, content = frame.unit, frame.content
        hello = Hello([unit])
        command, _, data = content.partition(b",")
        if command == b"CCC":
            messages = read_fixed(data)
            reply = pack(frame.identifier, unit, f"CCC,{len(messages)}".encode("ascii"))
            return Decoded(hello, messages, reply=reply)
        if command == b"CCE":
            return Decoded(hello, read_named(data))
        if command == b"D00" and data.count(b",") >= 3:
            return self._picture(frame)
        text = content.decode("latin-1")
        if command == b"AAA":
            report = read_report(text[4:])
            answers = []
            if report.values["meitrack_event"] == REQUESTED:
                answers = [Answer(text, frame.identifier, raw=raw)]
            return Decoded(hello, [report], answers)
        if command == b"AAC":
            return Decoded(hello, reply=pack(frame.identifier, unit, b"AAC,1"))
        ok = _REFUSED.search(text) is None
        decoded = Decoded(hello, answers=[Answer(text, frame.identifier, ok, raw)])
        if command == b"D03" and ok:
            decoded.reply = pack(frame.identifier, unit, request(_LAST_PICTURE, 0))
        return decoded

    def _picture(self, frame: Frame) -> Decoded:
        """A packet of a picture: who sends it has said so before."""
        if self._pictures is None:
            self._pictures = Pictures()
        picture, wanted = self._pictures.take(frame.content)
        reply = pack(frame.identifier, frame.unit, wanted) if wanted is not None else None
        if picture is None:
            return Decoded(reply=reply, reply_means_stored=reply is not None)
        return Decoded(Hello([frame.unit]), [picture])

    def encode(self, command: Command, device: Device) -> Encoded:
        """A command (``A12,6``) in a frame with the device's IMEI, or framed already
        (``@@V27,353358017784062,A12,6*D5``): then its identifier is kept. The answer repeats the
        identifier."""
        if command.kind == "hex":
            return Encoded(command.payload)
        text = command.text.strip("\r\n\0")
        identifier = chr(_FIRST_IDENTIFIER + command.id % _IDENTIFIERS)
        framed = _FRAMED.fullmatch(text)
        if framed is not None:
            identifier, text = framed[1], framed[2]
        if not text or not text.isprintable() or "*" in text or text.startswith("@@"):
            raise CommandError("a command is a line of text, such as A12,6")
        data = text.encode()
        if len(data) > LONGEST_COMMAND:
            raise CommandError(f"a command of {len(data)} bytes; {LONGEST_COMMAND} are the most")
        if not re.fullmatch("[0-9]{5,20}", device.device_id):
            raise CommandError(f"{device.device_id!r} is not an IMEI")
        return Encoded(pack(identifier, device.device_id, data), key=identifier)

    def by_sms(self, text: Text, device: Device) -> Text:
        return instructions.by_sms(text, device)
