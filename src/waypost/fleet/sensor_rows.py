"""Sensors of sources, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

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


async def sensors_of(
    connection: AsyncConnection, source_ids: Iterable[int], *conditions: ColumnElement[bool]
) -> dict[int, list[KnownSensor]]:
    """The sensors of these sources in the order they were made; sources that have none are not in
    it."""
    found: dict[int, list[KnownSensor]] = {}
    every = list(source_ids)
    for start in range(0, len(every), CHUNK):
        query = (
            select(sensors)
            .where(sensors.c.source_id.in_(every[start : start + CHUNK]), *conditions)
            .order_by(sensors.c.id)
        )
        for row in await connection.execute(query):
            found.setdefault(row.source_id, []).append(known_sensor(row))
    return found


def known_sensor(row: Any) -> KnownSensor:
    """A row of the table as the sensor it is."""
    sensor = msgspec.convert({**row.definition, "id": row.id}, Sensor)
    return KnownSensor(sensor, tuple((raw, meaning) for raw, meaning in row.calibration))
