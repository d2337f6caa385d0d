"""``tracker/get_inputs``, ``get_outputs`` and the like: digital lines, and what they
mean."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import invalid
from waypost.catalog import models
from waypost.fleet.readings import DiscreteState, discrete_states
from waypost.fleet.rows import TrackerRow
from waypost.fleet.sensor_rows import KnownSensor, sensors_of
from waypost.fleet.source_settings import OUTPUTS, change_setting, settings_of
from waypost.fleet.state_view import lines
from waypost.fleet.texts import Label
from waypost.store.tables import sensors
from waypost.telemetry.state import State

_DISCRETE = sensors.c.kind == "discrete"


Number = Annotated[int, msgspec.Meta(ge=1, le=32)]


class InputInfo(msgspec.Struct):
    """Digital inputs; ``states`` are those that a sensor gives a meaning."""

    inputs: list[bool]
    states: list[DiscreteState]
    update_time: str | None


class Inputs(msgspec.Struct):
    """The same; ``user_time`` is the time now."""

    user_time: str
    inputs: list[bool]
    states: list[DiscreteState]
    update_time: str | None


class ManyInputs(msgspec.Struct):
    """Inputs by tracker id."""

    user_time: str
    data: dict[str, InputInfo]


class OutputInfo(msgspec.Struct):
    """A digital output and what it is called."""

    number: Number
    title: Label


class Outputs(msgspec.Struct):
    result: list[OutputInfo]


class ManyOutputs(msgspec.Struct):
    """Outputs by tracker id."""

    result: dict[str, list[OutputInfo]]


@user_action("tracker/get_inputs", tracker=Own(live=True))
async def get_inputs(call: UserCall, tracker: TrackerRow) -> Inputs:
    """The digital inputs of a tracker."""
    (info,) = (await _inputs(call, [tracker])).values()
    return Inputs(call.time(call.now), info.inputs, info.states, info.update_time)


@user_action("tracker/batch_get_inputs", errors=[217, 221])
async def batch_get_inputs(call: UserCall, trackers: TrackerIds) -> ManyInputs:
    """The digital inputs of several trackers."""
    rows = await named_trackers(call, trackers)
    return ManyInputs(call.time(call.now), await _inputs(call, rows))


async def _inputs(call: UserCall, rows: list[TrackerRow]) -> dict[str, InputInfo]:
    fleet = call.services.fleet
    source_ids = [row.source_id for row in rows]
    states = await fleet.states.get(source_ids)
    async with fleet.database.read() as connection:
        known = await sensors_of(connection, source_ids, _DISCRETE)
    return {
        str(row.id): _info(call, row, states[row.source_id].state, known.get(row.source_id, []))
        for row in rows
    }


def _info(
    call: UserCall, row: TrackerRow, state: State | None, known: list[KnownSensor]
) -> InputInfo:
    told = state.inputs if state is not None else None
    model = models.model(row.model)
    return InputInfo(
        inputs=lines(told, model.digital_inputs if model is not None else 0),
        states=discrete_states(known, state),
        update_time=call.time_or_none(told.time if told is not None else None),
    )


@user_action("tracker/get_outputs", tracker=Own(live=True))
async def get_outputs(call: UserCall, tracker: TrackerRow) -> Outputs:
    """The digital outputs of a tracker."""
    return Outputs((await _outputs(call, [tracker]))[str(tracker.id)])


@user_action("tracker/batch_get_outputs", errors=[217, 221])
async def batch_get_outputs(call: UserCall, trackers: TrackerIds) -> ManyOutputs:
    """The digital outputs of several trackers."""
    rows = await named_trackers(call, trackers)
    return ManyOutputs(await _outputs(call, rows))


@user_action("tracker/output/update", right="tracker_update", tracker=Own(live=True))
async def output_update(call: UserCall, tracker: TrackerRow, tracker_output: OutputInfo) -> None:
    """Gives a digital output a title."""
    if tracker_output.number > _count(tracker):
        raise invalid("tracker_output.number", "must be an output that the model has")
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        known = await settings_of(write.connection, (row.source_id,))
        titles = {**known[row.source_id].get(OUTPUTS, {})}
        titles[str(tracker_output.number)] = tracker_output.title
        await change_setting(write, row.source_id, OUTPUTS, titles)


async def _outputs(call: UserCall, rows: list[TrackerRow]) -> dict[str, list[OutputInfo]]:
    """As many as the model has."""
    async with call.services.database.read() as connection:
        known = await settings_of(connection, [row.source_id for row in rows])
    found: dict[str, list[OutputInfo]] = {}
    for row in rows:
        titles = known.get(row.source_id, {}).get(OUTPUTS, {})
        found[str(row.id)] = [
            OutputInfo(number, titles.get(str(number), f"OUT{number}"))
            for number in range(1, _count(row) + 1)
        ]
    return found


def _count(row: TrackerRow) -> int:
    model = models.model(row.model)
    return model.digital_outputs if model is not None else 0
