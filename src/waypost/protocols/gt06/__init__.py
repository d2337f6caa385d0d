"""Concox and Jimi trackers (GT06, GT06N, WeTrack, JM-VL, AT, JC, HVT ...) and the many clones of
their protocol, over TCP and UDP.

Specified in Concox' "GT06 GPS Tracker Communication Protocol" v1.8.1 and its successors for single
families ("JM-VL03 GPS Tracker Communication Protocol" V1.1.2). A packet has a number that says what
it is (:mod:`envelope` how it is framed), and a serial number, with which it is answered. The device
logs in (01) with its IMEI and the zone of its clock; positions, alarms and heartbeats follow, and
commands (80) are text, with a server flag that the answer repeats. Trouble codes and PIDs of OBD
trackers (65, 66) are acknowledged and not kept.

``setup`` of a device: ``utc_offset`` (minutes that its clock is ahead of UTC; overrules its
log-in), ``language`` (1 Chinese, 2 English: some trackers want it behind a command).
"""

from __future__ import annotations

import time
from collections.abc import Callable

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
from waypost.protocols.gt06 import (
    families,
    heartbeat,
    information,
    instructions,
    located,
    modules,
    network,
)
from waypost.protocols.gt06.envelope import (
    BARE_HEARTBEAT,
    LONG,
    SHORT,
    Packet,
    frame_size,
    pack,
    unpack,
)
from waypost.protocols.gt06.pictures import Pictures
from waypost.protocols.reader import Reader
from waypost.protocols.stream import cut
from waypost.protocols.told import Telling
from waypost.telemetry.message import Message

LOGIN, COMMAND, TIME_REQUEST = 0x01, 0x80, 0x8A
_ANSWER, _LONG_ANSWER = 0x15, 0x21
_ADDRESS_REQUESTS, _ADDRESS = frozenset((0x2A, 0xA7)), 0x97
#: Content length of packet 17 that asks for the address of a cell.
_CELL_ADDRESS = 31
#: What the platform says of a place whose address it does not know: nothing, for nobody.
_NO_ADDRESS = b"NA&&NA&&0##"
#: Longest command, bytes: the packet's length has one.
LONGEST_COMMAND = 0xFF - 10

Read = Callable[[Packet, int, str], Message]
"""Reads a packet's content; also gets the ms that the device's clock is ahead, and its model."""


def _heartbeat_36(packet: Packet, offset: int, model: str) -> Message:
    if len(packet.content) == families.P36_WITH_FIX:
        return families.read_vehicle(packet.content)
    return heartbeat.read_modular_heartbeat(packet.content)


def _state_or_fence(packet: Packet, offset: int, model: str) -> Message:
    if len(packet.content) < 24:
        return heartbeat.read_state(packet.content)
    return located.read_located(packet.kind, packet.content, offset)


def _cells_or_fix(packet: Packet, offset: int, model: str) -> Message:
    content = packet.content
    if packet.kind == 0xA2 and len(content) == families.A2_WITH_FIX:
        return families.read_4g_state(content)
    if packet.kind == 0x24 and len(content) == families.P24_WITH_FIX:
        return families.read_sr411(content)
    if packet.kind == 0x34 and len(content) > families.P34_WITHOUT_FIX:
        return families.read_x1(content, offset)
    return network.read_cells(packet.kind, content, offset)


def _located(packet: Packet, offset: int, model: str) -> Message:
    if packet.kind == 0x22 and families.has_unit(packet.content):
        return families.read_unit(packet.kind, packet.content)
    return located.read_located(packet.kind, packet.content, offset)


