"""A Queclink GL100 on a car battery: the older @Track, over UDP with SYNC-ACK or TCP without.

Source: Quectel, "GL100 @Track Air Interface Protocol" TRACGL100AN002: 3.2.1 (AT+GTSRI), 3.2.3
(AT+GTTRI), 3.3.1 (+RESP:GTTRI), 3.4 (heartbeat), 3.5 (SYNC-ACK, which exists over UDP only).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from waypost.emulator.devices.base import Device, Event, Record
from waypost.emulator.devices.gl200 import stamp, tower
from waypost.emulator.vehicle import Reading
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

#: Hardware, software and protocol version.
VERSION = "0102100203"


class Gl100(Device):
    protocol = "gl100"
    model = "qlgl100"
    transports = (Transport.TCP, Transport.UDP)
    heartbeat = 300
    #: Column of the transport in AT+GTSRI, and its values.
    mode_column: ClassVar[int] = 2
    modes: ClassVar[dict[str, Transport]] = {"1": Transport.TCP, "2": Transport.UDP}
    _number = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.password = self.model.removeprefix("ql")
        #: What was set by the commands that it does nothing about.
        self.settings: dict[str, list[list[str]]] = {}

    def encode(self, reading: Reading, event: Event) -> bytes:
        word = "GTRTL,{},0" if event is Event.REQUESTED else "GTTRI,{},1"
        return (
            f"+RESP:{word.format(self.device_id)},0,0,1,{reading.speed:.1f},{reading.heading},"
            f"{reading.altitude:.1f},{reading.hdop:.0f},{reading.longitude:.6f},"
            f"{reading.latitude:.6f},{stamp(reading.time)},{tower(reading.cells[0])},00,"
            f"{self._next_number()},{VERSION}"
        ).encode()

    def _next_number(self) -> str:
        number = f"{self._number:04X}"
        self._number = (self._number + 1) % 0x10000
        return number

    def is_acknowledged(self) -> bool:
        return self.transport is Transport.UDP

    def packet(self, records: Sequence[Record]) -> bytes:
        return self._sent(records[0].data)

    def _sent(self, text: bytes) -> bytes:
        """A message as it travels: a stream needs something to end it."""
        return text + b"\0" if self.transport is Transport.TCP else text

    def alive(self, now: int) -> bytes:
        return self._sent(
            f"AT+GTHBD=HeartBeat,{self.device_id},{stamp(now)},{self._next_number()},"
            f"{VERSION}".encode()
        )

    def receive(self, now: int) -> bytes:
        """Messages have no mark at their end: each begins with its word."""
        text = self.input.decode(errors="replace")
        self.input.clear()
        answers = b""
        for part in text.replace("AT+GT", "\0AT+GT").replace("+SRVACK:", "\0+SRVACK:").split("\0"):
            message = part.strip("\r\n$ ")
            if message.startswith("AT+GT"):
                answers += self._command(message[3:], now)
            elif message.upper() == f"+SRVACK:{self._awaited()}":
                self.accepted(1)
        return answers

    def _awaited(self) -> str:
        """The count number of the report in flight."""
        return self.oldest.split(b",")[-2].decode() if self.in_flight else ""

    def receive_sms(self, text: str) -> str | None:
        """Its acknowledgement goes to the server, unless it did not know of one."""
        line = text.strip("\0 ")
        if not line.startswith("AT+GT"):
            return None
        alone = self.server is None
        answer = self._command(line[3:], 0).decode().strip("\0")
        return answer if alone and answer else None

    def _command(self, text: str, now: int) -> bytes:
        """Acknowledges ``GTxxx=password,...,send time`` and does what it asks, if it can."""
        word, _, rest = text.partition("=")
        fields = rest.split(",")
        if fields[0] != self.password:
            return b""
        self.count.commands += 1
        detail = ""
        if word == "GTTRI" and len(fields) > 4 and fields[3].isdigit() and fields[4].isdigit():
            # Below a minute between fixes it reports each of them.
            minutes, fix = int(fields[3]), int(fields[4])
            if minutes and fix:
                self.set_interval(fix if fix < 60 else minutes * 60)
        elif word == "GTSRI" and len(fields) > self.mode_column + 6:
            self._go(fields)
        elif word == "GTRTO" and fields[1:2] == ["1"]:
            detail = "RTL,"
            self.report(Event.REQUESTED)
        self.settings.setdefault(word, []).append(fields[1:-1])
        return self._sent(
            f"+ACK:{word},{self.device_id},{detail}{fields[-1]},{stamp(now)},"
            f"{self._next_number()},{VERSION}".encode()
        )

    def _go(self, fields: list[str]) -> None:
        """Takes on the access point and the server, which follow the transport."""
        mode, name, user, password, host, port = fields[self.mode_column : self.mode_column + 6]
        self.apn = AccessPoint(name, user, password)
        if host and port.isdecimal():
            self.point_at(host, int(port), self.modes.get(mode))


class Gt300(Gl100):
    """Its younger sister."""

    model = "qlgt300"
    mode_column = 1
    modes = {"2": Transport.TCP, "3": Transport.UDP}  # noqa: RUF012  (declared in the base)
