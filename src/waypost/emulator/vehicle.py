"""A vehicle that drives about town, and what a tracker built into it would measure.

Pure: the moment is an argument, chance comes from the seed. What is read at a moment does not
depend on how often was asked before.
"""

from __future__ import annotations

import enum
from math import cos, exp, radians, sin, sqrt
from random import Random

import msgspec

from waypost.emulator.roads import CROSSINGS, METRES, NETWORK, leg

#: Litres that the tank holds, that 100 km take, and that an hour of idling takes.
TANK, PER_100_KM, PER_HOUR = 60.0, 7.8, 0.8
#: Metres per second gained, and lost, in a second.
PULL, BRAKE = 1.7, 2.4
#: A gap longer than this (seconds) was spent parked: nobody watched, nothing is worked out.
LONG_GAP = 3600
#: Degrees that the heading turns in a second.
SWING = 35.0


class SeenCell(msgspec.Struct, frozen=True):
    """A GSM cell in reach; ``rssi`` in dBm. Numbers fit the 16 bits of second-generation cells."""

    mcc: int
    mnc: int
    lac: int
    cell_id: int
    rssi: int


class Reading(msgspec.Struct, frozen=True):
    """What the tracker measures at one moment.

    ``time`` ms UTC, position degrees WGS 84, ``altitude`` m, ``speed`` km/h, ``heading`` whole
    degrees from north (0 to 359), ``odometer`` km, ``engine_hours`` h, ``fuel`` litres, ``rssi``
    dBm, ``temperature`` (inside the tracker) degC. ``inputs`` has a bit per line: 1 ignition,
    2 door.
    """

    time: int
    latitude: float
    longitude: float
    altitude: float
    speed: float
    heading: int
    satellites: int
    hdop: float
    ignition: bool
    odometer: float
    engine_hours: float
    fuel: float
    board_voltage: float
    battery_voltage: float
    battery_level: int
    temperature: float
    cells: tuple[SeenCell, ...]
    inputs: int

    @property
    def moving(self) -> bool:
        return self.speed > 0

    @property
    def rssi(self) -> int:
        return self.cells[0].rssi


class Phase(enum.Enum):
    DRIVING = enum.auto()
    #: At a red light.
    WAITING = enum.auto()
    #: Arrived, the engine still runs.
    ARRIVED = enum.auto()
    PARKED = enum.auto()
    #: The engine runs, about to leave.
    LEAVING = enum.auto()


