"""``tracker/location_request``, ``tracker/output/set``, ``set_all``: asked of a device that is
connected."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import ApiError
from waypost.fleet import instructions
from waypost.fleet.rows import TrackerRow

#: What the platform's own search may end in, and what is answered unless the device is asked too.
_NOTHING_FOUND = {"needless": 256, "unknown": 214}

Outputs = Annotated[list[bool], msgspec.Meta(max_length=64)]


@user_action("tracker/location_request", tracker=Own(live=True), errors=[213, 214, 256])
async def location_request(
    call: UserCall, tracker: TrackerRow, type: instructions.Request = "sms"
) -> None:
    """Asks the device where it is: by SMS, or over its connection for a position by the mobile
    network (``gsm``) or by satellites (``gprs``). For ``gsm`` the platform also looks up the cells
    that the device reported last, and stores the position that they tell."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    locator = call.services.locator
    newest = None
    if type == "gsm" and locator is not None:
        newest = await locator.newest(tracker.source_id, tracker.retention_days)
    settings = call.services.settings
    instructions.check_location_request(
        settings, tracker, type, state, call.now, heard=newest is not None
    )
    if newest is not None and locator is not None:
        outcome = "needless" if newest.known else await locator.locate(newest.report)
        if outcome in _NOTHING_FOUND and not instructions.asks_by_network(tracker):
            raise ApiError(_NOTHING_FOUND[outcome])
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await instructions.request_location(call.outbox(write), tracker, type)


@user_action(
    "tracker/output/set",
    right="tracker_set_output",
    tracker=Own(missing=204, live=True, clone=False),
    errors=[213, 214],
)
async def set_(call: UserCall, tracker: TrackerRow, output: int, enable: bool) -> None:
    """Switches one output of the device, counted from 1."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await instructions.set_output(call.outbox(write), tracker, output, enable, state)


@user_action(
    "tracker/output/set_all",
    right="tracker_set_output",
    tracker=Own(missing=204, live=True, clone=False),
    errors=[213, 214],
)
async def set_all(call: UserCall, tracker: TrackerRow, outputs: Outputs) -> None:
    """Switches all outputs of the device; there must be as many as its model has."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await instructions.set_outputs(call.outbox(write), tracker, outputs, state)
