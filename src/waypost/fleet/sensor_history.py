"""What a sensor measured in a period, from the stored points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from waypost.fleet.counters import points_after
from waypost.fleet.sensor_rows import KnownSensor
from waypost.refusal import Refused
from waypost.store.points import Points
from waypost.telemetry.sensors import (
    Metering,
    Virtual,
    composed,
    measured,
    raw_value,
    titled,
    virtual_value,
)
from waypost.telemetry.units import number_of

#: Values in one reply.
MOST = 250_000


class SensorReading(msgspec.Struct, frozen=True):
    """A value at ``time`` (ms)."""

    value: int | float | str
    time: int


async def sensor_history(
    points: Points,
    source_id: int,
    wanted: KnownSensor,
    known: Iterable[KnownSensor],
    span: tuple[int, int],
    *,
    raw: bool,
) -> list[SensorReading]:
    """The values of ``wanted``, one of the source's ``known`` sensors, in the order of time.
    ``raw``: of a metering sensor, as the device said them. Raises :class:`Refused`: 228 for a
    digital input, 211 where there are too many."""
    reader = _reader(wanted, known, raw=raw)
    start, end = span
    found: list[SensorReading] = []
    async for point in points_after(points, source_id, start - 1, end):
        value = reader.read(point.values())
        if value is not None:
            found.append(SensorReading(value, point.time))
            if len(found) > MOST:
                raise Refused(211)
    return found


def _reader(wanted: KnownSensor, known: Iterable[KnownSensor], *, raw: bool) -> _Reader:
    if isinstance(wanted.sensor, Virtual):
        return _VirtualReader(wanted.sensor)
    if not isinstance(wanted.sensor, Metering):
        raise Refused(228)
    if not wanted.sensor.composite:
        return _MeteringReader(wanted, raw=raw)
    parts = set(wanted.sensor.parent_ids)
    return _CompositeReader([_MeteringReader(one, raw=raw) for one in known if one.id in parts])


class _Reader(Protocol):
    """Reads a value out of what one message said; None: it says none."""

    def read(self, values: dict[str, Any]) -> int | float | str | None: ...


class _MeteringReader:
    def __init__(self, known: KnownSensor, *, raw: bool) -> None:
        self._known = known
        self._raw = raw

    def read(self, values: dict[str, Any]) -> float | None:
        sensor = self._known.sensor
        assert isinstance(sensor, Metering)  # noqa: S101 - the caller looked
        told = raw_value(values, sensor.input_name)
        if self._raw:
            return number_of(told)
        return measured(sensor, self._known.table, told)


class _VirtualReader:
    def __init__(self, sensor: Virtual) -> None:
        self._sensor = sensor

    def read(self, values: dict[str, Any]) -> int | float | str | None:
        value = virtual_value(self._sensor, raw_value(values, self._sensor.input_name))
        return None if value is None else titled(self._sensor, value)


class _CompositeReader:
    """Adds up its parts, each as told last."""

    def __init__(self, parts: list[_MeteringReader]) -> None:
        self._parts = parts
        self._told: list[float | None] = [None] * len(parts)

    def read(self, values: dict[str, Any]) -> float | None:
        news = False
        for number, part in enumerate(self._parts):
            value = part.read(values)
            if value is not None:
                self._told[number] = value
                news = True
        return composed(self._told) if news else None
