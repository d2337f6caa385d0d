"""A Concox X3: GT06 packets over TCP or UDP, each acknowledged, and text commands.

Source: Concox, "JM-VL03 GPS Tracker Communication Protocol" V1.1.2 (log-in 01, heartbeat 13, GPS
location packet 22, online command 80 and its response 21), whose packets the X3 shares; commands as
in ``waypost.protocols.gt06.instructions``, STATUS, PARAM and VERSION.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from struct import Struct, pack

import fastcrc

from waypost.emulator.devices.base import Device, Do, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

LOG_IN, HEARTBEAT, POSITION, RESPONSE, COMMAND = 0x01, 0x13, 0x22, 0x21, 0x80
#: Type code of the device, and its zone: UTC, English.
TYPE, ZONE = 0x3600, 0x0002
#: "Data upload mode": by interval, by a change of ACC, on request.
MODES = {
    Event.PERIODIC: 0x00,
    Event.IGNITION_ON: 0x03,
    Event.IGNITION_OFF: 0x03,
    Event.REQUESTED: 0x0C,
}
#: Latitude and longitude count in this part of a degree.
DEGREE = 1_800_000
#: Satellites, latitude, longitude, speed, course and status, MCC, MNC, LAC.
_FIX = Struct(">BIIBHHBH")
_NORTH, _WEST, _FIXED = 0x400, 0x800, 0x1000


class X3(Device):
    protocol = "gt06"
    model = "concox_x3"
    transports = (Transport.TCP, Transport.UDP)
    heartbeat = 180
    _serial = 0
    #: Serial number of the position in flight.
    _awaited = 0
    #: The server has answered the log-in; over UDP it is repeated until then.
    _logged_in = False

    def waits_for_leave(self) -> bool:
        return self.transport is Transport.TCP

    def hello(self, now: int) -> bytes:
        self._logged_in = False
        return self._log_in() if self.transport is Transport.TCP else b""

    def _log_in(self) -> bytes:
        return self._packet(LOG_IN, bytes.fromhex("0" + self.device_id) + pack(">HH", TYPE, ZONE))

    def encode(self, reading: Reading, event: Event) -> bytes:
        cell = reading.cells[0]
        course = reading.heading | _FIXED
        course |= _NORTH if reading.latitude >= 0 else 0
        course |= _WEST if reading.longitude < 0 else 0
        moment = time.gmtime(reading.time / 1000)
        return b"".join(
            (
                bytes((moment.tm_year - 2000, *moment[1:6])),
                _FIX.pack(
                    0xC0 | min(reading.satellites, 15),
                    round(abs(reading.latitude) * DEGREE),
                    round(abs(reading.longitude) * DEGREE),
                    min(round(reading.speed), 255),
                    course,
                    cell.mcc,
                    cell.mnc,
                    cell.lac,
                ),
                cell.cell_id.to_bytes(3, "big"),
                bytes((reading.ignition, MODES[event], 0)),
                pack(">I", round(reading.odometer * 1000)),
            )
        )

    def packet(self, records: Sequence[Record]) -> bytes:
        record = records[0]
        # The last byte before the mileage says that it comes late.
        content = record.data[:-5] + bytes((record.late,)) + record.data[-4:]
        log_in = b""
        if self.transport is Transport.UDP and not self._logged_in:
            log_in = self._log_in()
        data = self._packet(POSITION, content)
        self._awaited = self._serial
        return log_in + data

    def _packet(self, kind: int, content: bytes, long: bool = False) -> bytes:
        self._serial = self._serial % 0xFFFF + 1
        size = 5 + len(content)
        body = pack(">HB" if long else ">BB", size, kind) + content + pack(">H", self._serial)
        crc = fastcrc.crc16.ibm_sdlc(body)
        return (b"\x79\x79" if long else b"\x78\x78") + body + pack(">H", crc) + b"\r\n"

    def unanswered(self) -> None:
        super().unanswered()
        self._logged_in = False

    def alive(self, now: int) -> bytes:
        """The heartbeat: state, level of the battery from 0 to 6, signal from 0 to 4."""
        reading = self.reading
        state = (self.outputs & 1) << 7 | 0x40 | 0x04 | (0x02 if reading.ignition else 0)
        level = round(reading.battery_level * 6 / 100)
        signal = min(max((reading.rssi + 113) // 12, 0), 4)
        return self._packet(HEARTBEAT, bytes((state, level, signal, 0, 2)))

    def receive(self, now: int) -> bytes:
        data, answers = self.input, b""
        while len(data) >= 5:
            if data[:2] != b"\x78\x78":
                data.clear()
                self.hang_up = self.transport is Transport.TCP
                break
            end = 5 + data[2]
            if len(data) < end:
                break
            packet = bytes(data[:end])
            del data[:end]
            crc = fastcrc.crc16.ibm_sdlc(packet[2:-4])
            if len(packet) < 10 or crc != int.from_bytes(packet[-4:-2], "big"):
                continue
            kind, content = packet[3], packet[4:-6]
            serial = int.from_bytes(packet[-6:-4], "big")
            if kind == LOG_IN:
                self.ready = self._logged_in = True
            elif kind == POSITION and serial == self._awaited:
                self.accepted(self.in_flight)
            elif kind == COMMAND and len(content) >= 5:
                answers += self._answer(content)
        return answers

    def _answer(self, content: bytes) -> bytes:
        """The answer to a command repeats its server flag."""
        self.count.commands += 1
        flag, text = content[1:5], content[5 : 1 + content[0]]
        answer = self._obey(text.decode("ascii", "replace").strip())
        return self._packet(RESPONSE, flag + b"\x01" + answer.encode("ascii"), long=True)

    def receive_sms(self, text: str) -> str | None:
        text = text.strip()
        if not text.endswith("#"):
            return None
        self.count.commands += 1
        return self._obey(text)

    def _obey(self, command: str) -> str:
        """The answer to ``NAME,parameters#``."""
        name, *fields = command.rstrip("#").split(",")
        said = self._state(name.upper())
        if said is not None:
            return said
        known: dict[str, Do] = {
            "TIMER": self._timer,
            "DISTANCE": self._distance,
            "ANGLEREP": self._turns,
            "SENDS": lambda fields: fields[0].isdecimal(),
            "GMT": lambda fields: fields == ["E", "0", "0"],
            "GPRSON": lambda fields: fields == ["1"],
            "APN": self._access_point,
            "SERVER": self._report_to,
            "SPEEDCHECK": lambda fields: fields[0] in ("ON", "OFF"),
        }
        do = known.get(name.upper())
        if name.upper() == "RELAY" and fields in (["0"], ["1"]):
            self.outputs = int(fields[0])
            done = "Cut off" if self.outputs else "Restore"
            return f"{done} the fuel supply: Success!"
        return "OK!" if do is not None and fields and do(fields) else "Command error!"

    def _timer(self, fields: list[str]) -> bool:
        """Seconds while the ignition is on, and off."""
        if not all(re.fullmatch("[1-9][0-9]{0,4}", one) for one in fields) or len(fields) > 2:
            return False
        self.parked_interval = int(fields[-1]) * 1000
        self.set_interval(int(fields[0]))
        return True

    def _distance(self, fields: list[str]) -> bool:
        """Metres; 0: by time only."""
        if not fields[0].isdecimal():
            return False
        self.distance = int(fields[0])
        return True

    def _turns(self, fields: list[str]) -> bool:
        if fields == ["OFF"]:
            self.angle = 0
        elif len(fields) == 3 and fields[0] == "ON" and fields[1].isdecimal():
            self.angle = int(fields[1])
        else:
            return False
        return True

    def _access_point(self, fields: list[str]) -> bool:
        self.apn = AccessPoint(*fields[:3])
        return True

    def _report_to(self, fields: list[str]) -> bool:
        """0 for an address, 1 for a name; host, port, 0 for TCP, 1 for UDP."""
        if len(fields) != 4 or fields[0] not in ("0", "1") or not fields[2].isdecimal():
            return False
        way = {"0": Transport.TCP, "1": Transport.UDP}.get(fields[3])
        if way is None:
            return False
        self.point_at(fields[1], int(fields[2]), way)
        return True

    def _state(self, name: str) -> str | None:
        """What it says of itself; None: that was no question."""
        reading = self.reading
        if name == "WHERE":
            north, east = reading.latitude >= 0, reading.longitude >= 0
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(reading.time / 1000))
            return (
                f"Current position!Lat:{'N' if north else 'S'}{abs(reading.latitude):.6f},"
                f"Lon:{'E' if east else 'W'}{abs(reading.longitude):.6f},"
                f"Course:{reading.heading:.2f},Speed:{reading.speed:.2f}Km/h,DateTime:{moment}"
            )
        if name == "STATUS":
            return (
                f"Battery:{reading.battery_voltage:.2f}V,NORMAL; GPRS:Link Up; "
                f"GSM Signal Level:Strong; GPS:Successful positioning; "
                f"ACC:{'ON' if reading.ignition else 'OFF'}; "
                f"Oil:{'Disconnect' if self.outputs else 'Connect'}"
            )
        if name == "PARAM":
            parked = (self.parked_interval or self.interval) // 1000
            return f"IMEI:{self.device_id};TIMER:{self.interval // 1000},{parked};HBT:3;GMT:E,0,0;"
        if name == "VERSION":
            return "[VERSION]X3_V1.0 [BUILD]2019/01/01"
        return None
