"""Counters: how far, how long, how much, from whatever a device tells. Pure.

A meter only rises. Where the device has a counter of its own (or a sensor is chosen), what that
advances counts. Between its reports, and where it has none, distance is measured from fix to fix
and engine time from ignition to ignition; the device's next report takes the place of what was
estimated meanwhile. A counter of the device that falls back, or leaps beyond what can be, was set
anew: the estimate stands.

Messages that come late are not counted in place but remembered (``lates``): whoever reads the meter
counts anew from the stored points, see ``fleet.counters``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from waypost.telemetry.earth import kilometres
from waypost.telemetry.sensors import Metering, Table, measured, raw_value
from waypost.telemetry.units import number_of

ODOMETER = "odometer"
ENGINE_HOURS = "engine_hours"
FUEL_CONSUMED = "fuel_consumed"

#: Counters that devices have themselves, the likeliest first: km, h, l.
OWN: dict[str, tuple[str, ...]] = {
    ODOMETER: ("hardware_mileage", "can_mileage", "tacho_mileage", "uds_odometer"),
    ENGINE_HOURS: ("engine_hours", "can_engine_hours"),
    FUEL_CONSUMED: ("can_consumption", "can_total_fuel_used", "obd_consumption", "uds_consumption"),
}

#: What cannot be exceeded in an hour: km, h, l. With a unit to spare for coarse counters.
_MOST = {ODOMETER: 300.0, ENGINE_HOURS: 1.05, FUEL_CONSUMED: 500.0}
_SPARE = 1.0

#: A device that is found this far from where it stood has travelled, km.
DISPLACED = 0.3
#: Fixes jump by this much while no time passes, km.
JITTER = 0.1
#: An engine that is not heard of for longer is not known to run, ms.
SILENCE_MS = 30 * 60 * 1000
#: Messages that came late are forgotten after this, ms: by then they are dealt with.
LATE_MS = 60 * 60 * 1000

HOUR_MS = 3_600_000


class Meter(msgspec.Struct, array_like=True, gc=False):
    """What has been counted of one quantity, and from where it goes on. ms, km, h, l, degrees."""

    #: Up to the device's last report of its own counter, and the estimate since.
    settled: float = 0.0
    estimated: float = 0.0
    #: The newest message that counted.
    time: int | None = None
    #: The device's own counter: which it is, what it said, and when.
    own: str | None = None
    reading: float | None = None
    read_at: int = 0
    #: The newest fix, and from where the way is measured.
    fix_at: int = 0
    latitude: float | None = None
    longitude: float | None = None
    #: Was it moving; was the engine on?
    running: bool = False
    #: How many messages came too late, the earliest of the last ones, and when that was received.
    lates: int = 0
    late: int = 0
    late_at: int = 0

    @property
    def counted(self) -> float:
        return self.settled + self.estimated


class Counting(msgspec.Struct, frozen=True):
    """What a source counts: the type, and the sensor that was chosen for it."""

    type: str
    sensor: Metering | None = None
    table: Table = ()


class Report(msgspec.Struct, gc=False):
    """What one message tells a meter. The location is a current fix by satellites, or None."""

    time: int
    values: Mapping[str, Any]
    latitude: float | None = None
    longitude: float | None = None
    #: Does it count as moving?
    moving: bool = False
    ignition: bool | None = None
    received: int = 0


def count(meter: Meter, counting: Counting, report: Report) -> None:
    """Takes a message in, which should be newer than all before."""
    own, reading = _own_reading(meter, counting, report.values)
    if reading is None and not _matters(meter, counting.type, report):
        return
    if meter.time is not None and report.time < meter.time:
        _note_late(meter, report)
        return
    if counting.type == ODOMETER:
        _travel(meter, report)
    elif counting.type == ENGINE_HOURS:
        _run(meter, report)
    if reading is not None:
        _settle(meter, counting.type, own, reading, report.time)
    meter.time = report.time


def _matters(meter: Meter, kind: str, report: Report) -> bool:
    if kind == ODOMETER:
        return report.latitude is not None
    return kind == ENGINE_HOURS and (report.ignition is not None or meter.running)


def _note_late(meter: Meter, report: Report) -> None:
    meter.lates += 1
    fresh = report.received - meter.late_at <= LATE_MS
    meter.late = min(meter.late, report.time) if fresh and meter.late else report.time
    meter.late_at = report.received


def _own_reading(
    meter: Meter, counting: Counting, values: Mapping[str, Any]
) -> tuple[str, float | None]:
    """Which counter of the device's own speaks, and what it says; a device that has several is
    held to the one that it began with."""
    if counting.sensor is not None:
        sensor = counting.sensor
        value = raw_value(values, sensor.input_name)
        return f"sensor {sensor.id}", measured(sensor, counting.table, value)
    known = meter.own
    for name in OWN[counting.type]:
        if known in OWN[counting.type] and name != known:
            continue
        reading = number_of(raw_value(values, name))
        # A counter at nothing is one that is switched off.
        if reading is not None and reading > 0:
            return name, reading
    return "", None


def _settle(meter: Meter, kind: str, own: str, reading: float, time: int) -> None:
    """The device's own counter says ``reading``."""
    before = meter.reading if meter.own == own else None
    if before is not None:
        advance = reading - before
        most = _MOST[kind] * max(0, time - meter.read_at) / HOUR_MS + _SPARE
        if advance == 0:
            return  # it stands still, or is too coarse to tell: the estimate goes on
        if 0 < advance <= most:
            meter.estimated = advance
    meter.settled += meter.estimated
    meter.estimated = 0.0
    meter.own, meter.reading, meter.read_at = own, reading, time


def _travel(meter: Meter, report: Report) -> None:
    """Adds the way from the last fix."""
    if report.latitude is None or report.longitude is None:
        return
    gap, meter.fix_at = report.time - meter.fix_at, report.time
    if meter.latitude is not None and meter.longitude is not None:
        way = kilometres(meter.latitude, meter.longitude, report.latitude, report.longitude)
        travelled = meter.running or report.moving or way >= DISPLACED
        if not travelled:
            # While it stands, fixes wander about; the way is measured from where it stopped.
            return
        if way <= _MOST[ODOMETER] * gap / HOUR_MS + JITTER:
            meter.estimated += way
    meter.latitude, meter.longitude = report.latitude, report.longitude
    meter.running = report.moving


def _run(meter: Meter, report: Report) -> None:
    """Adds the time since the last message, if the engine was on."""
    if meter.running and meter.time is not None:
        elapsed = report.time - meter.time
        if elapsed <= SILENCE_MS:
            meter.estimated += elapsed / HOUR_MS
    if report.ignition is not None:
        meter.running = report.ignition
