"""``tracker/settings/tracking/*``, ``tracker/settings/special/*``, ``tracker/send_command``: what
is configured on devices."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.reply import Listed, Value
from waypost.fleet import device_settings
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Code
from waypost.fleet.tracker_view import TrackerObject, tracker_object

Object = dict[str, Any]


@user_action(
    "tracker/settings/tracking/read",
    tracker=Own(live=True, supports=device_settings.has_tracking),
)
async def read_tracking(call: UserCall, tracker: TrackerRow) -> Value[Object]:
    """How the device tracks, as it was set last. Which fields there are depends on the model's
    tracking profile (``track_control``)."""
    async with call.services.database.read() as connection:
        return Value(await device_settings.tracking_of(connection, tracker))


@user_action(
    "tracker/settings/tracking/update",
    right="tracker_configure",
    tracker=Own(live=True, clone=False, supports=device_settings.has_tracking),
)
async def update_tracking(call: UserCall, tracker: TrackerRow, tracking_settings: Object) -> None:
    """Sets how the device tracks; it is told when it connects."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.change_tracking(call.outbox(write), tracker, tracking_settings)


class SpecialReply(msgspec.Struct):
    """``value`` where a type was asked for, else ``list``."""

    value: Object | msgspec.UnsetType = msgspec.UNSET
    items: list[Object] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="list")


@user_action(
    "tracker/settings/special/read",
    tracker=Own(live=True, supports=device_settings.has_special),
    errors=[214],
)
async def read_special(
    call: UserCall, tracker: TrackerRow, type: Code | None = None
) -> SpecialReply:
    """Special settings of the device, of one ``type`` or of all that its model has
    (``special_control``)."""
    async with call.services.database.read() as connection:
        found = await device_settings.special_of(connection, tracker, type)
    if type is not None:
        return SpecialReply(value=found[type])
    return SpecialReply(items=list(found.values()))


@user_action(
    "tracker/settings/special/update",
    right="tracker_configure",
    tracker=Own(live=True, clone=False, supports=device_settings.has_special),
    errors=[214],
)
async def update_special(call: UserCall, tracker: TrackerRow, value: Object) -> None:
    """Sets one type of special settings, named by ``value.type``; the device is told when it
    connects."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.change_special(call.outbox(write), tracker, value, "value")


@user_action(
    "tracker/send_command",
    rights=("tracker_configure", "tracker_set_output"),
    tracker=Own(live=True, clone=False, supports=device_settings.has_special),
    errors=[214],
)
async def send_command(
    call: UserCall, tracker: TrackerRow, command: Object
) -> Listed[TrackerObject]:
    """Special control of the device: ``set_special_settings_command``, and for locks
    ``electronic_lock_command`` with ``command_code`` seal or unseal."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.command_special(call.outbox(write), tracker, command)
    return Listed([tracker_object(tracker)])
