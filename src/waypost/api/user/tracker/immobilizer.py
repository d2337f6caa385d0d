"""``tracker/engine_immobilizer/*``: blocking the engine by the device's first output."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.fleet import immobilizer
from waypost.fleet.rows import TrackerRow


class Immobilizer(msgspec.Struct):
    enabled: bool


@user_action(
    "tracker/engine_immobilizer/read",
    tracker=Own(missing=204, live=True, supports=immobilizer.has_immobilizer),
)
async def read(call: UserCall, tracker: TrackerRow) -> Immobilizer:
    """Whether the engine is blocked: as the device reports its first output, or as it acknowledged
    a command since."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    async with call.services.database.read() as connection:
        return Immobilizer(await immobilizer.is_blocked(connection, tracker, state))


@user_action(
    "tracker/engine_immobilizer/set",
    right="tracker_set_output",
    tracker=Own(missing=204, live=True, clone=False, supports=immobilizer.has_immobilizer),
    errors=[213, 214],
)
async def set_(call: UserCall, tracker: TrackerRow, enabled: bool) -> None:
    """Blocks the engine, or lets it go, by the device's first output."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await immobilizer.block(call.outbox(write), tracker, enabled, state)
