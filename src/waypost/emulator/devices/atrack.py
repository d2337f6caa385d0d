"""An ATrack AX5: binary position packets over TCP or UDP, acknowledged, and text commands.

Source: ATrack, "AT Series Protocol Document" 1.1.4: 2.1 (command syntax), 2.2.1 (binary position
format), 2.3 (acknowledge and keep alive), AT$INFO; its other commands as in
``waypost.protocols.atrack.instructions``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from struct import Struct, pack

import fastcrc

from waypost.emulator.devices.base import NEVER, Device, Do, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

#: GPS, RTC and send time, longitude, latitude, heading, report id, odometer (100 m), HDOP (0.1),
#: inputs, speed, outputs, analog input (mV), driver id, two temperatures (0.1 degC), text.
_RECORD = Struct(">IIIiiHBIHBHBHxhhx")
#: A temperature that is not there.
_NO_SENSOR = 2000
#: Bits of AT$TRAC's mode.
_TIME, _DISTANCE, _HEADING = 1, 2, 128
REPORT_IDS = {
    Event.PERIODIC: 2,
    Event.IGNITION_ON: 101,
    Event.IGNITION_OFF: 102,
    Event.REQUESTED: 0,
}


class Ax5(Device):
    protocol = "atrack"
    model = "atrack_ax5"
    transports = (Transport.TCP, Transport.UDP)
    per_packet = 8
    heartbeat = 120
    _sequence = 0

    def encode(self, reading: Reading, event: Event) -> bytes:
        moment = reading.time // 1000
        return _RECORD.pack(
            moment,
            moment,
            moment,
            round(reading.longitude * 1e6),
            round(reading.latitude * 1e6),
            reading.heading,
            REPORT_IDS[event],
            round(reading.odometer * 10),
            round(reading.hdop * 10),
            reading.inputs,
            round(reading.speed),
            self.outputs,
            round(reading.fuel * 50),
            _NO_SENSOR,
            _NO_SENSOR,
        )

    def packet(self, records: Sequence[Record]) -> bytes:
        if not any(record.sent for record in records):
            self._sequence = self._sequence % 0xFFFF + 1
        body = self._identity() + b"".join(record.data for record in records)
        body = pack(">H", len(body)) + body
        return b"@P" + pack(">H", fastcrc.crc16.arc(body)) + body

    def _identity(self) -> bytes:
        return pack(">HQ", self._sequence, int(self.device_id))

    def alive(self, now: int) -> bytes:
        """Keep alive; the server sends the same back."""
        return b"\xfe\x02" + pack(">QH", int(self.device_id), self._sequence)

    def receive(self, now: int) -> bytes:
        answers = b""
        while self.input:
            if self.input[0] == 0xFE:
                if len(self.input) < 12:
                    break
                unit, sequence = int.from_bytes(self.input[2:10], "big"), self.input[10:12]
                del self.input[:12]
                number = int.from_bytes(sequence, "big")
                if unit == int(self.device_id) and number == self._sequence:
                    self.accepted(self.in_flight)
                continue
            end = self.input.find(b"\n")
            if end < 0:
                break
            said = self.receive_sms(self.input[:end].decode(errors="replace"))
            del self.input[: end + 1]
            if said is not None:
                answers += said.encode() + b"\r\n"
        return answers

    def receive_sms(self, text: str) -> str | None:
        """Commands are the same by SMS and over the connection."""
        text = text.strip()
        if not text.upper().startswith("AT$"):
            return None
        self.count.commands += 1
        return self._obey(text[2:])

    def _obey(self, command: str) -> str:
        """The answer to ``$XXXX+TAG=parameters``: the tag comes back; a wrong one is error 101."""
        found = re.fullmatch(r"\$([A-Za-z]+)(\+[^=]*)?(?:=(.*))?", command)
        if found is None:
            return "$ERROR=101"
        word, tag, parameters = found[1].upper(), found[2] or "", found[3]
        if parameters == "?":
            said = self._state(word)
            return f"$ERROR{tag}=101" if said is None else f"${word}{tag}={said}"
        fields = [field.strip('"') for field in (parameters or "").split(",")]
        known: dict[str, Do] = {
            "TRAC": self._track,
            "GPRS": self._report_to,
            "OUTC": self._switch,
            "PMGR": lambda fields: fields[0] == "0",  # it does not sleep
            "GPOS": self._locate,
        }
        do = known.get(word)
        return f"$OK{tag}" if do is not None and do(fields) else f"$ERROR{tag}=101"

    def _state(self, word: str) -> str | None:
        reading = self.reading
        if word == "INFO":
            return (
                f"{self.device_id},AX5,Rev.1.38 Build.0,{self.device_id},"
                f"262010000000000,8949010000000000000,{reading.board_voltage * 10:.0f},"
                f"{reading.battery_voltage * 10:.0f},{reading.satellites},1,"
                f"{(reading.rssi + 113) // 2},1,0"
            )
        if word == "TRAC":
            return f"1,{self.interval // 1000}"
        return None

    def _track(self, fields: list[str]) -> bool:
        """Mode, seconds, metres, degrees, least speed, queue, destination, schedule, seconds while
        the ignition is off; an empty one stays as it is."""
        numbers = [int(field) if field.isdecimal() else None for field in fields]
        mode, seconds, metres, degrees, _, _, _, _, parked = [*numbers, *[None] * 9][:9]
        if mode is None or not 0 < mode < 256 or (mode & _TIME and seconds == 0):
            return False
        if not mode & _TIME:
            self.set_interval(NEVER)
        elif seconds is not None:
            self.set_interval(seconds)
        self.distance = (metres or self.distance) if mode & _DISTANCE else 0
        self.angle = (degrees or self.angle) if mode & _HEADING else 0
        if parked is not None:
            self.parked_interval = parked * 1000
        return True

    def _report_to(self, fields: list[str]) -> bool:
        """Service, access point, user, password, host, port, TCP."""
        fields = [*fields, *[""] * 7]
        if fields[0] != "1":
            return False
        if fields[1]:
            self.apn = AccessPoint(*fields[1:4])
        if fields[4]:
            if not fields[5].isdecimal() or fields[6] not in ("0", "1"):
                return False
            way = Transport.TCP if fields[6] == "1" else Transport.UDP
            self.point_at(fields[4], int(fields[5]), way)
        return True

    def _switch(self, fields: list[str]) -> bool:
        if fields[1:2] not in (["0"], ["1"]) or fields[0] not in ("1", "2"):
            return False
        self.switch(int(fields[0]), fields[1] == "1")
        return True

    def _locate(self, fields: list[str]) -> bool:
        self.report(Event.REQUESTED)
        return True