_SHORT: dict[int, Read] = {
    **dict.fromkeys(located.KINDS, _located),
    **dict.fromkeys(network.KINDS, _cells_or_fix),
    0x13: lambda packet, offset, model: heartbeat.read_heartbeat(packet.content, model),
    0x19: lambda packet, offset, model: families.read_state_only(packet.kind, packet.content),
    0x23: lambda packet, offset, model: heartbeat.read_gk_heartbeat(packet.content),
    0x25: lambda packet, offset, model: families.read_unit(packet.kind, packet.content),
    0x36: _heartbeat_36,
    0x40: lambda packet, offset, model: heartbeat.read_battery(packet.content),
    0x61: lambda packet, offset, model: families.read_key(packet.content, offset),
    0x94: lambda packet, offset, model: information.read_short_information(packet.content),
    0x95: lambda packet, offset, model: modules.read_file_alarm(packet.content),
    0xA3: _state_or_fence,
    0xA5: lambda packet, offset, model: families.read_state_only(packet.kind, packet.content),
    0xF3: lambda packet, offset, model: network.read_points(packet.content),
}
_LONG: dict[int, Read] = {
    0x32: lambda packet, offset, model: modules.read_az735(packet.kind, packet.content, offset),
    0x33: lambda packet, offset, model: modules.read_az735(packet.kind, packet.content, offset),
    0x38: lambda packet, offset, model: modules.read_extended(packet.content),
    0x70: lambda packet, offset, model: modules.read_modules(packet.content),
    0x8C: lambda packet, offset, model: information.read_vehicle_data(packet.content),
    0x94: lambda packet, offset, model: information.read_information(packet.content),
    0x9B: lambda packet, offset, model: information.read_serial(packet.content),
    0xF1: lambda packet, offset, model: heartbeat.read_flags(packet.content),
    0xF2: lambda packet, offset, model: modules.read_peripherals(packet.content),
}
#: Long packets that are acknowledged: True by a long one.
_LONG_REPLIES = {
    0x32: True,
    0x33: True,
    0x41: True,
    0x65: True,
    0x66: True,
    0x70: False,
    0xF2: False,
}


