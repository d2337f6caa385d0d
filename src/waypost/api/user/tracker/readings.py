"""``tracker/get_inputs`` and ``tracker/get_diagnostics``: what devices measure."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.catalog import models
from waypost.fleet.diagnostics import SensorValue, StateValue, diagnostics_of
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import lines
from waypost.fleet.states import Known


class DiscreteState(msgspec.Struct):
    """What a digital input means, and whether it is on."""

    type: str
    name: str | None
    status: bool
    input_number: int


class Inputs(msgspec.Struct):
    """Digital inputs; ``states`` are those that a sensor gives a meaning."""

    user_time: str
    inputs: list[bool]
    states: list[DiscreteState]
    update_time: str | None


class Diagnostics(msgspec.Struct):
    """Values of the vehicle's buses; ``states`` is null where there are none."""

    user_time: str
    inputs: list[SensorValue]
    states: dict[str, StateValue] | None
    update_time: str | None


@user_action("tracker/get_inputs", tracker=Own(live=True))
async def get_inputs(call: UserCall, tracker: TrackerRow) -> Inputs:
    """The digital inputs of a tracker."""
    known: Known = (await call.services.fleet.states.get([tracker.source_id]))[tracker.source_id]
    told = known.state.inputs if known.state is not None else None
    model = models.model(tracker.model)
    return Inputs(
        user_time=call.time(call.now),
        inputs=lines(told, model.digital_inputs if model is not None else 0),
        states=[],
        update_time=call.time_or_none(told.time if told is not None else None),
    )


@user_action("tracker/get_diagnostics", tracker=Own(live=True))
async def get_diagnostics(call: UserCall, tracker: TrackerRow) -> Diagnostics:
    """The newest values from the vehicle's CAN and OBD buses."""
    known: Known = (await call.services.fleet.states.get([tracker.source_id]))[tracker.source_id]
    found = diagnostics_of(known.state, call.user.measurement_system)
    return Diagnostics(
        user_time=call.time(call.now),
        inputs=found.inputs,
        states=found.states or None,
        update_time=call.time_or_none(found.time),
    )
