"""A Queclink GV300: @Track ASCII over TCP or UDP with SACK, heartbeat and commands.

Source: Queclink, "GV300 @Track Air Interface Protocol" TRACGV300AN002: AT+GTBSI, AT+GTSRI and
AT+GTQSS (access point and server), AT+GTFRI (fixed report), AT+GTRTO (real time operation),
AT+GTOUT (outputs), the position reports, GTIGN and GTIGF, "Heartbeat", "Server Acknowledgement".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading, SeenCell
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

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
    #: Columns of AT+GTFRI: distance, mileage, corner, interval while the ignition is off.
    fri: ClassVar[tuple[int, int, int, int | None]] = (9, 10, 12, 13)
    #: Modes in which time, distance, mileage count.
    by_time: ClassVar[tuple[str, ...]] = ("1", "5")
    by_mileage: ClassVar[tuple[str, ...]] = ("3", "5")
    _number = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.password = self.model.removeprefix("ql")
        #: What was set: columns by command and number.
        self.settings: dict[str, dict[int, str]] = {}

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

    def receive_sms(self, text: str) -> str | None:
        """Its acknowledgement goes to the server, unless it did not know of one."""
        line = text.strip().removesuffix("$")
        if not line.startswith("AT+GT"):
            return None
        alone = self.server is None
        answer = self._command(line[3:], 0).decode()
        return answer if alone and answer else None

    def _command(self, text: str, now: int) -> bytes:
        """Acknowledges ``GTxxx=password,...,serial`` and does what it asks, if it can. A column
        that is empty stays as it was."""
        word, _, rest = text.partition("=")
        fields = rest.split(",")
        if len(fields) < 2 or fields[0] != self.password:
            return b""
        self.count.commands += 1
        given = {number: value for number, value in enumerate(fields[1:-1], 1) if value}
        known = self.settings.setdefault(word, {})
        known.update(given)
        detail = ""
        match word:
            case "GTFRI":
                self._report_when(known)
            case "GTOUT":
                for output in (1, 2, 3):
                    state = given.get(3 * output - 2)
                    if state in ("0", "1"):
                        self.switch(output, state == "1")
            case "GTRTO":
                what = given.get(1, "")
                detail = {"1": "RTL,", "3": "RBT,"}.get(what, f"{what},")
                if what == "1":
                    self.report(Event.REQUESTED)
            case "GTBSI" | "GTQSS" if 1 in given:
                self.apn = AccessPoint(given[1], given.get(2, ""), given.get(3, ""))
        first = {"GTSRI": 1, "GTQSS": 4}.get(word)
        if first is not None:
            self._go(known, first)
        return (
            f"+ACK:{word},{VERSION},{self.device_id},,{detail}{fields[-1]},{stamp(now)},"
            f"{self._next_number()}$"
        ).encode()

    def _go(self, columns: dict[int, str], first: int) -> None:
        """Takes on the server that follows the report mode in column ``first``."""
        host, port = columns.get(first + 3, ""), columns.get(first + 4, "")
        transports = {"3": Transport.TCP, "4": Transport.UDP, "6": Transport.UDP}
        if host and port.isdecimal():
            self.point_at(host, int(port), transports.get(columns.get(first, "")))

    def _report_when(self, columns: dict[int, str]) -> None:
        """Takes on a fixed report: mode, then time, distance, mileage and turn."""
        distance, mileage, corner, parked = self.fri
        values = {number: int(value) for number, value in columns.items() if value.isdecimal()}
        mode = columns.get(1, "")
        # The check interval stands before the send interval; a device may be told only one.
        seconds = values.get(8) or values.get(7, 0)
        self.distance = 0
        if mode in self.by_time and seconds:
            self.set_interval(seconds)
        elif mode == "2":
            self.distance = values.get(distance, 0)
        if mode in self.by_mileage:
            self.distance = values.get(mileage, 0)
        self.angle = values.get(corner, 0)
        if parked is not None:
            self.parked_interval = values.get(parked, 0) * 1000


class Gl300(Gv300):
    """Its portable cousin: what is set stands in other columns."""

    model = "qlgl300"
    fri = (12, 13, 18, None)
    by_time = ("1", "4", "6")
    by_mileage = ("3", "6")
