"""A Queclink GV300: @Track ASCII over TCP or UDP with SACK, heartbeat and commands.

Source: Queclink, "GV300 @Track Air Interface Protocol" TRACGV300AN002: AT+GTFRI (fixed report),
AT+GTRTO (real time operation), AT+GTOUT (outputs), the position reports, GTIGN and GTIGF,
"Heartbeat", "Server Acknowledgement".
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading, SeenCell
from waypost.protocols.base import Transport

#: Device type 06 is the GV300; the rest is the protocol's version.
VERSION = "060228"


def stamp(moment: int) -> str:
    """YYYYMMDDHHMMSS of ms UTC."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(moment / 1000))


def tower(cell: SeenCell) -> str:
    """MCC, MNC, LAC and cell id as all Queclink reports write them."""
    return f"{cell.mcc:04d},{cell.mnc:04d},{cell.lac:04X},{cell.cell_id:04X}"


class Gv300(Device):
    protocol = "gl200"
    model = "qlgv300"
    transports = (Transport.TCP, Transport.UDP)
    heartbeat = 300
    _number = 0

    def encode(self, reading: Reading, event: Event) -> bytes:
        """All of the report but its first five characters, ``+RESP`` or ``+BUFF``."""
        fix = (
            f"{reading.hdop:.0f},{reading.speed:.1f},{reading.heading},{reading.altitude:.1f},"
            f"{reading.longitude:.6f},{reading.latitude:.6f},{stamp(reading.time)},"
            f"{tower(reading.cells[0])},00"
        )
        head = f"{VERSION},{self.device_id},"
        tail = f"{stamp(reading.time)},{self._next_number()}$"
        if event in (Event.IGNITION_ON, Event.IGNITION_OFF):
            word = "GTIGN" if event is Event.IGNITION_ON else "GTIGF"
            hours, mileage = self._meters(reading)
            return f":{word},{head},,{fix},{hours},{mileage},{tail}".encode()
        word = "GTRTL" if event is Event.REQUESTED else "GTFRI"
        hours, mileage = self._meters(reading)
        fuel_sender = round(reading.fuel * 50)
        state = f"{'2' if reading.ignition else '1'}{'2' if reading.moving else '1'}"
        return (
            f":{word},{head},{reading.board_voltage * 1000:.0f},10,1,{fix},{mileage},{hours},"
            f"{fuel_sender},0,{reading.battery_level},"
            f"{state}{reading.inputs:02X}{self.outputs:02X},,,,{tail}"
        ).encode()

    @staticmethod
    def _meters(reading: Reading) -> tuple[str, str]:
        """Hour meter (HHHHH:MM:SS) and mileage (km)."""
        seconds = int(reading.engine_hours * 3600)
        hours = f"{seconds // 3600:05d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return hours, f"{reading.odometer:.1f}"

    def _next_number(self) -> str:
        number = f"{self._number:04X}"
        self._number = (self._number + 1) % 0x10000
        return number

    def packet(self, records: Sequence[Record]) -> bytes:
        record = records[0]
        return (b"+BUFF" if record.late else b"+RESP") + record.data

    def alive(self, now: int) -> bytes:
        return (
            f"+ACK:GTHBD,{VERSION},{self.device_id},,{stamp(now)},{self._next_number()}$".encode()
        )

    def receive(self, now: int) -> bytes:
        answers = b""
        while (end := self.input.find(b"$")) >= 0:
            text = self.input[:end].decode(errors="replace").strip("\r\n\0 ")
            del self.input[: end + 1]
            if text.startswith("AT+GT"):
                answers += self._command(text[3:], now)
            elif text.upper() == f"+SACK:{self._awaited()}":
                self.accepted(1)
        return answers

    def _awaited(self) -> str:
        """The count number of the report in flight."""
        return self.oldest[-5:-1].decode() if self.in_flight else ""

    def _command(self, text: str, now: int) -> bytes:
        """Acknowledges ``GTxxx=password,...,serial`` and does what it asks, if it can."""
        word, _, rest = text.partition("=")
        fields = rest.split(",")
        if len(fields) < 2:
            return b""
        self.count.commands += 1
        detail = ""
        if word == "GTFRI":
            # password, mode, discard no fix, reserved, period enable, start, end, check interval,
            # send interval
            seconds = next((item for item in fields[8:6:-1] if item.isdigit() and int(item)), "")
            if fields[1] == "1" and seconds:
                self.set_interval(int(seconds))
        elif word == "GTOUT" and fields[1] in ("0", "1"):
            self.outputs = int(fields[1])
        elif word == "GTRTO":
            detail = {"1": "RTL,", "3": "RBT,"}.get(fields[1], f"{fields[1]},")
            if fields[1] == "1":
                self.report(Event.REQUESTED)
        return (
            f"+ACK:{word},{VERSION},{self.device_id},,{detail}{fields[-1]},{stamp(now)},"
            f"{self._next_number()}$"
        ).encode()
