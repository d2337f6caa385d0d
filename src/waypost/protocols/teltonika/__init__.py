"""Teltonika: vehicle, asset and personal trackers over TCP and UDP.

Source: the maker's public wiki, page "Teltonika Data Sending Protocols". A connection begins with
the IMEI, which is answered by 01 or 00. Then come packets of records (codecs 8, 8 Extended and 16;
7 of the GH models), each answered by the number of records taken, and the answers to commands
(codecs 12 to 15). A datagram wraps the same records with its own numbers and the IMEI. A byte FF
alone only keeps the connection open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from fastcrc import crc16

from waypost.protocols.base import (
    Command,
    Decoded,
    Device,
    Encoded,
    Hello,
    Protocol,
    ProtocolError,
    Text,
    Transport,
)
from waypost.protocols.stream import cut
from waypost.protocols.teltonika import settings
from waypost.protocols.teltonika.avl import (
    CODEC_8,
    CODEC_8E,
    CODEC_16,
    GH,
    Table,
    table_for,
)
from waypost.protocols.teltonika.commands import (
    CODEC_12,
    CODEC_13,
    CODEC_14,
    CODEC_15,
    command_packet,
    read_packet,
)
from waypost.protocols.teltonika.planned import PlannedRecords, Run, open_runs
from waypost.protocols.teltonika.plans import Plan, find_plan
from waypost.protocols.teltonika.records import Reader, read_gh_record, read_record
from waypost.telemetry.message import Message

_PING = b"\xff"
_PREAMBLE = bytes(4)
_RECORDS = frozenset({GH, CODEC_8, CODEC_8E, CODEC_16})
_CODECS = _RECORDS | {CODEC_12, CODEC_13, CODEC_14, CODEC_15}

#: Around a packet's data: preamble, length, checksum.
_AROUND = 12
#: Digits of a log-in.
_DIGITS = range(10, 21)
#: Before a datagram's IMEI: length, packet id, type, number of the AVL packet, length of the IMEI.
_UDP_HEAD = 8
_UDP_LEAST = 22
#: Plans that a connection remembers: its devices' periodic records, events, sleep records.
_REMEMBERED = 4


class Teltonika(Protocol):
    name: ClassVar[str] = "teltonika"
    transports: ClassVar[frozenset[Transport]] = frozenset({Transport.TCP, Transport.UDP})
    port: ClassVar[int] = 5027
    #: A crash trace fills several kilobytes; the length of a datagram has two bytes.
    max_frame: ClassVar[int] = 65_536
    commands: ClassVar[bool] = True

    def __init__(self, transport: Transport = Transport.TCP) -> None:
        super().__init__(transport)
        self._plans: list[Plan] = []
        self._plans_of: tuple[Table, int] | None = None
        #: Codec 8 with 16-byte elements was seen.
        self._extended = False
        #: Of the last datagram.
        self._imei = ""

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        head = start.lstrip(_PING)
        try:
            size = _frame_size(head, 0, cls.max_frame)
        except ProtocolError:
            return False
        return True if size is not None and len(head) >= min(size, 17) else None

    def frames(self, buffer: bytearray) -> list[bytes]:
        return cut(buffer, self._next_size, whole=self.transport is Transport.UDP)

    def _next_size(self, data: bytes, at: int) -> int | None:
        """Bytes of the frame at ``at``; None where too few are there to say."""
        if data[at] == 0xFF:
            return 1
        if self.recorded and data[at : at + 8] == bytes(8):
            # Without its length: only the recording's end can be the packet's.
            return len(data) - at
        return _frame_size(data, at, self.max_frame)

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        if frame == _PING:
            return Decoded()
        if frame[:4] == _PREAMBLE:
            return self._packet(frame, device)
        size = int.from_bytes(frame[:2], "big")
        if size in _DIGITS and len(frame) == 2 + size:
            return Decoded(hello=Hello([_digits(frame[2:])]), reply=b"\x01")
        return self._datagram(frame, device, unknown)

    def encode(self, command: Command, device: Device) -> Encoded:
        return Encoded(command_packet(command, self.max_frame))

    @classmethod
    def can_tell(cls, kind: str, device: Device) -> bool:
        return settings.can_tell(kind, device)

    def instructions(self, command: Command, device: Device) -> list[Text]:
        return settings.instructions(command, device)

    def by_sms(self, text: Text, device: Device) -> Text:
        return settings.by_sms(text, device)

    def _packet(self, frame: bytes, device: Device | None) -> Decoded:
        """A packet of a connection: preamble, length, data, checksum."""
        end = len(frame) - 4
        fault = _fault(frame)
        if fault is not None:
            if not self.recorded or len(frame) < 10:
                raise ProtocolError(fault)
            if int.from_bytes(frame[4:8], "big") != end - 8:
                end = len(frame)
        reader = Reader(frame, 9, end)
        decoded = self._data(frame[8], reader, device)
        if fault is None and reader.position != end:
            raise ProtocolError(f"{end - reader.position} bytes follow the data")
        if fault is not None:
            self.doubt(decoded, fault)
        return decoded

    def _datagram(self, frame: bytes, device: Device | None, unknown: bool) -> Decoded:
        """A datagram: length, packet id, type, AVL packet id, IMEI, data."""
        size = int.from_bytes(frame[:2], "big")
        digits = int.from_bytes(frame[6:8], "big")
        if len(frame) < _UDP_LEAST or digits not in _DIGITS:
            raise ProtocolError(f"neither log-in nor packet nor datagram: {_shown(frame)}")
        if size != len(frame) - 2 and not self.recorded:
            raise ProtocolError(f"a datagram of {len(frame)} bytes says {size + 2}")
        imei = _digits(frame[_UDP_HEAD : _UDP_HEAD + digits])
        hello = Hello([imei])
        before, self._imei = self._imei, imei
        known = device is not None and device.device_id == imei
        if not known and imei != before and (before or not unknown):
            # What AVL ids mean depends on the model.
            return Decoded(hello=hello, needs_device=True)
        start = _UDP_HEAD + digits
        if start >= len(frame):
            raise ProtocolError("a datagram without data")
        reader = Reader(frame, start + 1, len(frame))
        decoded = self._data(frame[start], reader, device)
        if reader.position != len(frame):
            raise ProtocolError(f"{len(frame) - reader.position} bytes follow the data")
        decoded.hello = hello
        if decoded.reply is not None:
            # Length, packet id, type (no acknowledgement of the acknowledgement), AVL packet id.
            taken = decoded.reply[-1:] if isinstance(decoded.reply, bytes) else b""
            decoded.reply = b"\x00\x05" + frame[2:4] + b"\x01" + frame[5:6] + taken
        return decoded

    def _data(self, codec: int, reader: Reader, device: Device | None) -> Decoded:
        """The data of a packet or datagram, from after the codec's number."""
        if codec in _RECORDS:
            count = reader.number(1, "count of records")
            messages = self._records(codec, count, reader, device)
            reader.position += 1
            return Decoded(messages=messages, reply=count.to_bytes(4, "big"))
        if codec not in _CODECS:
            raise ProtocolError(f"codec {codec:#04x} is not known")
        report = read_packet(codec, reader)
        hello = Hello([report.device_id]) if report.device_id is not None else None
        return Decoded(hello=hello, messages=report.messages, answers=report.answers)

    def _records(
        self, codec: int, count: int, reader: Reader, device: Device | None
    ) -> Sequence[Message]:
        """The records of a packet; ``reader`` is left at the second count, which was checked."""
        table = table_for(device.model if device is not None else None, codec)
        if codec == GH:
            messages = [read_gh_record(reader, table) for _ in range(count)]
            _check_count(count, reader)
            return messages
        if codec != CODEC_8:
            return self._plain_records(codec, count, reader, table)
        # Whether codec 8 has 16-byte elements stands nowhere in the packet: only one way fits.
        start = reader.position
        found: Sequence[Message]
        first = self._extended or (device is not None and bool(device.setup.get("extended")))
        try:
            return self._codec_8(first, count, reader, table)
        except ProtocolError as error:
            reader.position = start
            try:
                found = self._codec_8(not first, count, reader, table)
            except ProtocolError:
                raise error from None
            self._extended = not first
            return found

    def _codec_8(
        self, extended: bool, count: int, reader: Reader, table: Table
    ) -> Sequence[Message]:
        """Records of codec 8, ``extended`` by 16-byte elements or not."""
        if not extended:
            return self._plain_records(CODEC_8, count, reader, table)
        found = [read_record(reader, CODEC_8, table, extended=True) for _ in range(count)]
        _check_count(count, reader)
        return found

    def _plain_records(
        self, codec: int, count: int, reader: Reader, table: Table
    ) -> Sequence[Message]:
        """Records of codecs 8, 8E and 16, by plans as far as there are any."""
        if self._plans_of != (table, codec):
            self._plans_of, self._plans = (table, codec), []
        data, end = reader.data, reader.end
        messages: list[Message] = []
        #: Not yet among the messages.
        runs: list[Run] = []
        left = count
        while left:
            start = reader.position
            plan, times = self._plan_at(table, codec, data, start, end, left)
            if plan is None:
                open_runs(runs, messages)
                runs.clear()
                messages.append(read_record(reader, codec, table))
                left -= 1
                continue
            reader.position = start + times * plan.size
            run = data[start : reader.position]
            if runs and runs[-1].plan is plan:
                runs[-1].data += run
            else:
                runs.append(Run(plan, run))
            left -= times
        _check_count(count, reader)
        if not messages and count > 1:
            return PlannedRecords(runs, count)
        open_runs(runs, messages)
        return messages

    def _plan_at(
        self, table: Table, codec: int, data: bytes, start: int, end: int, most: int
    ) -> tuple[Plan | None, int]:
        """The plan for the record at ``start``, and for how many records from there on."""
        plans = self._plans
        for index, plan in enumerate(plans):
            times = plan.run(data, start, end, most if index == 0 else 1)
            if times:
                if index:
                    plans.insert(0, plans.pop(index))
                    times = plan.run(data, start, end, most)
                return plan, times
        found = find_plan(table, codec, data, start, end)
        if found is None:
            return None, 0
        plans.insert(0, found)
        del plans[_REMEMBERED:]
        return found, found.run(data, start, end, most)


