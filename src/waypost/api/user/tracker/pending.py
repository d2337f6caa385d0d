"""``tracker/command/unconfirmed/*``: what a device has not confirmed yet."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.fleet.outgoing import count_pending
from waypost.fleet.rows import TrackerRow


class Count(msgspec.Struct):
    count: int


@user_action("tracker/command/unconfirmed/count", tracker=Own(missing=204, live=True))
async def count(call: UserCall, tracker: TrackerRow) -> Count:
    """How many commands wait for the device, or for its answer."""
    async with call.services.database.read() as connection:
        return Count(await count_pending(connection, tracker.source_id))


@user_action(
    "tracker/command/unconfirmed/reset",
    right="tracker_update",
    tracker=Own(missing=204, live=True),
)
async def reset(call: UserCall, tracker: TrackerRow) -> None:
    """Takes them all back. One that is under way cannot be stopped, but is not repeated."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await call.outbox(write).cancel(tracker.source_id)
