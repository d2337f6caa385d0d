"""``tracker/settings/tracking/*``, ``tracker/settings/special/*``, ``tracker/send_command``,
``tracker/settings/confirmation/list``: what is configured on devices."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.reply import Listed
from waypost.fleet import device_settings
from waypost.fleet.device_settings import SPECIAL, TRACKING
from waypost.fleet.rows import TrackerRow
from waypost.fleet.telling import cannot_tell
from waypost.fleet.texts import Code
from waypost.fleet.tracker_view import TrackerObject, tracker_object

Object = dict[str, Any]


class TrackingSettings(msgspec.Struct):
    """``not_sent`` is there only where the settings are kept and the device cannot be told them,
    and says why."""

    value: Object
    not_sent: str | msgspec.UnsetType = msgspec.UNSET


class Kept(msgspec.Struct):
    """Likewise."""

    not_sent: str | msgspec.UnsetType = msgspec.UNSET


def _not_sent(tracker: TrackerRow, kind: str) -> str | msgspec.UnsetType:
    return cannot_tell(tracker, kind) or msgspec.UNSET


@user_action(
    "tracker/settings/tracking/read",
    tracker=Own(live=True, supports=device_settings.has_tracking),
)
async def read_tracking(call: UserCall, tracker: TrackerRow) -> TrackingSettings:
    """How the device tracks, as it was set last. Which fields there are depends on the model's
    tracking profile (``track_control``)."""
    async with call.services.database.read() as connection:
        found = await device_settings.tracking_of(connection, tracker)
    return TrackingSettings(found, _not_sent(tracker, TRACKING))


@user_action(
    "tracker/settings/tracking/update",
    right="tracker_configure",
    tracker=Own(live=True, clone=False, supports=device_settings.has_tracking),
)
async def update_tracking(call: UserCall, tracker: TrackerRow, tracking_settings: Object) -> Kept:
    """Sets how the device tracks; it is told when it connects."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.change_tracking(call.outbox(write), tracker, tracking_settings)
    return Kept(_not_sent(tracker, TRACKING))


class SpecialReply(msgspec.Struct):
    """``value`` where a type was asked for, else ``list``."""

    value: Object | msgspec.UnsetType = msgspec.UNSET
    items: list[Object] | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="list")
    not_sent: str | msgspec.UnsetType = msgspec.UNSET


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
    reason = _not_sent(tracker, SPECIAL)
    if type is not None:
        return SpecialReply(value=found[type], not_sent=reason)
    return SpecialReply(items=list(found.values()), not_sent=reason)


@user_action(
    "tracker/settings/special/update",
    right="tracker_configure",
    tracker=Own(live=True, clone=False, supports=device_settings.has_special),
    errors=[214],
)
async def update_special(call: UserCall, tracker: TrackerRow, value: Object) -> Kept:
    """Sets one type of special settings, named by ``value.type``; the device is told when it
    connects."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.change_special(call.outbox(write), tracker, value, "value")
    return Kept(_not_sent(tracker, SPECIAL))


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


class Confirmation(msgspec.Struct, kw_only=True):
    """One group of settings: ``name`` is tracking, led, or a type of special settings."""

    name: str
    #: As people set it last, or the model's first values, and when somebody set it.
    wanted: Object
    changed: str | None
    #: What the device acknowledged last, and when; null: nothing.
    confirmed: Object | None
    confirmed_time: str | None
    #: Fields that the device has not confirmed as they are wanted.
    different: list[str]
    #: ``default`` (nobody set it), ``kept`` (the device cannot be told), or the state of the
    #: command that carries it: queued, sent, acknowledged, expired, failed, cancelled.
    state: str
    error: str | None


@user_action("tracker/settings/confirmation/list", tracker=Own(live=True))
async def list_confirmations(call: UserCall, tracker: TrackerRow) -> Listed[Confirmation]:
    """What is wanted of the device beside what it has confirmed, for all settings that its model
    has."""
    async with call.services.database.read() as connection:
        found = await device_settings.confirmations(connection, tracker)
    return Listed(
        [
            Confirmation(
                name=one.name,
                wanted=one.wanted,
                changed=call.time_or_none(one.changed_at),
                confirmed=one.confirmed,
                confirmed_time=call.time_or_none(one.confirmed_at),
                different=one.different,
                state=one.state,
                error=one.error,
            )
            for one in found
        ]
    )
