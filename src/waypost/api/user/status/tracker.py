"""``status/tracker/*``: the working statuses that trackers have."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.reply import Value
from waypost.fleet import statuses
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import Location
from waypost.fleet.statuses import Change, Status


class Place(Location, frozen=True):
    """Where a status was set; ``address`` is empty, as there is no geocoder."""

    address: str = ""


class ChangeView(msgspec.Struct, frozen=True):
    """When, where and by whom a status was set (``supervisor`` or ``employee``)."""

    id: int
    old_status_id: int | None
    new_status_id: int | None
    location: Place | None
    changed: str
    origin: str


class Current(msgspec.Struct, frozen=True):
    """What a tracker has now, and its last change; null where there is none."""

    current_status: Status | None
    last_change: ChangeView | None


class Changed(msgspec.Struct, frozen=True):
    last_change: ChangeView | None


@user_action("status/tracker/read", tracker=Own(live=True, clone=False), errors=[236])
async def read(call: UserCall, tracker: TrackerRow) -> Current:
    """The working status of a tracker."""
    return (await _current(call, [tracker]))[str(tracker.id)]


@user_action("status/tracker/list", errors=[217, 221, 236])
async def list_(call: UserCall, trackers: TrackerIds) -> Value[dict[str, Current]]:
    """The working statuses of several trackers, by their ids."""
    return Value(await _current(call, await named_trackers(call, trackers)))


@user_action(
    "status/tracker/assign", tracker=Own(live=True, clone=False), errors=[13, 204, 236, 263]
)
async def assign(call: UserCall, tracker: TrackerRow, new_status_id: int) -> Changed:
    """Gives a tracker a status of its list."""
    state = (await call.services.fleet.states.one(tracker.source_id)).state
    fix = state.gps if state is not None else None
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        tracker = await call.locked(write, tracker)
        await statuses.assign_status(
            call.outbox(write),
            tracker,
            new_status_id,
            (fix.latitude, fix.longitude) if fix is not None else None,
        )
    return Changed((await _current(call, [tracker]))[str(tracker.id)].last_change)


async def _current(call: UserCall, rows: Sequence[TrackerRow]) -> dict[str, Current]:
    async with call.services.database.read() as connection:
        await statuses.need_feature(connection, call.user.account_id)
        changes = await statuses.changes_of(connection, [row.source_id for row in rows])
        wanted = {one.new_status_id for one in changes.values() if one.new_status_id is not None}
        known = await statuses.statuses_by_id(connection, wanted)
    found: dict[str, Current] = {}
    for row in rows:
        change = changes.get(row.source_id)
        if change is None:
            found[str(row.id)] = Current(None, None)
        else:
            current = None if change.new_status_id is None else known.get(change.new_status_id)
            found[str(row.id)] = Current(current, _view(call, change))
    return found


def _view(call: UserCall, change: Change) -> ChangeView:
    place = None
    if change.latitude is not None and change.longitude is not None:
        place = Place(change.latitude, change.longitude)
    return ChangeView(
        change.id,
        change.old_status_id,
        change.new_status_id,
        place,
        call.time(change.at),
        change.origin,
    )
