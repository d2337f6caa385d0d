"""``tracker/replace``, ``replace_quick``, ``replace_retry``, ``change_phone``: another device, or
another SIM card."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.apn import Apn, apn_of
from waypost.api.errors import ApiError
from waypost.api.reply import Value
from waypost.billing.bundles import find_bundle
from waypost.catalog import models
from waypost.fleet.owners import load_owner
from waypost.fleet.phone import change_phone as give_phone
from waypost.fleet.register import NewDevice
from waypost.fleet.registration import has_gsm, retry
from waypost.fleet.replace import need_replaced
from waypost.fleet.replace import replace as replace_device
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Code, Iccid
from waypost.fleet.tracker_view import TrackerObject, tracker_object

GroupId = Annotated[int, msgspec.Meta(ge=0)]
REPLACEABLE = Own(live=True, clone=False, activated=True)


@user_action(
    "tracker/replace",
    right="tracker_configure",
    tracker=REPLACEABLE,
    errors=[204, 220, 221, 222, 223, 224, 225, 226, 258],
)
async def replace(
    call: UserCall,
    tracker: TrackerRow,
    model: Code,
    plugin_id: int,
    device_id: Code | None = None,
    group_id: GroupId | None = None,
    phone: Code | None = None,
    apn_name: Apn | None = None,
    apn_user: Apn | None = None,
    apn_password: Apn | None = None,
    iccid: Iccid | None = None,
    send_register_commands: bool | None = None,
) -> Value[TrackerObject]:
    """Puts another device in the place of one that has been in use. The tracker keeps its id, its
    history, sensors, rules and settings; the old device can be registered anew."""
    new = NewDevice(
        label=tracker.label,
        model=model,
        device_id=device_id,
        phone=phone,
        plugin_id=plugin_id,
        apn=apn_of(apn_name, apn_user, apn_password),
        iccid=iccid,
        send_commands=send_register_commands,
    )
    return Value(await _replace(call, tracker, new, group_id))


@user_action(
    "tracker/replace_quick",
    right="tracker_configure",
    tracker=REPLACEABLE,
    errors=[204, 220, 221, 222, 223, 224, 225, 226],
)
async def replace_quick(
    call: UserCall,
    tracker: TrackerRow,
    imei: Code,
    group_id: GroupId | None = None,
    iccid: Iccid | None = None,
) -> Value[TrackerObject]:
    """The same with a device that the dealer sells ready for use, named by its IMEI alone. It gets
    no commands by SMS."""
    async with call.services.database.read() as connection:
        bundle = await find_bundle(connection, call.user.dealer_id, imei)
    if bundle is None:
        raise ApiError(201)
    model = models.model(bundle.model_code)
    if model is not None and model.mobile:
        raise ApiError(222)
    new = NewDevice(
        label=tracker.label,
        model=bundle.model_code,
        device_id=imei,
        iccid=iccid,
        by_sms=False,
    )
    return Value(await _replace(call, tracker, new, group_id))


async def _replace(
    call: UserCall, tracker: TrackerRow, new: NewDevice, group_id: int | None
) -> TrackerObject:
    async with call.services.fleet.write() as write:
        owner = await load_owner(write.connection, call.user.account_id)
        tracker = await call.locked(write, tracker)
        row = await replace_device(call.outbox(write), tracker, owner, new, group_id=group_id)
    return tracker_object(row)


@user_action(
    "tracker/replace_retry",
    right="tracker_configure",
    tracker=Own(missing=204, live=True, clone=False, supports=has_gsm),
    errors=[242, 266],
)
async def replace_retry(
    call: UserCall, tracker: TrackerRow, apn_name: Apn, apn_user: Apn, apn_password: Apn
) -> Value[TrackerObject]:
    """Sends the commands that set the new device up once more, until it has connected."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        need_replaced(tracker)
        apn = apn_of(apn_name, apn_user, apn_password)
        await retry(call.outbox(write), tracker, apn, None)
    return Value(tracker_object(tracker))


@user_action(
    "tracker/change_phone",
    right="tracker_configure",
    tracker=Own(live=True, clone=False, supports=has_gsm),
    errors=[223, 241],
)
async def change_phone(
    call: UserCall,
    tracker: TrackerRow,
    phone: Code,
    apn_name: Apn | None = None,
    apn_user: Apn | None = None,
    apn_password: Apn | None = None,
) -> None:
    """Another SIM card is in the device. What is left out of its access point stays as it is."""
    given = {"name": apn_name, "user": apn_user, "password": apn_password}
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        apn = {key: text for key, text in given.items() if text is not None}
        await give_phone(call.outbox(write), tracker, phone, apn)