class Vehicle:
    """One vehicle. ``read`` moves it on to a moment and says what is measured there."""

    def __init__(self, seed: int, start: int) -> None:
        """``start``: ms UTC. Most vehicles are under way at the start."""
        self._chance = Random(seed)
        chance = self._chance
        self._second = start // 1000
        self._temper = chance.uniform(0.85, 1.06)
        self._mnc = chance.choice((1, 2, 3))
        self._odometer = chance.uniform(8_000, 180_000)
        self._engine_seconds = self._odometer * 3600 / chance.uniform(28, 40)
        self._fuel = chance.uniform(0.3, 0.95) * TANK
        self._temperature = chance.uniform(18, 28)
        self._noise = (0.0, 0.0)
        self._jitter = 0.0
        self._satellites = chance.randint(8, 14)
        self._still = 0
        self._speed = 0.0
        here = chance.choice(list(NETWORK))
        self._legs_left = chance.randint(6, 20)
        self._set_out(here, chance.choice(list(NETWORK[here])))
        self._heading = self._leg_heading
        if chance.random() < 0.85:
            self._phase = Phase.DRIVING
            self._left = 0
            self._along = self._length * chance.uniform(0.05, 0.6)
            self._speed = self._cruise * chance.uniform(0.5, 1.0)
        else:
            self._phase = Phase.PARKED
            self._left = chance.randint(20, 180)

    def read(self, now: int) -> Reading:
        """What is measured at ``now`` (ms UTC). A moment before the last one asked for (the clock
        was set back) is answered with the latest whole second."""
        gap = now // 1000 - self._second
        if gap > LONG_GAP:
            self._second += gap - 1
            self._speed, self._phase, self._left = 0.0, Phase.PARKED, 5
        while self._second < now // 1000:
            self._second += 1
            self._tick()
        now = max(now, self._second * 1000)
        ahead = self._speed * (now - self._second * 1000) / 1000
        latitude, longitude = self._position(min(self._along + ahead, self._length))
        ignition = self._phase is not Phase.PARKED
        door = self._phase is Phase.PARKED and self._still < 25
        return Reading(
            time=now,
            latitude=latitude,
            longitude=longitude,
            altitude=round(38 + 6 * sin(latitude * 400) + 5 * cos(longitude * 300), 1),
            speed=round(self._speed * 3.6, 1),
            heading=round(self._heading) % 360,
            satellites=self._satellites,
            hdop=round(0.5 + 5 / self._satellites, 1),
            ignition=ignition,
            odometer=round(self._odometer + ahead / 1000, 3),
            engine_hours=self._engine_seconds / 3600,
            fuel=round(self._fuel, 1),
            board_voltage=self._board_voltage(ignition),
            battery_voltage=round(4.15 - 0.1 * (100 - self._battery_level) / 100, 3),
            battery_level=self._battery_level,
            temperature=round(self._temperature, 1),
            cells=self._cells(latitude, longitude),
            inputs=ignition | door << 1,
        )

    # Driving -----------------------------------------------------------------------------------

    def _tick(self) -> None:
        """One second goes by."""
        if self._phase is Phase.DRIVING:
            self._drive()
        else:
            self._left -= 1
            if self._left <= 0:
                self._next_phase()
        self._measure()

    def _drive(self) -> None:
        remaining = self._length - self._along
        room = max(remaining - self._speed, 0.0)
        allowed = min(self._cruise, sqrt(self._exit**2 + 2 * BRAKE * room))
        allowed = max(allowed, 1.2)  # creeps up to the stop line
        self._speed += max(-BRAKE * 1.3, min(PULL, allowed - self._speed))
        self._along += self._speed
        self._moved(self._speed)
        if self._along < self._length:
            return
        over, self._along = self._along - self._length, self._length
        self._legs_left -= 1
        if self._legs_left <= 0:
            self._stop(Phase.ARRIVED, self._chance.randint(4, 20))
        elif self._exit == 0:
            self._stop(Phase.WAITING, self._chance.randint(6, 40))
        else:
            self._set_out(self._to, self._next)
            self._along = min(over, self._length)

    def _stop(self, phase: Phase, seconds: int) -> None:
        self._speed = 0.0
        self._phase = phase
        self._left = seconds

    def _next_phase(self) -> None:
        chance = self._chance
        match self._phase:
            case Phase.ARRIVED:
                self._phase, self._left = Phase.PARKED, chance.randint(60, 360)
                if self._fuel < 0.2 * TANK:
                    self._fuel = 0.95 * TANK
            case Phase.PARKED:
                self._phase, self._left = Phase.LEAVING, chance.randint(4, 15)
            case _:
                if self._legs_left <= 0:
                    self._legs_left = chance.randint(6, 20)
                self._phase = Phase.DRIVING
                if self._along >= self._length:
                    self._set_out(self._to, self._next)

    def _set_out(self, start: str, end: str) -> None:
        """Begins the leg from one crossing to the next, and settles how it will end."""
        chance = self._chance
        self._from, self._to = CROSSINGS[start], end
        self._length, self._leg_heading = leg(self._from, CROSSINGS[end])
        self._along = 0.0
        self._cruise = NETWORK[start][end] / 3.6 * self._temper * chance.uniform(0.9, 1.05)
        onward = [name for name in NETWORK[end] if name != start] or [start]
        self._next = chance.choice(onward)
        turn = abs(leg(CROSSINGS[end], CROSSINGS[self._next])[1] - self._leg_heading)
        turn = min(turn, 360 - turn)
        if self._legs_left <= 1 or chance.random() < 0.3:
            self._exit = 0.0
        elif turn < 25:
            self._exit = self._cruise
        else:
            self._exit = 8.5 if turn < 60 else 5.0

    def _position(self, along: float) -> tuple[float, float]:
        heading = radians(self._leg_heading)
        latitude = self._from[0] + (along * cos(heading) + self._noise[0]) / METRES
        width = METRES * cos(radians(self._from[0]))
        longitude = self._from[1] + (along * sin(heading) + self._noise[1]) / width
        return round(latitude, 7), round(longitude, 7)

    # Measuring ---------------------------------------------------------------------------------

    def _moved(self, metres: float) -> None:
        self._odometer += metres / 1000
        self._fuel = max(self._fuel - metres / 1000 * PER_100_KM / 100, 0.0)

    def _measure(self) -> None:
        chance = self._chance
        self._jitter = chance.uniform(-1, 1)
        if self._speed:
            self._still = 0
            # A receiver's error wanders by centimetres; standing still it is held.
            self._noise = (
                self._noise[0] * 0.95 + chance.gauss(0, 0.4),
                self._noise[1] * 0.95 + chance.gauss(0, 0.4),
            )
            away = (self._leg_heading - self._heading + 180) % 360 - 180
            self._heading = (self._heading + max(-SWING, min(SWING, away))) % 360
            if chance.random() < 0.05:
                self._satellites = min(16, max(6, self._satellites + chance.choice((-1, 1))))
        else:
            self._still += 1
        if self._phase is not Phase.PARKED:
            self._engine_seconds += 1
            self._fuel = max(self._fuel - PER_HOUR / 3600, 0.0)
        warm = 24.0 if self._phase is Phase.PARKED else 37.0
        self._temperature += (warm - self._temperature) / 900

    @property
    def _battery_level(self) -> int:
        """Of the tracker's own battery, percent: full while the engine runs."""
        if self._phase is not Phase.PARKED:
            return 100
        return max(100 - self._still // 240, 60)

    def _board_voltage(self, ignition: bool) -> float:
        if ignition:
            return round(14.1 - 0.25 * (self._speed < 1) + 0.05 * self._jitter, 3)
        return round(12.35 + 0.4 * exp(-self._still / 300), 3)

    def _cells(self, latitude: float, longitude: float) -> tuple[SeenCell, ...]:
        """The cells around: a mast stands in each square of about a kilometre."""
        row, column = latitude * 100, longitude * 66
        around: list[SeenCell] = []
        for north, east in ((0, 0), (0, 1), (1, 0)):
            y, x = int(row) + north, int(column) + east
            away = sqrt((row - y - 0.5) ** 2 + (column - x - 0.5) ** 2)
            number = (y * 7919 + x * 104_729 + self._mnc * 31) % 60_000 + 1_000
            rssi = round(-58 - 24 * away + 2 * self._jitter)
            around.append(SeenCell(262, self._mnc, 5_000 + y % 100, number, rssi))
        return tuple(sorted(around, key=lambda cell: -cell.rssi))
