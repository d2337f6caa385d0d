"""``tracker/register``, ``register_quick``, ``register_retry``, ``corrupt``, ``delete``: devices
come and go."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.apn import Apn, apn_of
from waypost.api.errors import ApiError
from waypost.api.reply import Value
from waypost.billing.bundles import find_bundle
from waypost.fleet.clones import delete_clone
from waypost.fleet.corrupt import corrupt as give_up
from waypost.fleet.register import NewDevice
from waypost.fleet.register import register as register_device
from waypost.fleet.registration import has_gsm, retry
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Code, Email, Iccid, Label
from waypost.fleet.tracker_view import TrackerObject, tracker_object

GroupId = Annotated[int, msgspec.Meta(ge=0)]


@user_action(
    "tracker/register",
    right="tracker_register",
    errors=[204, 220, 221, 222, 223, 224, 225, 226, 227, 258],
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
    iccid: Iccid | None = None,
    notification_email: Email | None = None,
    notification_phone: Code | None = None,
    send_register_commands: bool | None = None,
) -> Value[TrackerObject]:
    """Registers a device. One that is connected already, and was waiting in the inbox, is taken up
    at once. Commands that set a device up travel by SMS; without a provider they have failed, and
    the device is registered all the same."""
    new = NewDevice(
        label=label,
        model=model,
        device_id=device_id,
        phone=phone,
        group_id=group_id,
        plugin_id=plugin_id,
        activation_code=activation_code,
        apn=apn_of(apn_name, apn_user, apn_password),
        iccid=iccid,
        send_commands=send_register_commands,
        notify_email=notification_email,
        notify_phone=notification_phone,
    )
    return Value(await _register(call, new))


@user_action(
    "tracker/register_quick",
    right="tracker_register",
    errors=[201, 204, 220, 221, 222, 223, 224, 225, 226, 227],
)
async def register_quick(
    call: UserCall,
    label: Label,
    group_id: GroupId,
    imei: Code,
    iccid: Iccid | None = None,
    activation_code: Code | None = None,
) -> Value[TrackerObject]:
    """Registers a device that the dealer sells ready for use, by its IMEI alone. It gets no
    commands by SMS."""
    async with call.services.database.read() as connection:
        bundle = await find_bundle(connection, call.user.dealer_id, imei)
    if bundle is None:
        raise ApiError(201)
    new = NewDevice(
        label=label,
        model=bundle.model_code,
        device_id=imei,
        group_id=group_id,
        activation_code=activation_code,
        iccid=iccid,
        by_sms=False,
    )
    return Value(await _register(call, new))


async def _register(call: UserCall, new: NewDevice) -> TrackerObject:
    async with call.services.fleet.write() as write:
        row = await register_device(
            call.outbox(write),
            call.user.account_id,
            new,
            subuser_id=None if call.user.is_master else call.user.id,
        )
    return tracker_object(row)


@user_action(
    "tracker/register_retry",
    right="tracker_register",
    tracker=Own(device="device_id", live=True, clone=False, supports=has_gsm),
    errors=[242],
)
async def register_retry(
    call: UserCall,
    tracker: TrackerRow,
    apn_name: Apn,
    apn_user: Apn,
    apn_password: Apn,
    send_register_commands: bool | None = None,
) -> Value[TrackerObject]:
    """Sends the commands that set a device up once more, until it has connected."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        apn = apn_of(apn_name, apn_user, apn_password)
        await retry(call.outbox(write), tracker, apn, send_register_commands)
    return Value(tracker_object(tracker))


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
        tracker = await call.locked(write, tracker)
        await give_up(call.outbox(write), tracker, with_clones=True, if_connected=False)


@user_action("tracker/delete", right="admin", tracker=Own(clone=True), errors=[203])
async def delete(call: UserCall, tracker: TrackerRow) -> None:
    """Takes a clone out of the account."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await delete_clone(write, tracker)
