"""``tracker/register``, ``corrupt``, ``delete``: devices come and go."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.params import EmptyText
from waypost.api.reply import Value
from waypost.fleet.clones import delete_clone
from waypost.fleet.corrupt import corrupt as give_up
from waypost.fleet.register import NewDevice
from waypost.fleet.register import register as register_device
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Label
from waypost.fleet.tracker_view import TrackerObject, tracker_object
from waypost.text import PRINTABLE

Code = Annotated[str, msgspec.Meta(max_length=100, pattern=PRINTABLE)]
Apn = Annotated[EmptyText, msgspec.Meta(max_length=40, pattern=PRINTABLE)]
GroupId = Annotated[int, msgspec.Meta(ge=0)]


@user_action(
    "tracker/register",
    right="tracker_register",
    errors=[204, 220, 221, 222, 223, 224, 225, 227],
)
async def register(
    call: UserCall,
    label: Label,
    group_id: GroupId,
    model: Code,
    plugin_id: int,
    device_id: Code | None = None,
    phone: Code | None = None,
    apn_name: Apn | None = None,
    apn_user: Apn | None = None,
    apn_password: Apn | None = None,
    activation_code: Code | None = None,
    send_register_commands: bool | None = None,
) -> Value[TrackerObject]:
    """Registers a device. One that is connected already, and was waiting in the inbox, is taken up
    at once. Commands that set a device up travel by SMS: without a provider none are sent."""
    apn = {"name": apn_name, "user": apn_user, "password": apn_password}
    new = NewDevice(
        label=label,
        model=model,
        device_id=device_id,
        phone=phone,
        group_id=group_id,
        plugin_id=plugin_id,
        activation_code=activation_code,
        apn={name: text for name, text in apn.items() if text} or None,
    )
    fleet = call.services.fleet
    async with fleet.write() as write:
        row = await register_device(
            write,
            call.user.account_id,
            new,
            call.services.settings,
            call.now,
            subuser_id=None if call.user.is_master else call.user.id,
        )
    return Value(tracker_object(row))


@user_action(
    "tracker/corrupt",
    right="tracker_register",
    tracker=Own(corrupted=252, live=True, clone=False),
    errors=[243],
)
async def corrupt(call: UserCall, tracker: TrackerRow) -> None:
    """Gives a device up that has never connected: its id and phone are free again, the tracker is
    gone."""
    async with call.services.fleet.write() as write:
        await give_up(write, tracker, call.now, with_clones=True, if_connected=False)


@user_action("tracker/delete", right="admin", tracker=Own(clone=True))
async def delete(call: UserCall, tracker: TrackerRow) -> None:
    """Takes a clone out of the account."""
    async with call.services.fleet.write() as write:
        await delete_clone(write, tracker)
