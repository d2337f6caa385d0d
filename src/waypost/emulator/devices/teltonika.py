"""A Teltonika FMB920: codec 8 extended over TCP or UDP, commands in codec 12 and 14.

Source: Teltonika's wiki, "Teltonika Data Sending Protocols" (packets) and "FMB920 Teltonika Data
Sending Parameters ID" (AVL ids, units), "FMB SMS/GPRS Commands" (commands), "FMB920 Parameter
list".
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from struct import Struct, pack
from typing import Any

import fastcrc

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

CODEC_8E, CODEC_12, CODEC_14 = 0x8E, 0x0C, 0x0E
#: A command, its answer, and "this command is for another device" (codec 14).
COMMAND, ANSWER, NOT_ME = 5, 6, 0x11
#: Parameters that change what it does: access point, server, and when it makes records at home.
APN, USER, PASSWORD, HOST, PORT, PROTOCOL = "2001", "2002", "2003", "2004", "2005", "2006"
MIN_PERIOD, MIN_DISTANCE, MIN_ANGLE, STOP_PERIOD = "10050", "10051", "10052", "10000"
#: No command is longer (characters).
LONGEST = 160

_GPS = Struct(">QBiihHBH")
_EVENT = Struct(">HHH")
_ONE, _TWO, _FOUR = Struct(">HB"), Struct(">HH"), Struct(">HI")


class Fmb920(Device):
    protocol = "teltonika"
    model = "telfmb920"
    transports = (Transport.TCP, Transport.UDP)
    whole_seconds = False
    per_packet = 20
    _packet_id = 0
    #: What an SMS must begin with.
    sms_login = sms_password = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        #: What was set, by number.
        self.parameters: dict[str, str] = {}

    def waits_for_leave(self) -> bool:
        return self.transport is Transport.TCP

    def hello(self, now: int) -> bytes:
        if self.transport is Transport.UDP:
            return b""
        return pack(">H", len(self.device_id)) + self.device_id.encode()

    def encode(self, reading: Reading, event: Event) -> bytes:
        event_io = 239 if event in (Event.IGNITION_ON, Event.IGNITION_OFF) else 0
        cell = reading.cells[0]
        one = (
            (239, reading.ignition),
            (240, reading.moving),
            (1, reading.ignition),
            (2, reading.inputs >> 1 & 1),
            (179, self.outputs & 1),
            (21, min(max((reading.rssi + 113) // 12, 0), 5)),
            (69, 1),
            (113, reading.battery_level),
        )
        two = (
            (66, round(reading.board_voltage * 1000)),
            (67, round(reading.battery_voltage * 1000)),
            (182, round(reading.hdop * 10)),
            (205, cell.cell_id),
            (206, cell.lac),
            (24, round(reading.speed)),
        )
        four = (
            (16, round(reading.odometer * 1000)),
            (241, cell.mcc * 100 + cell.mnc),
            (449, round(reading.engine_hours * 3600)),
        )
        parts = [
            _GPS.pack(
                reading.time,
                event is not Event.PERIODIC,
                round(reading.longitude * 1e7),
                round(reading.latitude * 1e7),
                round(reading.altitude),
                reading.heading,
                reading.satellites,
                round(reading.speed),
            ),
            _EVENT.pack(event_io, len(one) + len(two) + len(four), len(one)),
            *(_ONE.pack(*item) for item in one),
            pack(">H", len(two)),
            *(_TWO.pack(*item) for item in two),
            pack(">H", len(four)),
            *(_FOUR.pack(*item) for item in four),
            bytes(4),  # none of eight bytes, none of variable length
        ]
        return b"".join(parts)

    def packet(self, records: Sequence[Record]) -> bytes:
        count = bytes((len(records),))
        data = bytes((CODEC_8E,)) + count + b"".join(record.data for record in records) + count
        if self.transport is Transport.TCP:
            return _framed(data)
        if not any(record.sent for record in records):
            self._packet_id = self._packet_id % 255 + 1
        imei = self.device_id.encode()
        body = pack(">HBBH", 0xCAFE, 1, self._packet_id, len(imei)) + imei + data
        return pack(">H", len(body)) + body

    def receive(self, now: int) -> bytes:
        if self.transport is Transport.UDP:
            return self._receive_datagram()
        data, answers = self.input, b""
        if not self.ready and data:
            if data.pop(0) != 1:
                self.count.refused += 1
                self.hang_up = True
                data.clear()
                return b""
            self.ready = True
        while len(data) >= 4:
            number = int.from_bytes(data[:4], "big")
            if number:
                del data[:4]
                if number == self.in_flight:
                    self.accepted(number)
                elif self.in_flight:  # not what was sent: connect anew, send it again
                    self.hang_up = True
                continue
            if len(data) < 8:
                break  # a command begins, or the server took nothing
            end = 12 + int.from_bytes(data[4:8], "big")
            if len(data) < end:
                break
            body = bytes(data[8 : end - 4])
            del data[:end]
            answers += self._command(body)
        return answers

    def _receive_datagram(self) -> bytes:
        data = bytes(self.input)
        self.input.clear()
        if len(data) == 7 and data[4:6] == bytes((1, self._packet_id)):
            if data[6] == self.in_flight:
                self.accepted(data[6])
            return b""
        if data[:4] == bytes(4) and len(data) > 12:
            return self._command(data[8:-4])
        return b""

    def _command(self, body: bytes) -> bytes:
        """Answers a codec 12 or 14 body."""
        if len(body) < 8 or body[0] not in (CODEC_12, CODEC_14) or body[2] != COMMAND:
            return b""
        size = int.from_bytes(body[3:7], "big")
        content = body[7 : 7 + size]
        own = b""
        if body[0] == CODEC_14:
            own, content = content[:8], content[8:]
            if own.hex().lstrip("0") != self.device_id.lstrip("0"):
                return _framed(bytes((CODEC_14, 1, NOT_ME)) + pack(">I", 8) + own + b"\x01")
        self.count.commands += 1
        text = own + self.obey(content.decode(errors="replace").strip()).encode()
        return _framed(bytes((body[0], 1, ANSWER)) + pack(">I", len(text)) + text + b"\x01")

    def receive_sms(self, text: str) -> str | None:
        login, _, rest = text.partition(" ")
        password, _, command = rest.partition(" ")
        if (login, password) != (self.sms_login, self.sms_password) or len(text) > LONGEST:
            return None
        self.count.commands += 1
        answer = self.obey(command.strip())
        return None if command.strip() == "getrecord" else answer

    def obey(self, command: str) -> str:
        """The answer to a command; parameters are taken on, outputs are set."""
        word, _, rest = command.partition(" ")
        reading = self.reading
        match word.lower():
            case "getver":
                return (
                    "Ver:03.27.07_00 GPS:AXN_5.10_3333 Hw:FMB920 Mod:15 "
                    f"IMEI:{self.device_id} BL:1.9"
                )
            case "getgps":
                date = time.gmtime(reading.time / 1000)
                return (
                    f"GPS:1 Sat:{reading.satellites} Lat:{reading.latitude:.6f} "
                    f"Long:{reading.longitude:.6f} Alt:{reading.altitude:.0f} "
                    f"Speed:{reading.speed:.0f} Dir:{reading.heading} "
                    f"Date: {date.tm_year}/{date.tm_mon}/{date.tm_mday} "
                    f"Time:{date.tm_hour}:{date.tm_min}:{date.tm_sec}"
                )
            case "getio":
                return (
                    f"DI1:{reading.inputs & 1} DI2:{reading.inputs >> 1 & 1} DO1:{self.outputs & 1}"
                )
            case "getinfo":
                return f"RTC:{reading.time // 1000} Rst:0 SR:1 GPS:3 Sat:{reading.satellites}"
            case "getrecord":
                self.report(Event.REQUESTED)
                return "Record is saved and sent"
            case "getparam" if rest.strip() == MIN_PERIOD:
                return f"Param ID:{MIN_PERIOD} Val:{self.interval // 1000}"
            case "getparam" if rest.strip() in self.parameters:
                return f"Param ID:{rest.strip()} Val:{self.parameters[rest.strip()]}"
            case "setparam":
                return self._set_parameters(rest)
            case "setdigout" if rest[:1] in ("0", "1"):
                self.outputs = int(rest[0])
                return f"DOUT1:{self.outputs} Timeout:INFINITY"
            case "setdigout" if rest[:1] == "?":
                return "DOUT1:Ignored"
            case _:
                return "Unknown command or wrong format"

    def _set_parameters(self, text: str) -> str:
        pairs = [pair.partition(":") for pair in text.strip(";").split(";")]
        if not all(number.isdigit() and colon for number, colon, _ in pairs):
            return "Unknown command or wrong format"
        changed = {number: value for number, _, value in pairs}
        self.parameters |= changed
        known = self.parameters
        if changed.keys() & {APN, USER, PASSWORD}:
            self.apn = AccessPoint(*(known.get(number, "") for number in (APN, USER, PASSWORD)))
        self._record_when(changed)
        port = known.get(PORT, "")
        if changed.keys() & {HOST, PORT, PROTOCOL} and known.get(HOST) and port.isdecimal():
            transport = {"0": Transport.TCP, "1": Transport.UDP}.get(known.get(PROTOCOL, ""))
            self.point_at(known[HOST], int(port), transport)
        return "New value " + ";".join(f"{number}:{value}" for number, _, value in pairs) + ";"

    def _record_when(self, changed: dict[str, str]) -> None:
        """Takes on when to make records."""
        numbers = {
            number: int(value) for number, value in changed.items() if re.fullmatch(r"\d+", value)
        }
        self.distance = numbers.get(MIN_DISTANCE, self.distance)
        self.angle = numbers.get(MIN_ANGLE, self.angle)
        self.parked_interval = numbers.get(STOP_PERIOD, self.parked_interval // 1000) * 1000
        if numbers.get(MIN_PERIOD):
            self.set_interval(numbers[MIN_PERIOD])


def _framed(body: bytes) -> bytes:
    """Preamble, length, ``body``, checksum."""
    return pack(">II", 0, len(body)) + body + pack(">I", fastcrc.crc16.arc(body))
