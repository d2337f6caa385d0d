"""What all emulated trackers have in common: when they report, and that they keep a report until
the server has acknowledged it.

A device is bytes in, bytes out: whoever holds its connection (``waypost.emulator.links``) says
when a moment has come (``tick``), when the connection stands or is gone, and what arrived.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import ClassVar

import msgspec

from waypost.emulator.vehicle import Reading, Vehicle
from waypost.protocols.base import Transport
from waypost.protocols.instructions import AccessPoint

#: Reports kept at most; then the oldest is overwritten, as in a tracker's memory.
MEMORY = 20_000
#: A pause longer than this (ms) is not made up for with reports: the machine was asleep.
ASLEEP = 600_000
SECOND = 1000
#: Seconds between two reports of a device that makes none by time.
NEVER = 86_400


Do = Callable[[list[str]], bool]
"""Does what the fields of a command say; False: they are wrong."""


class Event(enum.Enum):
    """Why a report is made."""

    PERIODIC = enum.auto()
    IGNITION_ON = enum.auto()
    IGNITION_OFF = enum.auto()
    #: The server asked for it.
    REQUESTED = enum.auto()


class Record(msgspec.Struct):
    """A report in the device's memory."""

    data: bytes
    sent: bool = False
    #: It could not be sent at once.
    late: bool = False


