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


BatchIds = Annotated[list[int], msgspec.Meta(min_length=1, max_length=1000)]


class Cloned(msgspec.Struct, omit_defaults=True):
    """The clones that were made, and the trackers that the user had already."""

    items: list[int] = msgspec.field(name="list")
    ignored_trackers: list[int] = []


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
    async with call.services.fleet.write() as write:
        await clones.need_account(write.connection, call.account.dealer_id, user_id)
        tracker = await call.locked(write, tracker)
        if tracker.deleted:
            raise ApiError(201)
        made = await clones.clone(write, tracker, label, user_id, call.now)
    return Identified(made)


@panel_action("tracker/batch_clone", permissions=["trackers:create"], errors=[217, 219, 246, 247])
async def batch_clone(
    call: PanelCall, tracker_ids: BatchIds, user_id: int, ignore_existing: bool = False
) -> Cloned:
    """Lets another user of the dealer have several devices too, under the same labels: all, or
    none. ``ignore_existing`` passes over those that the user has already."""
    async with call.services.fleet.write() as write:
        await clones.need_account(write.connection, call.account.dealer_id, user_id)
        made, ignored = await clones.clone_all(
            write,
            call.account.dealer_id,
            tracker_ids,
            user_id,
            call.now,
            pass_over=ignore_existing,
        )
    return Cloned(made, ignored)


@panel_action(
    "tracker/delete_clone",
    permissions=["trackers:delete"],
    tracker=Own(clone=True),
    errors=[201, 203],
)
async def delete_clone(call: PanelCall, tracker: TrackerRow) -> None:
    """Takes a clone out of its account."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await clones.delete_clone(write, tracker)


@panel_action("tracker/batch_delete_clones", permissions=["trackers:delete"])
async def batch_delete_clones(call: PanelCall, trackers: TrackerIds) -> Deleted:
    """Takes several clones out of their accounts; what cannot be deleted is passed over and
    named."""
    async with call.services.fleet.write() as write:
        failed = await clones.delete_clones(write, call.account.dealer_id, trackers)
    wrong = [NotDeleted(tracker_id, error) for tracker_id, error in failed.items()]
    return Deleted(len(dict.fromkeys(trackers)) - len(wrong), len(wrong), wrong)
