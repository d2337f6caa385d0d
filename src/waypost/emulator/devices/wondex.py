"""A WondeProud TT1: position messages as text over TCP or UDP, ``$WP+`` commands.

Source: Wonde Proud Technology, "WondeX TT 1 (VT-10) Protocol Document" 1.00: 3 (syntax of $WP
commands), position message format, keep alive packet; commands as in
``waypost.protocols.wondex.instructions``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from struct import pack

from waypost.emulator.devices.base import NEVER, Device, Do, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

#: The keep alive packet has 32 bits for it.
LAST_ID = 0xFFFFFFFF
#: The password of all of them, first.
FACTORY = "0000"
#: Modes of TRACK that have to do with each.
_BY_TIME, _BY_DISTANCE, _BY_HEADING = (1, 3, 4, 6, 8, 9), (2, 3, 4, 7, 8, 9), (5, 6, 7, 8, 9)
EVENTS = {
    Event.PERIODIC: 2,
    Event.IGNITION_ON: 4,
    Event.IGNITION_OFF: 5,
    Event.REQUESTED: 0,
}


class Tt1(Device):
    protocol = "wondex"
    model = "tt1_wp"
    transports = (Transport.TCP, Transport.UDP)
    heartbeat = 60
    #: Must stand in every command.
    password = FACTORY
    _keep_alive = 0

    @classmethod
    def check_id(cls, device_id: str) -> None:
        digits = device_id.isascii() and device_id.isdigit() and len(device_id) == 10
        if not digits or int(device_id) > LAST_ID:
            raise ValueError(f"{cls.protocol} devices have a number of 10 digits up to {LAST_ID}")

    def is_acknowledged(self) -> bool:
        return False

    def encode(self, reading: Reading, event: Event) -> bytes:
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(reading.time / 1000))
        return (
            f"{self.device_id},{moment},{reading.longitude:.6f},{reading.latitude:.6f},"
            f"{reading.speed:.0f},{reading.heading},{reading.altitude:.0f},{reading.satellites},"
            f"{EVENTS[event]},{reading.battery_voltage:.2f}V,{reading.inputs},"
            f"{reading.fuel / 20:.2f},0.00,{self.outputs}\r\n"
        ).encode()

    def packet(self, records: Sequence[Record]) -> bytes:
        return records[0].data

    def alive(self, now: int) -> bytes:
        """Keep alive: D0 D7, a sequence number, the id; the server sends it back."""
        self._keep_alive = (self._keep_alive + 1) % 0x10000
        return b"\xd0\xd7" + pack("<HI", self._keep_alive, int(self.device_id))

    def receive(self, now: int) -> bytes:
        answers = b""
        while self.input:
            if self.input[0] == 0xD0:
                if len(self.input) < 8:
                    break
                del self.input[:8]
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
        if not text.upper().startswith("$WP+"):
            return None
        self.count.commands += 1
        return self._obey(text[4:])

    def _obey(self, command: str) -> str:
        """The answer to ``NAME+TAG=password,parameters``."""
        found = re.fullmatch(r"([A-Za-z]+)(\+[^=]*)?=([^,]*)(?:,(.*))?", command)
        if found is None:
            return "$ERR:UNKNOWN"
        word, tag, fields = found[1].upper(), found[2] or "", (found[4] or "").split(",")
        if found[3] != self.password:
            return f"$ERR:{word}{tag}"
        if word == "VER":
            return f"$OK:VER{tag},TT1 V1.00"
        if word == "GBLAC":
            return f"$MSG:GBLAC={self._cells()}"
        known: dict[str, Do] = {
            "TRACK": self._track,
            "COMMTYPE": self._report_to,
            "PSM": self._sleep,
            "OUTC": self._switch,
            "GETLOCATION": self._locate,
        }
        do = known.get(word)
        done = do is not None and do(fields)
        return f"${'OK' if done else 'ERR'}:{word}{tag}"

    def _cells(self) -> str:
        """Its number, the time, network, and area and number of each cell."""
        reading = self.reading
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(reading.time / 1000))
        first = reading.cells[0]
        masts = "".join(f"{cell.lac:04X}{cell.cell_id:04X}" for cell in reading.cells)
        return f"{self.device_id},{moment},{first.mcc:03d}{first.mnc:02d}{masts}"

    def _track(self, fields: list[str]) -> bool:
        """Mode, seconds, metres, times, basis, COMMTYPE's number, degrees."""
        numbers = [int(field) if field.isdecimal() else 0 for field in fields]
        mode, seconds, metres, _, _, _, degrees = [*numbers, *[0] * 7][:7]
        if not 0 < mode < 10 or (mode in _BY_TIME and not seconds):
            return False
        self.set_interval(seconds if mode in _BY_TIME else NEVER)
        self.distance = metres if mode in _BY_DISTANCE else 0
        self.angle = degrees if mode in _BY_HEADING else 0
        return True

    def _report_to(self, fields: list[str]) -> bool:
        """Number of the way, numbers for SMS and calls, access point, host, port."""
        way = {"3": Transport.UDP, "4": Transport.TCP}.get(fields[0])
        if way is None or len(fields) < 8 or not fields[6] or not fields[7].isdecimal():
            return False
        if fields[3]:
            self.apn = AccessPoint(*fields[3:6])
        self.point_at(fields[6], int(fields[7]), way)
        return True

    def _sleep(self, fields: list[str]) -> bool:
        """Mode, seconds of rest, what ends the sleep, seconds until it wakes up by itself."""
        if fields[0] == "0":
            self.parked_interval = 0
            return True
        if fields[0] not in ("1", "2", "4") or len(fields) < 6 or not fields[5].isdecimal():
            return False
        self.parked_interval = int(fields[5]) * 1000
        return True

    def _switch(self, fields: list[str]) -> bool:
        """Output, state, how long and how often it changes: an output that blinks is not there."""
        if fields[0] not in ("1", "2", "3", "4") or fields[1:] not in (["0"] * 3, ["1", "0", "0"]):
            return False
        self.switch(int(fields[0]), fields[1] == "1")
        return True

    def _locate(self, fields: list[str]) -> bool:
        self.report(Event.REQUESTED)
        return True
