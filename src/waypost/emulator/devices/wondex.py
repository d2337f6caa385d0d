"""A WondeProud TT1: position messages as text over TCP or UDP, ``$WP+`` commands.

Source: Wonde Proud Technology, "WondeX TT 1 (VT-10) Protocol Document" 1.00: 3 (syntax of $WP
commands), position message format, keep alive packet.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from struct import pack

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport

#: The keep alive packet has 32 bits for it.
LAST_ID = 0xFFFFFFFF
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
            text = self.input[:end].decode(errors="replace").strip()
            del self.input[: end + 1]
            if text.upper().startswith("$WP+"):
                self.count.commands += 1
                answers += self._obey(text[4:]).encode() + b"\r\n"
        return answers

    def _obey(self, command: str) -> str:
        """The answer to ``NAME+TAG=password,parameters``."""
        found = re.fullmatch(r"([A-Za-z]+)(\+[^=]*)?=(.*)", command)
        if found is None:
            return "$ERR:UNKNOWN"
        word, tag, fields = found[1].upper(), found[2] or "", found[3].split(",")
        if word == "TRACK" and len(fields) > 2 and fields[2].isdigit() and int(fields[2]):
            self.set_interval(int(fields[2]))
        elif word == "GETLOCATION":
            self.report(Event.REQUESTED)
        elif word == "OUTC" and fields[1:2] in (["0"], ["1"]):
            self.outputs = int(fields[1])
        elif word != "VER":
            return f"$ERR:{word}{tag}"
        return f"$OK:{word}{tag},TT1 V1.00" if word == "VER" else f"$OK:{word}{tag}"