class Gt06(Telling):
    name = "gt06"
    aliases = ("concox", "jimi")
    port = 5023
    max_frame = 16_384
    commands = True
    tells = instructions.TELLS
    profiles = instructions.PROFILES

    _offset = 0
    _pictures: Pictures | None = None

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        if start[:2] in (SHORT, LONG):
            return True if len(start) >= 5 else None
        return None if start in (b"", b"\x78", b"\x79") else False

    def frames(self, buffer: bytearray) -> list[bytes]:
        def size_at(data: bytes, at: int) -> int | None:
            return frame_size(data, at, self.max_frame)

        return cut(buffer, size_at, whole=self.transport is Transport.UDP)

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        packet = unpack(frame)
        if packet.fault is not None and not self.recorded:
            raise ProtocolError(packet.fault)
        decoded = self._packet(packet, frame, device)
        if packet.fault is not None:
            self.doubt(decoded, packet.fault)
        return decoded

    def _packet(self, packet: Packet, frame: bytes, device: Device | None) -> Decoded:
        if packet.bare:
            return _bare(packet, frame)
        kind, content, serial = packet.kind, packet.content, packet.serial
        if not packet.long:
            if kind == LOGIN:
                return self._log_in(packet)
            if kind == TIME_REQUEST:
                now = time.gmtime(self.clock() // 1000)
                moment = bytes((now.tm_year % 100, *now[1:6]))
                return Decoded(reply=pack(kind, moment, serial))
            if kind in _ADDRESS_REQUESTS or (kind == 0x17 and len(content) == _CELL_ADDRESS):
                answer = bytes((len(_NO_ADDRESS),)) + bytes(4) + _NO_ADDRESS
                return Decoded(reply=pack(_ADDRESS, answer, serial, long=True))
            if kind == _ANSWER:
                ahead = self._clock_offset(device)
                return _numbered(information.read_answer(content, ahead), packet)
            if kind == 0x35:
                return self._camera().announced(content, self._clock_offset(device))
            if not content:
                return Decoded()  # an echo of the server's own acknowledgement
        elif kind == _LONG_ANSWER:
            ahead = self._clock_offset(device)
            return _numbered(information.read_long_answer(content, ahead), packet)
        elif kind == 0x36:
            return self._camera().piece(content)
        elif kind == 0x41:
            blocks = self._camera().block(content)
            reply = pack(kind, b"", serial, long=True) if blocks is not None else None
            return Decoded(messages=blocks or [], reply=reply, reply_means_stored=True)
        read = (_LONG if packet.long else _SHORT).get(kind)
        if read is None:
            return Decoded(reply=_acknowledgement(packet))
        message = read(packet, self._clock_offset(device), _model(device))
        return _numbered(Decoded(messages=[message], reply=_acknowledgement(packet)), packet)

    def _log_in(self, packet: Packet) -> Decoded:
        """IMEI, and in younger trackers type and zone: hours and minutes as one number, times 16;
        bit 3 says west."""
        reader = Reader(packet.content)
        digits = reader.take(8, "IMEI").hex()
        if not digits.isdigit() or not int(digits):
            raise ProtocolError(f"an IMEI of {digits}")
        self._offset = 0
        if reader.left >= 4 and packet.fault is None:
            reader.take(2, "type")
            zone = reader.number(2, "zone")
            hours, minutes = divmod(zone >> 4, 100)
            if hours <= 14 and minutes < 60:
                minutes += hours * 60
                self._offset = (-minutes if zone & 8 else minutes) * 60_000
        return Decoded(hello=Hello([digits[1:]]), reply=pack(LOGIN, b"", packet.serial))

    def _clock_offset(self, device: Device | None) -> int:
        """ms that the device's clock is ahead of UTC."""
        chosen = device.setup.get("utc_offset") if device is not None else None
        if isinstance(chosen, int) and abs(chosen) <= 14 * 60:
            return chosen * 60_000
        return self._offset

    def _camera(self) -> Pictures:
        if self._pictures is None:
            self._pictures = Pictures()
        return self._pictures

    def encode(self, command: Command, device: Device) -> Encoded:
        """A text command (``TIMER,10,300#``), with the command's number as server flag."""
        if command.kind == "hex":
            return Encoded(command.payload)
        text = command.text.strip("\r\n\0")
        if not text or not text.isascii() or not text.isprintable():
            raise CommandError("a command is a line of ASCII, such as STATUS#")
        language = device.setup.get("language")
        suffix = language.to_bytes(2, "big") if language in (1, 2) else b""
        if len(text) + len(suffix) > LONGEST_COMMAND:
            raise CommandError(
                f"a command of {len(text)} characters; {LONGEST_COMMAND - len(suffix)} are the most"
            )
        flag = command.id & 0xFFFFFFFF or 1
        body = flag.to_bytes(4, "big") + text.encode("ascii")
        content = bytes((len(body),)) + body + suffix
        return Encoded(pack(COMMAND, content, flag & 0xFFFF), key=f"{flag:08x}")


def _bare(packet: Packet, frame: bytes) -> Decoded:
    """Packets without serial number and checksum: a heartbeat is echoed, a scan answered with its
    time."""
    if packet.kind == BARE_HEARTBEAT:
        return Decoded(reply=frame)
    message = network.read_scan(packet.kind, packet.content, frame[2])
    reply = SHORT + bytes((0, packet.kind)) + packet.content[:6] + b"\r\n"
    return Decoded(messages=[message], reply=reply)


def _numbered(decoded: Decoded, packet: Packet) -> Decoded:
    """A message without any time is identified by its serial number and content."""
    for message in decoded.messages:
        if message.time is None or not message.digest_of:
            message.digest_of = (
                bytes((packet.kind,)) + packet.serial.to_bytes(2, "big") + packet.content
            )
    return decoded


def _acknowledgement(packet: Packet) -> bytes | None:
    if packet.long:
        long = _LONG_REPLIES.get(packet.kind)
        return None if long is None else pack(packet.kind, b"", packet.serial, long=long)
    if COMMAND <= packet.kind <= COMMAND + 2:
        return None
    return pack(packet.kind, b"", packet.serial)


def _model(device: Device | None) -> str:
    """The end of the model's code, in capitals: ``VL103`` of ``jimi_vl103``."""
    code = device.model if device is not None else None
    return (code or "").rpartition("_")[2].upper()
