"""Making, changing, copying and deleting sensors, and their calibration tables.

What a sensor may be is in the catalog; here is what must hold among the sensors of one device: an
input is read by one sensor, there is one ignition, a composite sensor adds up sensors that exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

import msgspec
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import sensors as catalog
from waypost.catalog.fields import Field, defaults, validate
from waypost.fleet.omnicomm import FileTable
from waypost.fleet.rows import TrackerRow
from waypost.fleet.sensor_rows import KnownSensor, sensors_of
from waypost.fleet.service import Write
from waypost.refusal import Refused, invalid
from waypost.store.tables import counters, sensors
from waypost.telemetry.sensors import Discrete, Metering, Sensor, Table, Virtual

#: Sensors of one type, and in all, on one device.
MOST_OF_TYPE = 100
MOST = 250
#: Points of a calibration table.
MOST_POINTS = 1000

KINDS: tuple[catalog.Kind, ...] = ("metering", "discrete", "virtual")


def parse_sensor(given: Mapping[str, Any]) -> Sensor:
    """A sensor as a client sends it; its id is 0 where none is given. What the API does not know of
    is passed over. Raises :class:`Refused` 7 that names every wrong field."""
    kind = given.get("type")
    if kind not in KINDS:
        raise invalid("sensor.type", f"must be one of {', '.join(KINDS)}")
    fields = catalog.sensors().objects[kind]
    clean, errors = validate(fields, _known(fields, given))
    if errors:
        raise Refused(
            7,
            errors=[{"parameter": f"sensor.{one.field}", "error": one.error} for one in errors],
        )
    values = defaults(fields, {})
    values.update({name: value for name, value in clean.items() if value is not None})
    # Some documents call it sensor_id.
    sensor_id = _whole("sensor.id", given.get("id", given.get("sensor_id")) or 0)
    if not isinstance(values.get("group_type", ""), str):
        values["group_type"] = _whole("sensor.group_type", values["group_type"])
    sensor: Sensor = msgspec.convert({**values, "type": kind, "id": sensor_id}, Sensor)
    _check_parameters(sensor)
    return sensor


def _whole(parameter: str, given: Any) -> int:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 19:
        return int(given)
    if not isinstance(given, int) or isinstance(given, bool) or abs(given) >= 2**63:
        raise invalid(parameter, "must be a whole number")
    return given


def _known(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            continue
        if field.type == "object" and isinstance(value, Mapping):
            value = _known(field.fields, value)
        known[name] = value
    return known


def _check_parameters(sensor: Sensor) -> None:
    """What fields must hold together. Raises :class:`Refused` 7."""
    if isinstance(sensor, Metering):
        if sensor.divider == 0:
            raise invalid("sensor.divider", "must not be 0")
        low, high = sensor.parameter("min"), sensor.parameter("max")
        if low is not None and high is not None and low > high:
            raise invalid("sensor.parameters.max", "must not be less than min")
    if isinstance(sensor, Virtual):
        if sensor.sensor_type == "virtual_ignition" and not sensor.parameters:
            raise invalid("sensor.parameters", "is required")
        if sensor.parameters and sensor.parameter("calc_method") == "in_range":
            low, high = sensor.parameter("range_from"), sensor.parameter("range_to")
            if low is None and high is None:
                raise invalid("sensor.parameters.range_from", "or range_to is required")
            if low is not None and high is not None and low > high:
                raise invalid("sensor.parameters.range_to", "must not be less than range_from")
    if not isinstance(sensor, Discrete) and not sensor.input_name.strip():
        raise invalid("sensor.input_name", "must not be empty")


async def list_sensors(connection: AsyncConnection, source_id: int) -> list[KnownSensor]:
    """The sensors of a source in the order they were made."""
    return (await sensors_of(connection, (source_id,))).get(source_id, [])


async def need_sensor(connection: AsyncConnection, source_id: int, sensor_id: int) -> KnownSensor:
    """Raises :class:`Refused` 201 where the source has no such sensor."""
    return _among(await list_sensors(connection, source_id), sensor_id)


def _among(known: Iterable[KnownSensor], sensor_id: int) -> KnownSensor:
    for one in known:
        if one.id == sensor_id:
            return one
    raise Refused(201)


async def create_sensor(write: Write, row: TrackerRow, sensor: Sensor) -> int:
    """A new sensor of the device of ``row``, which is locked; its id. Raises :class:`Refused`: 232
    where another reads this input, 270 and 267 where there are too many, 7 for wrong parts."""
    known = await list_sensors(write.connection, row.source_id)
    _check(sensor, known)
    if len(known) >= MOST:
        raise Refused(267)
    made = await write.connection.execute(
        insert(sensors).values(_values(row.source_id, sensor)).returning(sensors.c.id)
    )
    write.changes.sources.add(row.source_id)
    return int(made.scalar_one())


async def update_sensor(write: Write, row: TrackerRow, sensor: Sensor) -> None:
    """Raises as :func:`create_sensor` does, and 201 where there is no such sensor. A table of
    calibration stays with a sensor that goes on measuring."""
    known = await list_sensors(write.connection, row.source_id)
    _among(known, sensor.id)
    _check(sensor, [one for one in known if one.id != sensor.id])
    values = _values(row.source_id, sensor)
    if not isinstance(sensor, Metering):
        values["calibration"] = []
        await _forsake(write.connection, known, sensor.id)
    await write.connection.execute(update(sensors).where(sensors.c.id == sensor.id).values(values))
    write.changes.sources.add(row.source_id)


async def delete_sensor(write: Write, row: TrackerRow, sensor_id: int) -> None:
    """Raises :class:`Refused` 201 where there is no such sensor."""
    known = await list_sensors(write.connection, row.source_id)
    _among(known, sensor_id)
    await _forsake(write.connection, known, sensor_id)
    await write.connection.execute(delete(sensors).where(sensors.c.id == sensor_id))
    write.changes.sources.add(row.source_id)


async def drop_sensors(write: Write, source_ids: Sequence[int]) -> None:
    """Deletes all sensors of these sources."""
    connection = write.connection
    await connection.execute(
        update(counters).where(counters.c.source_id.in_(source_ids)).values(sensor_id=None)
    )
    await connection.execute(delete(sensors).where(sensors.c.source_id.in_(source_ids)))
    write.changes.sources.update(source_ids)


async def copy_sensors(write: Write, base: TrackerRow, targets: Sequence[TrackerRow]) -> None:
    """Gives ``targets`` (locked) the sensors of ``base`` and its calibration, in place of their
    own. Raises :class:`Refused` 272 where a model is another."""
    if any(row.model != base.model for row in targets):
        raise Refused(272)
    if not targets:
        return
    connection = write.connection
    known = await list_sensors(connection, base.source_id)
    await drop_sensors(write, [row.source_id for row in targets])
    if not known:
        return
    rows = [
        {**_values(row.source_id, one.sensor), "calibration": [list(pair) for pair in one.table]}
        for row in targets
        for one in known
    ]
    made = await connection.execute(
        insert(sensors).returning(sensors.c.id, sort_by_parameter_order=True), rows
    )
    ids = [int(one) for one in made.scalars()]
    for number in range(len(targets)):
        mine = ids[number * len(known) : (number + 1) * len(known)]
        twin = {one.id: new for one, new in zip(known, mine, strict=True)}
        for one in known:
            if isinstance(one.sensor, Metering) and one.sensor.composite:
                parts = [twin[part] for part in one.sensor.parent_ids if part in twin]
                await _recompose(connection, one.sensor, twin[one.id], parts)


async def change_calibration(
    write: Write, row: TrackerRow, sensor_id: int, points: Sequence[tuple[float, float]]
) -> None:
    """Replaces a calibration table; an empty one takes it away. Raises :class:`Refused`: 201, 228
    for a sensor that measures nothing or adds up others, 7 for a table that cannot be."""
    known = await need_sensor(write.connection, row.source_id, sensor_id)
    need_calibration(known)
    table = table_of(points)
    await write.connection.execute(
        update(sensors)
        .where(sensors.c.id == sensor_id)
        .values(calibration=[list(pair) for pair in table])
    )
    write.changes.sources.add(row.source_id)


def need_calibration(known: KnownSensor) -> Metering:
    """Raises :class:`Refused` 228 for a sensor that cannot be calibrated."""
    sensor = known.sensor
    if not isinstance(sensor, Metering) or sensor.composite:
        raise Refused(228)
    return sensor


def table_for(
    tables: Sequence[FileTable], sensor: Metering, number: int | None
) -> list[tuple[float, float]]:
    """The points of sensor ``number`` of a file; None: the only ones, or those of the number that
    the input's name has. Raises :class:`Refused`: 235 where there are none, 234 for what is no
    table."""
    if number is None and len(tables) == 1:
        found = tables[0]
    else:
        wanted = number if number is not None else catalog.split_index(sensor.input_name)[1]
        mine = [table for table in tables if table.number == wanted]
        if len(mine) != 1:
            raise Refused(235)
        found = mine[0]
    try:
        return list(table_of(found.points))
    except Refused:
        raise Refused(234) from None


def table_of(points: Sequence[tuple[float, float]]) -> Table:
    """Points in rising order. Raises :class:`Refused` 7 for too many, or one alone, or two of the
    same raw value."""
    if len(points) > MOST_POINTS:
        raise invalid("data", f"must have {MOST_POINTS} points at most")
    if len(points) == 1:
        raise invalid("data", "must have two points at least, or none")
    if not all(isfinite(number) for point in points for number in point):
        raise invalid("data", "must have finite numbers")
    table = tuple(sorted(points))
    if any(left[0] == right[0] for left, right in pairwise(table)):
        raise invalid("data", "must not have two points with the same 'in'")
    return table


def _check(sensor: Sensor, others: Sequence[KnownSensor]) -> None:
    """May it be, beside ``others``?"""
    taken = _input(sensor)
    if taken is not None and any(_input(one.sensor) == taken for one in others):
        raise Refused(232)
    single = sensor.sensor_type in catalog.sensors().single_per_tracker
    same = sum(one.sensor.sensor_type == sensor.sensor_type for one in others)
    if same >= (1 if single else MOST_OF_TYPE):
        raise Refused(270)
    if isinstance(sensor, Metering) and sensor.composite:
        parts = {
            one.id
            for one in others
            if isinstance(one.sensor, Metering) and not one.sensor.composite
        }
        wanted = sensor.parent_ids
        if not wanted or len(set(wanted)) < len(wanted) or not parts.issuperset(wanted):
            raise invalid(
                "sensor.parameters.parent_ids", "must be different metering sensors of the tracker"
            )


def _input(sensor: Sensor) -> int | str | None:
    """The input that only one sensor may read: a digital one by its number, one that is measured by
    its name. Any number of virtual sensors read the same."""
    if isinstance(sensor, Discrete):
        return sensor.input_number
    if isinstance(sensor, Metering) and not sensor.composite:
        return sensor.input_name
    return None


async def _forsake(
    connection: AsyncConnection, known: Iterable[KnownSensor], sensor_id: int
) -> None:
    """Nothing counts or adds up with this sensor any more."""
    await connection.execute(
        update(counters).where(counters.c.sensor_id == sensor_id).values(sensor_id=None)
    )
    for one in known:
        if isinstance(one.sensor, Metering) and sensor_id in one.sensor.parent_ids:
            parts = [part for part in one.sensor.parent_ids if part != sensor_id]
            await _recompose(connection, one.sensor, one.id, parts)


async def _recompose(
    connection: AsyncConnection, sensor: Metering, sensor_id: int, parts: list[int]
) -> None:
    """The composite sensor ``sensor_id``, like ``sensor``, adds up ``parts``."""
    parameters = {**(sensor.parameters or {}), "parent_ids": parts}
    changed = msgspec.structs.replace(sensor, parameters=parameters)
    await connection.execute(
        update(sensors).where(sensors.c.id == sensor_id).values(definition=_definition(changed))
    )


def _values(source_id: int, sensor: Sensor) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "kind": next(kind for kind, cls in _CLASSES.items() if isinstance(sensor, cls)),
        "sensor_type": sensor.sensor_type,
        "input_name": None if isinstance(sensor, Discrete) else sensor.input_name,
        "input_number": sensor.input_number if isinstance(sensor, Discrete) else None,
        "definition": _definition(sensor),
    }


_CLASSES: dict[catalog.Kind, type] = {
    "metering": Metering,
    "discrete": Discrete,
    "virtual": Virtual,
}


def _definition(sensor: Sensor) -> dict[str, Any]:
    definition: dict[str, Any] = msgspec.to_builtins(sensor)
    del definition["id"]
    return definition
