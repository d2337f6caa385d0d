"""``tracker/sensor/calibration_data/*``: what a sensor's raw values mean."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.reply import Value
from waypost.api.wire import Upload
from waypost.fleet import sensors as fleet_sensors
from waypost.fleet.omnicomm import NotCalibration, read_tables
from waypost.fleet.rows import TrackerRow

Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


class CalibrationPoint(msgspec.Struct):
    """A raw value (``in``) and what it means (``out``)."""

    in_: Number = msgspec.field(name="in")
    out: Number


Points = Annotated[list[CalibrationPoint], msgspec.Meta(max_length=fleet_sensors.MOST_POINTS)]


@user_action("tracker/sensor/calibration_data/read", tracker=Own(live=True), errors=[201, 228])
async def read(
    call: UserCall, tracker: TrackerRow, sensor_id: int
) -> Value[list[CalibrationPoint]]:
    """The calibration table of a sensor, in rising order; empty: it is not calibrated."""
    async with call.services.database.read() as connection:
        known = await fleet_sensors.need_sensor(connection, tracker.source_id, sensor_id)
    fleet_sensors.need_calibration(known)
    return Value([CalibrationPoint(raw, meaning) for raw, meaning in known.table])


@user_action(
    "tracker/sensor/calibration_data/update",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[201, 228],
)
async def update(call: UserCall, tracker: TrackerRow, sensor_id: int, data: Points) -> None:
    """Replaces the calibration table of a sensor; an empty one takes it away."""
    points = [(one.in_, one.out) for one in data]
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        await fleet_sensors.change_calibration(write, row, sensor_id, points)


@user_action(
    "tracker/sensor/calibration_data/upload_omnicomm",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[201, 228, 233, 234, 235],
)
async def upload_omnicomm(
    call: UserCall,
    tracker: TrackerRow,
    sensor_id: int,
    file: Upload | None = None,
    sensor_number: int | None = None,
) -> None:
    """Replaces the calibration table of a sensor by that of an XML file of Omnicomm LLS Monitor. Of
    a file with several, the one that ``sensor_number`` says (without it, the number in the name of
    the sensor's input) counts."""
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        known = await fleet_sensors.need_sensor(write.connection, row.source_id, sensor_id)
        sensor = fleet_sensors.need_calibration(known)
        if file is None:
            raise ApiError(233)
        try:
            tables = read_tables(file.content)
        except NotCalibration:
            raise ApiError(234) from None
        points = fleet_sensors.table_for(tables, sensor, sensor_number)
        await fleet_sensors.change_calibration(write, row, sensor_id, points)
