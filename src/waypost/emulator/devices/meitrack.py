"""A Meitrack T1: compressed reports (CCC) over TCP or UDP, acknowledged by their number, and
commands.

Source: Meitrack, "MEITRACK T622 GPRS Protocol" V1.2: 1.1 (command format), 1.2 (AAA), 3.1 (A10),
3.2 (heartbeat), 3.3 (A12), 3.45 (CCC); "MEITRACK GPRS Protocol" V1.6 (C01, E91); commands as in
``waypost.protocols.meitrack.instructions``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from struct import Struct, pack

from waypost.emulator.devices.base import NEVER, SECOND, Device, Do, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

#: Event codes: by time, input 3 (ignition) active and inactive, on request, heartbeat.
EVENTS = {
    Event.PERIODIC: 35,
    Event.IGNITION_ON: 3,
    Event.IGNITION_OFF: 11,
    Event.REQUESTED: 34,
}
HEARTBEAT = 31
#: Layout of CCC records.
VERSION = 0x0102
#: Event, latitude, longitude, time, fix, satellites, signal, speed, heading, HDOP, altitude,
#: mileage, run time, MCC, MNC, LAC, cell, inputs, outputs, analog input, battery, power, geofences.
_RECORD = Struct("<BiiIBBBHHHhIIHHHHBBHHHI")
#: Times count from 2000-01-01, seconds.
EPOCH = 946_684_800
#: The password of all of them, first.
FACTORY = "0000"
#: An interval counts in tens of seconds.
TENS = 10


class T1(Device):
    protocol = "meitrack"
    model = "meitrack_t1"
    transports = (Transport.TCP, Transport.UDP)
    per_packet = 10
    heartbeat = 600
    #: Stands before commands by SMS.
    password = FACTORY
    #: Its lights show what it does.
    lights = True
    _identifier = 0
    #: Of A15, until A16 says that it counts.
    _asked_parked = 0

    def encode(self, reading: Reading, event: Event) -> bytes:
        cell = reading.cells[0]
        return _RECORD.pack(
            EVENTS[event],
            round(reading.latitude * 1e6),
            round(reading.longitude * 1e6),
            reading.time // 1000 - EPOCH,
            1,
            reading.satellites,
            self._signal(reading),
            round(reading.speed),
            reading.heading,
            round(reading.hdop * 10),
            round(reading.altitude),
            round(reading.odometer * 1000),
            round(reading.engine_hours * 3600),
            cell.mcc,
            cell.mnc,
            cell.lac,
            cell.cell_id,
            reading.inputs,
            self.outputs,
            round(reading.fuel * 5),
            round(reading.battery_voltage * 100),
            round(reading.board_voltage * 100),
            0,
        )

    @staticmethod
    def _signal(reading: Reading) -> int:
        return min(max((reading.rssi + 113) // 2, 0), 31)

    def packet(self, records: Sequence[Record]) -> bytes:
        head = pack("<HHI", VERSION, _RECORD.size, self.waiting)
        data = b"".join(record.data for record in records)
        return self._message(b"CCC," + head + data)

    def _message(self, content: bytes, identifier: str = "") -> bytes:
        """A framed message, with the next data identifier or the one given."""
        if not identifier:
            identifier = chr(0x41 + self._identifier)
            self._identifier = (self._identifier + 1) % 58
        body = b"," + self.device_id.encode() + b"," + content + b"*"
        data = f"$${identifier}{len(body) + 4}".encode() + body
        return data + f"{sum(data) & 0xFF:02X}\r\n".encode()

    def _report(self, event: int) -> bytes:
        """A report as text, of the latest reading."""
        reading = self.reading
        cell = reading.cells[0]
        moment = time.strftime("%y%m%d%H%M%S", time.gmtime(reading.time / 1000))
        return (
            f"AAA,{event},{reading.latitude:.6f},{reading.longitude:.6f},{moment},A,"
            f"{reading.satellites},{self._signal(reading)},{reading.speed:.0f},{reading.heading},"
            f"{reading.hdop:.1f},{reading.altitude:.0f},{reading.odometer * 1000:.0f},"
            f"{reading.engine_hours * 3600:.0f},{cell.mcc}|{cell.mnc}|{cell.lac:04X}|"
            f"{cell.cell_id:04X},{reading.inputs:02X}{self.outputs:02X},"
            f"0000|0000|0000|{round(reading.battery_voltage * 100):04X}|"
            f"{round(reading.board_voltage * 100):04X},,,3,,,,"
        ).encode()

    def alive(self, now: int) -> bytes:
        return self._message(self._report(HEARTBEAT))

    def receive(self, now: int) -> bytes:
        answers = b""
        while (end := self.input.find(b"\n")) >= 0:
            line = bytes(self.input[: end + 1])
            del self.input[: end + 1]
            answers += self._line(line)
        return answers

    def _line(self, line: bytes) -> bytes:
        """Takes a message of the server: an acknowledgement or a command."""
        found = re.fullmatch(rb"@@([A-z])(\d{1,5})(,(\d+),(.*)\*)([0-9A-Fa-f]{2})\r\n", line)
        if found is None or found[4] != self.device_id.encode():
            return b""
        checked = sum(line[:-4]) & 0xFF == int(found[6], 16)
        if not checked or int(found[2]) != len(found[3]) + 4:
            return b""
        command = found[5].decode(errors="replace")
        taken = re.fullmatch(r"CCC,(\d{1,3})", command)
        if taken is not None:
            self.accepted(int(taken[1]))
            return b""
        self.count.commands += 1
        return self._message(self._obey(command), found[1].decode())

    def receive_sms(self, text: str) -> str | None:
        password, _, command = text.strip().partition(",")
        if password != self.password or not re.match("[A-Z][0-9A-F]{2}", command):
            return None
        self.count.commands += 1
        said = self._obey(command).decode()
        return f"{self.device_id},{said}"

    def _obey(self, command: str) -> bytes:
        """The answer to a command, which begins with its three characters."""
        name, *fields = command.split(",")
        if name == "A10":
            return self._report(EVENTS[Event.REQUESTED])
        if name == "E91":
            return b"E91,T1_Y10H1413V046,1407B0040052"
        known: dict[str, Do] = {
            "A11": lambda fields: self._number(fields) is not None,
            "A12": self._interval,
            "A13": self._turn,
            "A14": self._way,
            "A15": self._parked,
            "A16": self._parking,
            "A21": self._report_to,
            "A73": lambda fields: fields in (["0"], ["1"], ["2"]),
            "B31": self._lights,
            "B36": lambda fields: fields == ["0"],
            "C01": self._switch,
        }
        do = known.get(name)
        done = do is not None and do(fields)
        return f"{name[:3]},{'OK' if done else 'Error'}".encode()

    @staticmethod
    def _number(fields: list[str]) -> int | None:
        """The only parameter, 0 to 65535."""
        if len(fields) != 1 or not re.fullmatch("[0-9]{1,5}", fields[0]):
            return None
        return int(fields[0]) if int(fields[0]) <= 0xFFFF else None

    def _interval(self, fields: list[str]) -> bool:
        tens = self._number(fields)
        if tens is None:
            return False
        self.set_interval(tens * TENS or NEVER)
        return True

    def _turn(self, fields: list[str]) -> bool:
        degrees = self._number(fields)
        if degrees is None or degrees > 359:
            return False
        self.angle = degrees
        return True

    def _way(self, fields: list[str]) -> bool:
        metres = self._number(fields)
        if metres is None:
            return False
        self.distance = metres
        return True

    def _parked(self, fields: list[str]) -> bool:
        tens = self._number(fields)
        if tens is None:
            return False
        self._asked_parked = tens * TENS * SECOND
        return True

    def _parking(self, fields: list[str]) -> bool:
        if fields not in (["0"], ["1"]):
            return False
        self.parked_interval = self._asked_parked if fields == ["1"] else 0
        return True

    def _report_to(self, fields: list[str]) -> bool:
        """1 for TCP, 2 for UDP; host, port, access point."""
        way = {"1": Transport.TCP, "2": Transport.UDP}.get(fields[0]) if fields else None
        if way is None or len(fields) != 6 or not fields[1] or not fields[2].isdecimal():
            return False
        if fields[3]:
            self.apn = AccessPoint(*fields[3:])
        self.point_at(fields[1], int(fields[2]), way)
        return True

    def _lights(self, fields: list[str]) -> bool:
        if fields not in (["00"], ["10"]):
            return False
        self.lights = fields == ["00"]
        return True

    def _switch(self, fields: list[str]) -> bool:
        """A speed, and for each output 0, 1 or, as it is, 2."""
        if len(fields) != 2 or not re.fullmatch("[012]{5}", fields[1]):
            return False
        for output, state in enumerate(fields[1], 1):
            if state != "2":
                self.switch(output, state == "1")
        return True