def _check_count(count: int, reader: Reader) -> None:
    """The count after the records must be the one before them."""
    if reader.position >= reader.end:
        raise ProtocolError("cut short: no second count of records")
    again = reader.data[reader.position]
    if again != count:
        raise ProtocolError(f"{count} records at the beginning, {again} at the end")


def _frame_size(data: bytes, at: int, longest: int) -> int | None:
    """Bytes of the frame that begins at ``at``; None where too few are there to say. Raises
    :class:`ProtocolError` for what cannot begin one, as soon as it is seen."""
    have = len(data) - at
    if have < 2:
        return None
    size = int.from_bytes(data[at : at + 2], "big")
    if size == 0:
        return _packet_size(data, at, have, longest)
    if size in _DIGITS:
        _digits(data[at + 2 : at + 2 + size])
        return 2 + size
    if size <= _DIGITS[-1]:
        raise ProtocolError(f"a log-in with {size} digits")
    if have >= _UDP_HEAD:
        digits = int.from_bytes(data[at + 6 : at + 8], "big")
        if digits not in _DIGITS:
            raise ProtocolError(f"neither log-in nor packet nor datagram: {_shown(data[at:])}")
        _digits(data[at + _UDP_HEAD : at + _UDP_HEAD + digits])
    return 2 + size if have >= _UDP_HEAD else None