class Count(msgspec.Struct):
    """What a device did. ``sent`` counts a report once; ``repeated`` each further sending."""

    reports: int = 0
    sent: int = 0
    repeated: int = 0
    acknowledged: int = 0
    #: Lost in the device itself, its memory being full.
    overwritten: int = 0
    commands: int = 0
    connections: int = 0
    refused: int = 0

    def add(self, other: Count) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Device:
    """One tracker in one vehicle. A protocol subclasses it: the class attributes, ``encode`` and
    ``packet``, and ``receive`` where the server's bytes mean something."""

    protocol: ClassVar[str]
    #: The catalog's code of the model it pretends to be.
    model: ClassVar[str]
    #: The first is what it uses unless told otherwise.
    transports: ClassVar[tuple[Transport, ...]]
    #: Its times have whole seconds only, so that it makes at most one report a second.
    whole_seconds: ClassVar[bool] = True
    #: Reports in one packet at most.
    per_packet: ClassVar[int] = 1
    #: Seconds without an acknowledgement after which it gives the connection up.
    patience: ClassVar[int] = 20
    #: Seconds of silence after which it shows that it is alive; 0: never.
    heartbeat: ClassVar[int] = 0

    def __init__(
        self,
        device_id: str,
        vehicle: Vehicle,
        start: int,
        *,
        interval: int = 30_000,
        transport: Transport | None = None,
        most: int | None = None,
    ) -> None:
        """``start``: moment of the first report (ms UTC); ``interval``: ms between two of them;
        ``most``: reports to make in all, None for ever. Raises ValueError for what the device
        cannot do."""
        self.check_id(device_id)
        if transport is not None and transport not in self.transports:
            raise ValueError(f"{self.protocol} does not travel by {transport}")
        if interval < (SECOND if self.whole_seconds else 1):
            least = "1 s" if self.whole_seconds else "1 ms"
            raise ValueError(f"{self.protocol} reports every {least} at most")
        self.device_id = device_id
        self.vehicle = vehicle
        self.transport = transport or self.transports[0]
        self.interval = interval
        #: ms between two reports while the ignition is off; 0: the same as while it is on.
        self.parked_interval = 0
        #: Degrees of a turn, metres of a way after which it reports too; 0: never.
        self.angle = 0
        self.distance = 0
        #: Where it reports; None: nobody has told it yet.
        self.server: tuple[str, int] | None = None
        #: What it was told of the mobile network; None: nothing.
        self.apn: AccessPoint | None = None
        self.count = Count()
        #: Bit per line; bit 0 is output 1.
        self.outputs = 0
        self.online = False
        #: The server lets it send reports.
        self.ready = False
        #: It wants the connection closed.
        self.hang_up = False
        self.input = bytearray()
        self._kept: deque[Record] = deque()
        self._in_flight = 0
        self._due = start
        self._look = start
        self._latest = 0
        self._latest_heading = 0
        self._latest_odometer = 0.0
        self._ignition: bool | None = None
        self._most = most
        self.reading = vehicle.read(start)

    @classmethod
    def check_id(cls, device_id: str) -> None:
        """Raises ValueError for an id that this device cannot have."""
        if not (device_id.isascii() and device_id.isdigit() and len(device_id) == 15):
            raise ValueError(f"{cls.protocol} devices are known by an IMEI, 15 digits")

    # What it has to report ---------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Reports that the server has not acknowledged."""
        return len(self._kept)

    @property
    def oldest(self) -> bytes:
        """The oldest report that waits."""
        return self._kept[0].data

    @property
    def in_flight(self) -> int:
        """Reports that were sent and whose acknowledgement is awaited."""
        return self._in_flight

    @property
    def done(self) -> bool:
        """It has made all its reports, and all were acknowledged."""
        return self._most is not None and self.count.reports >= self._most and not self._kept

    def tick(self, now: int) -> None:
        """Makes the reports that are due up to ``now``: one each interval, and one whenever the
        ignition changes, the vehicle has turned or has gone far enough, which then takes the next
        interval's place."""
        if now - self._due > ASLEEP:
            self._due = self._look = now - now % SECOND
        while (moment := min(self._due, self._look)) <= now:
            self.reading = reading = self.vehicle.read(moment)
            before, self._ignition = self._ignition, reading.ignition
            changed = before is not None and before is not reading.ignition
            if changed:
                self.report(Event.IGNITION_ON if reading.ignition else Event.IGNITION_OFF)
            elif moment == self._due or self._has_moved():
                self.report(Event.PERIODIC)
            else:
                self._look = moment + SECOND
                continue
            self._due = moment + self._current_interval()
            self._look = moment + SECOND

    def _current_interval(self) -> int:
        if self._ignition is False and self.parked_interval:
            return self.parked_interval
        return self.interval

    def _has_moved(self) -> bool:
        """It turned or went far enough since its latest report."""
        reading = self.reading
        if not self._latest or not reading.moving:
            return False
        turn = abs(reading.heading - self._latest_heading)
        if self.angle and min(turn, 360 - turn) >= self.angle:
            return True
        gone = (reading.odometer - self._latest_odometer) * 1000
        return bool(self.distance) and gone >= self.distance

    def report(self, event: Event) -> None:
        """Makes a report of the latest reading and keeps it."""
        if self._most is not None and self.count.reports >= self._most:
            return
        self.count.reports += 1
        self._latest = self.reading.time
        self._latest_heading = self.reading.heading
        self._latest_odometer = self.reading.odometer
        self._kept.append(Record(self.encode(self.reading, event), late=not self.online))
        if len(self._kept) > MEMORY:
            self._kept.popleft()
            self._in_flight = max(self._in_flight - 1, 0)
            self.count.overwritten += 1

    def set_interval(self, seconds: float) -> None:
        """The server wants reports this often; a time that the device cannot keep is raised to
        what it can."""
        self.interval = max(round(seconds * SECOND), SECOND)
        self._due = min(self._due, max(self._latest + self._current_interval(), self._look))

    def point_at(self, host: str, port: int, transport: Transport | None = None) -> None:
        """Somebody tells it where to report, and by what (None, or what it cannot: as before). Its
        link connects there as soon as what has to be answered is answered."""
        self.server = (host, port)
        if transport in self.transports:
            self.transport = transport

    def switch(self, output: int, on: bool) -> None:
        """Switches an output, from 1."""
        bit = 1 << (output - 1)
        self.outputs = self.outputs | bit if on else self.outputs & ~bit

    def receive_sms(self, text: str) -> str | None:
        """Takes an SMS and does what it says; the answer by SMS, None where it has none (texts that
        it does not understand, too)."""
        return None

    # The connection ----------------------------------------------------------------------------

    def connected(self, now: int) -> bytes:
        """The connection stands; what is said first on it."""
        self.online = True
        self.input.clear()
        self._in_flight = 0
        self.ready = not self.waits_for_leave()
        self.count.connections += 1
        return self.hello(now)

    def lost(self) -> None:
        """The connection is gone: what was not acknowledged will be sent again, as late."""
        self.online = self.ready = self.hang_up = False
        self._in_flight = 0
        for record in self._kept:
            record.late = True

    def received(self, data: bytes, now: int) -> bytes:
        """Takes what the server sent; returns what is answered at once."""
        self.input += data
        return self.receive(now)

    def next_packet(self) -> bytes:
        """The oldest reports that wait, as one packet; empty where there are none, or where an
        acknowledgement is awaited."""
        if not self.ready or self._in_flight or not self._kept:
            return b""
        records = list(islice(self._kept, self.per_packet))
        data = self.packet(records)
        for record in records:
            if record.sent:
                self.count.repeated += 1
            else:
                record.sent = True
                self.count.sent += 1
        if self.is_acknowledged():
            self._in_flight = len(records)
        else:
            for _ in records:
                self._kept.popleft()
        return data

    def accepted(self, records: int) -> None:
        """The server acknowledged the ``records`` oldest reports in flight."""
        for _ in range(min(records, self._in_flight)):
            self._kept.popleft()
            self.count.acknowledged += 1
        self._in_flight = 0

    def unanswered(self) -> None:
        """No acknowledgement came: what is in flight will be sent again."""
        self._in_flight = 0

    # What a protocol says ----------------------------------------------------------------------

    def encode(self, reading: Reading, event: Event) -> bytes:
        """A report as it is kept in memory."""
        raise NotImplementedError

    def packet(self, records: Sequence[Record]) -> bytes:
        """Reports as they are sent."""
        raise NotImplementedError

    def stays_connected(self) -> bool:
        """It holds a connection while it has nothing to report."""
        return True

    def is_acknowledged(self) -> bool:
        """The server says what it has taken; otherwise what was sent is forgotten."""
        return True

    def hello(self, now: int) -> bytes:
        """What is sent as soon as the connection stands."""
        return b""

    def waits_for_leave(self) -> bool:
        """After ``hello`` it sends nothing until the server has said that it may (``ready``)."""
        return False

    def receive(self, now: int) -> bytes:
        """Takes whole messages off ``input``; returns what is answered at once."""
        self.input.clear()
        return b""

    def alive(self, now: int) -> bytes:
        """The heartbeat."""
        return b""
