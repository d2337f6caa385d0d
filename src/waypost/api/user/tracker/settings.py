"""``tracker/settings/read`` and ``update``: label and group."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import invalid
from waypost.fleet.rows import TrackerRow
from waypost.fleet.settings import change_settings
from waypost.fleet.texts import Label

GroupId = Annotated[int, msgspec.Meta(ge=0)]


class TrackerSettings(msgspec.Struct):
    """What a tracker is called, and its group; 0: none."""

    label: str
    group_id: int


class SettingsReply(msgspec.Struct):
    settings: TrackerSettings


@user_action("tracker/settings/read", tracker=Own(live=True))
async def read(call: UserCall, tracker: TrackerRow) -> SettingsReply:
    """Label and group of a tracker."""
    return SettingsReply(TrackerSettings(tracker.label, tracker.group_id or 0))


@user_action(
    "tracker/settings/update", right="tracker_update", tracker=Own(live=True), errors=[204]
)
async def update(call: UserCall, tracker: TrackerRow, group_id: GroupId, label: Label) -> None:
    """Changes label and group of a tracker."""
    if "<" in label or ">" in label:
        raise invalid("label", "must not contain < or >")
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await change_settings(write, tracker, label, group_id)
