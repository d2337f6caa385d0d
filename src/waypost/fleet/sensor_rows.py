"""Sensors of sources, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.store.sql import chunks
from waypost.store.tables import sensors
from waypost.telemetry.sensors import Sensor, Table

#: Sources in one query.
CHUNK = 5000


class KnownSensor(msgspec.Struct, frozen=True):
    """A sensor, and its calibration table."""

    sensor: Sensor
    table: Table = ()

    @property
    def id(self) -> int:
        return self.sensor.id


Among = Iterable[int] | Select[Any]
"""Ids, or a query that gives them."""


def in_steps(ids: Among) -> Iterator[list[int] | Select[Any]]:
    """What ``in_`` takes at a time."""
    if isinstance(ids, Select):
        yield ids
    else:
        yield from chunks(ids, CHUNK)


async def sensors_of(
    connection: AsyncConnection, source_ids: Among, *conditions: ColumnElement[bool]
) -> dict[int, list[KnownSensor]]:
    """The sensors of these sources in the order they were made; sources that have none are not in
    it."""
    found: dict[int, list[KnownSensor]] = {}
    for some in in_steps(source_ids):
        query = (
            select(sensors).where(sensors.c.source_id.in_(some), *conditions).order_by(sensors.c.id)
        )
        for row in await connection.execute(query):
            found.setdefault(row.source_id, []).append(known_sensor(row))
    return found


def known_sensor(row: Any) -> KnownSensor:
    """A row of the table as the sensor it is."""
    sensor = msgspec.convert({**row.definition, "id": row.id}, Sensor)
    return KnownSensor(sensor, tuple((raw, meaning) for raw, meaning in row.calibration))
