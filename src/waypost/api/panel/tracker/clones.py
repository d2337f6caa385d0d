"""``tracker/clone``, ``delete_clone``, ``batch_delete_clones``: one device in several accounts."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.api.reply import Identified
from waypost.fleet import clones
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Label

TrackerIds = Annotated[list[int], msgspec.Meta(max_length=500)]


class NotDeleted(msgspec.Struct):
    """A tracker that could not be deleted, and why."""

    id: int
    error: str


class Deleted(msgspec.Struct, omit_defaults=True):
    """How many were deleted and not; the latter one by one."""

    deleted_count: int
    not_deleted_count: int
    not_deleted_trackers: list[NotDeleted] = []


@panel_action(
    "tracker/clone",
    permissions=["trackers:create"],
    tracker=Own(clone=False),
    errors=[201, 246, 247],
)
async def clone(call: PanelCall, tracker: TrackerRow, label: Label, user_id: int) -> Identified:
    """Lets another user of the dealer have the device too."""
    if tracker.deleted:
        raise ApiError(201)
    async with call.services.fleet.write() as write:
        made = await clones.clone(write, tracker, label, user_id, call.now)
    return Identified(made)


@panel_action(
    "tracker/delete_clone",
    permissions=["trackers:delete"],
    tracker=Own(clone=True),
    errors=[201],
)
async def delete_clone(call: PanelCall, tracker: TrackerRow) -> None:
    """Takes a clone out of its account."""
    async with call.services.fleet.write() as write:
        await clones.delete_clone(write, tracker)


@panel_action("tracker/batch_delete_clones", permissions=["trackers:delete"])
async def batch_delete_clones(call: PanelCall, trackers: TrackerIds) -> Deleted:
    """Takes several clones out of their accounts; what cannot be deleted is passed over and
    named."""
    async with call.services.fleet.write() as write:
        failed = await clones.delete_clones(write, call.account.dealer_id, trackers)
    wrong = [NotDeleted(tracker_id, error) for tracker_id, error in failed.items()]
    return Deleted(len(dict.fromkeys(trackers)) - len(wrong), len(wrong), wrong)
