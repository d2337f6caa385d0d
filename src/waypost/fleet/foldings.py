"""How the messages of sources are read, from what people set: trip detection, LBS, sensors of the
ignition, counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.sensor_rows import CHUNK, Among, KnownSensor, sensors_of
from waypost.store.sql import chunks
from waypost.store.tables import counters, sensors, sources
from waypost.telemetry.counters import Counting
from waypost.telemetry.folding import COMMON, Folding
from waypost.telemetry.motion import IDLE_MS, MIN_SPEED
from waypost.telemetry.sensors import (
    IGNITION,
    VIRTUAL_IGNITION,
    Discrete,
    Ignition,
    Metering,
    Virtual,
)

#: Names among a source's settings.
TRIP_DETECTION = "trip_detection"
LBS = "lbs"

#: Radius of uncertainty up to which positions by the mobile network count, where nobody set it: the
#: greatest that can be set, metres.
LBS_RADIUS = 10_000

_SAY_IGNITION = sensors.c.sensor_type.in_((IGNITION, VIRTUAL_IGNITION))


class TripDetection(msgspec.Struct, frozen=True):
    """What ends a trip: minutes without movement faster than km/h; and who else has a say."""

    min_idle_duration_minutes: int = IDLE_MS // 60_000
    idle_speed_threshold: int = int(MIN_SPEED)
    ignition_aware: bool = False
    motion_sensor_aware: bool = False


def trip_detection(settings: Mapping[str, Any]) -> TripDetection:
    """The setting, or the common way."""
    return msgspec.convert(settings.get(TRIP_DETECTION) or {}, TripDetection)


def ignition_source(known: Iterable[KnownSensor]) -> Ignition | None:
    """Who says whether the ignition is on: the digital input, before a virtual sensor."""
    virtual: Ignition | None = None
    for one in known:
        sensor = one.sensor
        if isinstance(sensor, Discrete) and sensor.sensor_type == IGNITION:
            return Ignition(line=sensor.input_number)
        if isinstance(sensor, Virtual) and sensor.sensor_type == VIRTUAL_IGNITION:
            virtual = Ignition(virtual=sensor)
    return virtual


async def foldings_of(
    connection: AsyncConnection,
    settings: Mapping[int, Mapping[str, Any]],
    source_ids: Among | None = None,
) -> dict[int, Folding]:
    """What differs from the common way, without counters, of the sources with these settings.
    ``source_ids``: the same sources, for a query."""
    known = await sensors_of(
        connection, settings if source_ids is None else source_ids, _SAY_IGNITION
    )
    found: dict[int, Folding] = {}
    for source_id, theirs in settings.items():
        mine = known.get(source_id)
        if mine or TRIP_DETECTION in theirs or LBS in theirs:
            folding = _folding(theirs, ignition_source(mine or ()))
            if folding != COMMON:
                found[source_id] = folding
    return found


async def live_foldings(
    connection: AsyncConnection, source_ids: Iterable[int]
) -> dict[int, Folding]:
    """The same with counters, for reading messages."""
    found: dict[int, Folding] = {}
    for some in chunks(source_ids, CHUNK):
        query = select(sources.c.id, sources.c.settings).where(sources.c.id.in_(some))
        settings = {row.id: row.settings for row in await connection.execute(query)}
        counting = select(counters.c.source_id, counters.c.type, counters.c.sensor_id).where(
            counters.c.source_id.in_(some)
        )
        counted = list(await connection.execute(counting))
        chosen = [row.sensor_id for row in counted if row.sensor_id is not None]
        known = await sensors_of(connection, some, or_(_SAY_IGNITION, sensors.c.id.in_(chosen)))
        meters: dict[int, list[Counting]] = {}
        for row in counted:
            meters.setdefault(row.source_id, []).append(
                counting_of(row.type, row.sensor_id, known.get(row.source_id, ()))
            )
        for source_id, theirs in settings.items():
            folding = _folding(
                theirs,
                ignition_source(known.get(source_id, ())),
                tuple(meters.get(source_id, ())),
            )
            if folding != COMMON:
                found[source_id] = folding
    return found


def counting_of(kind: str, sensor_id: int | None, known: Iterable[KnownSensor]) -> Counting:
    """How a counter counts whose sensor (if any) is among ``known``."""
    for one in known:
        if one.id == sensor_id and isinstance(one.sensor, Metering):
            return Counting(kind, one.sensor, one.table)
    return Counting(kind)


def _folding(
    settings: Mapping[str, Any], ignition: Ignition | None, meters: tuple[Counting, ...] = ()
) -> Folding:
    trip = trip_detection(settings)
    lbs = settings.get(LBS)
    return Folding(
        min_speed=float(trip.idle_speed_threshold),
        idle_ms=trip.min_idle_duration_minutes * 60_000,
        ignition_aware=trip.ignition_aware,
        motion_aware=trip.motion_sensor_aware,
        lbs_radius=lbs["max_radius"] if lbs else None,
        ignition=ignition,
        counters=meters,
    )
