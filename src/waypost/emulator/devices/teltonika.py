"""A Teltonika FMB920: codec 8 extended over TCP or UDP, commands in codec 12 and 14.

Source: Teltonika's wiki, "Teltonika Data Sending Protocols" (packets) and "FMB920 Teltonika Data
Sending Parameters ID" (AVL ids, units), "FMB SMS/GPRS Commands" (commands).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from struct import Struct, pack

import fastcrc

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport

CODEC_8E, CODEC_12, CODEC_14 = 0x8E, 0x0C, 0x0E
#: A command, its answer, and "this command is for another device" (codec 14).
COMMAND, ANSWER, NOT_ME = 5, 6, 0x11
#: "Min period" while moving, in seconds: the parameter behind the reporting interval.
MIN_PERIOD = "10050"

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

    def obey(self, command: str) -> str:
        """The answer to a command; an interval is taken on, an output is set."""
        word, _, rest = command.partition(" ")
        reading = self.reading
        match word.lower():
            case "getver":
                return (
                    "Ver:03.27.07_00 GPS:AXN_5.10_3333 Hw:FMB920 Mod:15 "
                    f"IMEI:{self.device_id} BL:1.9"
                )
            case "getgps":
                return (
                    f"GPS:1 Sat:{reading.satellites} Lat:{reading.latitude:.6f} "
                    f"Long:{reading.longitude:.6f} Alt:{reading.altitude:.0f} "
                    f"Speed:{reading.speed:.0f} Dir:{reading.heading}"
                )
            case "getio":
                return (
                    f"DI1:{reading.inputs & 1} DI2:{reading.inputs >> 1 & 1} DO1:{self.outputs & 1}"
                )
            case "getinfo":
                return f"RTC:{reading.time // 1000} Rst:0 SR:1 GPS:3 Sat:{reading.satellites}"
            case "getparam" if rest.strip() == MIN_PERIOD:
                return f"Param ID:{MIN_PERIOD} Val:{self.interval // 1000}"
            case "setparam":
                return self._set_parameters(rest)
            case "setdigout" if rest[:1] in ("0", "1"):
                self.outputs = int(rest[0])
                return f"DOUT1:{self.outputs} Timeout:INFINITY"
            case _:
                return "Unknown command or wrong format"

    def _set_parameters(self, text: str) -> str:
        pairs = re.findall(r"(\d+):(\d+)", text)
        for number, value in pairs:
            if number == MIN_PERIOD and int(value):
                self.set_interval(int(value))
        if not pairs:
            return "Unknown command or wrong format"
        return "New value " + ";".join(f"{number}:{value}" for number, value in pairs) + ";"


def _framed(body: bytes) -> bytes:
    """Preamble, length, ``body``, checksum."""
    return pack(">II", 0, len(body)) + body + pack(">I", fastcrc.crc16.arc(body))