def _packet_size(data: bytes, at: int, have: int, longest: int) -> int | None:
    """As :func:`_frame_size`, of a packet with a preamble."""
    if any(data[at + 2 : at + 4]):
        raise ProtocolError(f"the preamble is no four zeros: {_shown(data[at:])}")
    if have < 8:
        return None
    length = int.from_bytes(data[at + 4 : at + 8], "big")
    if not 3 <= length <= longest - _AROUND:
        raise ProtocolError(f"a packet of {length} bytes; 3 to {longest - _AROUND} are possible")
    if have > 8 and data[at + 8] not in _CODECS:
        raise ProtocolError(f"codec {data[at + 8]:#04x} is not known")
    return length + _AROUND


def _fault(packet: bytes) -> str | None:
    """What is wrong with a packet's length or checksum."""
    length = int.from_bytes(packet[4:8], "big")
    if length != len(packet) - _AROUND:
        return f"{max(0, len(packet) - _AROUND)} bytes of data, {length} stated"
    stated = int.from_bytes(packet[-4:], "big")
    computed = crc16.arc(packet[8:-4])
    return None if stated == computed else f"checksum {stated:04x} stated, {computed:04x} computed"


def _digits(data: bytes) -> str:
    """An IMEI, or its beginning."""
    if not data.isdigit():
        if data:
            raise ProtocolError(f"an IMEI of {_shown(data)}")
        return ""
    return data.decode("ascii")


def _shown(data: bytes) -> str:
    """Bytes in an error's text."""
    return data[:24].hex() + ("..." if len(data) > 24 else "")
