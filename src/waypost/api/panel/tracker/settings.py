"""``tracker/settings/update``, ``move``, ``register_entry``: what a dealer does with a user's
tracker."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, PanelCall, panel_action
from waypost.api.errors import ApiError, invalid
from waypost.api.params import EmptyText
from waypost.api.reply import Identified
from waypost.fleet.clones import need_account
from waypost.fleet.move import move as move_tracker
from waypost.fleet.registration import has_gsm, start_again
from waypost.fleet.rows import TrackerRow
from waypost.fleet.settings import describe
from waypost.fleet.texts import Label

Comment = Annotated[EmptyText, msgspec.Meta(max_length=3000)]


@panel_action(
    "tracker/settings/update", permissions=["trackers:update"], tracker=Own(), errors=[247]
)
async def update(
    call: PanelCall,
    tracker: TrackerRow,
    label: Label,
    deleted: bool,
    comment: Comment | None = None,
) -> None:
    """Changes label and comment; ``deleted`` takes the tracker out of its user's sight, or brings
    it back."""
    if "<" in label or ">" in label:
        raise invalid("label", "must not contain < or >")
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await describe(write, tracker, label, deleted=deleted, comment=comment)


@panel_action(
    "tracker/move",
    permissions=["trackers:create", "trackers:delete"],
    tracker=Own(clone=False),
    errors=[201, 246, 247],
)
async def move(call: PanelCall, tracker: TrackerRow, user_id: int) -> Identified:
    """Gives a tracker to another user of the dealer. It keeps its id and its history; group, tags,
    rules and whatever else the former user gave it stay behind."""
    async with call.services.fleet.write() as write:
        await need_account(write.connection, call.account.dealer_id, user_id)
        tracker = await call.locked(write, tracker)
        if tracker.deleted:
            raise ApiError(201)
        await move_tracker(call.outbox(write), tracker, user_id)
    return Identified(tracker.id)


@panel_action(
    "tracker/register_entry",
    "tracker/register_retry",
    permissions=["trackers:update"],
    tracker=Own(live=True, clone=False, supports=has_gsm),
    errors=[264],
)
async def register_entry(
    call: PanelCall, tracker: TrackerRow, send_register_commands: bool | None = None
) -> None:
    """Sends the commands that set a device up once more and resets its tracking settings; once in
    two minutes."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await start_again(call.outbox(write), tracker, send_register_commands)
