"""``tracker/sensor/*``: what a device's inputs measure and mean."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Moment
from waypost.api.reply import Identified, Listed
from waypost.catalog import sensors as catalog
from waypost.fleet import sensors as fleet_sensors
from waypost.fleet.locking import lock_sources
from waypost.fleet.rows import TrackerRow, fetch_rows, rows_query
from waypost.fleet.sensor_history import sensor_history
from waypost.fleet.sensor_rows import sensors_of
from waypost.fleet.service import Write
from waypost.fleet.state_view import Clock
from waypost.store.sql import chunks
from waypost.store.tables import trackers as trackers_table
from waypost.telemetry.sensors import Discrete, Sensor

DAY_MS = 86_400_000


class ManySensors(msgspec.Struct):
    """Sensors by tracker id."""

    result: dict[str, list[Sensor]]


class SensorDatum(msgspec.Struct):
    """A value of a sensor, and when it was told."""

    value: int | float | str
    get_time: str


class InputName(msgspec.Struct):
    """An input that sensors can read, or (with a type of value) a state; ``[N]``: there are several
    with a number."""

    input_name: str
    description: str
    value_type: str | msgspec.UnsetType = msgspec.UNSET
    value_titles: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


@user_action("tracker/sensor/list", tracker=Own(live=True))
async def list_(call: UserCall, tracker: TrackerRow) -> Listed[Sensor]:
    """The sensors of a tracker."""
    async with call.services.database.read() as connection:
        known = await fleet_sensors.list_sensors(connection, tracker.source_id)
    return Listed([one.sensor for one in known])


@user_action("tracker/sensor/batch_list", errors=[217, 221])
async def batch_list(call: UserCall, trackers: TrackerIds) -> ManySensors:
    """The sensors of several trackers."""
    most = catalog.sensors().limits.sensor_batch_list_max_trackers
    rows = await named_trackers(call, trackers, most)
    async with call.services.database.read() as connection:
        known = await sensors_of(connection, [row.source_id for row in rows])
    return ManySensors(
        {str(row.id): [one.sensor for one in known.get(row.source_id, ())] for row in rows}
    )


@user_action(
    "tracker/sensor/create",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[232, 267, 270],
)
async def create(call: UserCall, tracker: TrackerRow, sensor: dict[str, Any]) -> Identified:
    """Makes a sensor: ``metering``, ``discrete`` or ``virtual`` by its ``type``."""
    wanted = fleet_sensors.parse_sensor(sensor)
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        return Identified(await fleet_sensors.create_sensor(write, row, wanted))


@user_action(
    "tracker/sensor/update",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[201, 232, 270],
)
async def update(call: UserCall, tracker: TrackerRow, sensor: dict[str, Any]) -> None:
    """Replaces a sensor by what is given; its calibration table stays."""
    wanted = fleet_sensors.parse_sensor(sensor)
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        await fleet_sensors.update_sensor(write, row, wanted)


@user_action(
    "tracker/sensor/delete",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[201],
)
async def delete(call: UserCall, tracker: TrackerRow, sensor_id: int) -> None:
    """Deletes a sensor. Composite sensors and counters go on without it."""
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        await fleet_sensors.delete_sensor(write, row, sensor_id)


@user_action(
    "tracker/sensor/batch_copy",
    right="tracker_update",
    tracker=Own(parameter="base_tracker_id", live=True),
    errors=[201, 208, 219, 272],
)
async def batch_copy(call: UserCall, tracker: TrackerRow, trackers: TrackerIds) -> None:
    """Gives other trackers of the same model the sensors of one, in place of their own."""
    if tracker.id in trackers:
        raise invalid("trackers", "must not hold the base tracker")
    garage = await call.services.fleet.trackers.of_user(call.user)
    wanted = list(dict.fromkeys(trackers))
    _check_targets([garage.by_id.get(one) for one in wanted])
    async with call.services.fleet.write() as write:
        sources = [garage.by_id[one].source_id for one in wanted]
        await lock_sources(write.connection, [tracker.source_id, *sources])
        now = await _now(write, [tracker.id, *wanted])
        base = now.get(tracker.id)
        call.own.check(base, "user")
        targets = _check_targets([now.get(one) for one in wanted])
        await fleet_sensors.copy_sensors(write, base or tracker, targets)


def _check_targets(rows: list[TrackerRow | None]) -> list[TrackerRow]:
    found: list[TrackerRow] = []
    for row in rows:
        if row is None or row.corrupted or row.deleted:
            raise ApiError(201)
        if row.blocked:
            raise ApiError(208)
        if row.clone:
            raise ApiError(219)
        found.append(row)
    return found


async def _now(write: Write, tracker_ids: list[int]) -> dict[int, TrackerRow]:
    found: dict[int, TrackerRow] = {}
    for some in chunks(tracker_ids):
        query = rows_query().where(trackers_table.c.id.in_(some))
        found.update({row.id: row for row in await fetch_rows(write.connection, query)})
    return found


@user_action("tracker/sensor/data/read", tracker=Own(live=True), errors=[201, 211, 228])
async def data_read(
    call: UserCall,
    tracker: TrackerRow,
    sensor_id: int,
    from_: Moment,
    to: Moment,
    raw_data: bool = False,
) -> Listed[SensorDatum]:
    """What a metering or virtual sensor said in a period. ``raw_data``: what the device said to a
    metering sensor, before calibration and division."""
    if to < from_:
        raise invalid("to", "must not be earlier than from")
    async with call.services.database.read() as connection:
        known = await fleet_sensors.list_sensors(connection, tracker.source_id)
    wanted = next((one for one in known if one.id == sensor_id), None)
    if wanted is None:
        raise ApiError(201)
    if isinstance(wanted.sensor, Discrete):
        raise ApiError(228)
    if to - from_ > catalog.sensors().limits.sensor_data_max_days * DAY_MS:
        raise ApiError(211)
    found = await sensor_history(
        call.services.points, tracker.source_id, wanted, known, (from_, to), raw=raw_data
    )
    write = Clock(call.user.zone, call.iso).write
    return Listed([SensorDatum(one.value, write(one.time)) for one in found])


@user_action("tracker/sensor/input_name/list")
async def input_name_list(call: UserCall) -> Listed[InputName]:
    """Every input that sensors can read and every state, with what it is."""
    return Listed(_input_names())


_VALUE_TYPES = {
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "float": "Double",
}


def _input_names() -> list[InputName]:
    table = catalog.sensors()
    found: dict[str, InputName] = {}
    for row in table.inputs:
        label = f"{row.label} [N]" if row.index else row.label
        found[row.name] = InputName(row.name.removesuffix("_"), label)
    for state in table.states:
        first, last = state.index or (0, 0)
        names = (
            [f"{state.name}{number}" for number in range(first, (last or first) + 1)]
            if state.index
            else [state.name]
        )
        for name in names:
            found[name] = InputName(
                name,
                name.replace("_", " ").capitalize(),
                _VALUE_TYPES[state.type],
                state.values or msgspec.UNSET,
            )
    return list(found.values())
