"""``apn_settings/read``."""

from __future__ import annotations

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.reply import Value
from waypost.api.user.tracker.apn import ApnSettings
from waypost.fleet.phone import apn_of_number
from waypost.fleet.texts import Code


@user_action("apn_settings/read", errors=[201])
async def read(call: UserCall, phone: Code) -> Value[ApnSettings]:
    """The access point that a device of the account with this phone number uses."""
    async with call.services.database.read() as connection:
        apn = await apn_of_number(connection, call.user.account_id, phone)
    if apn is None:
        raise ApiError(201)
    return Value(ApnSettings(**{name: apn.get(name, "") for name in ("name", "user", "password")}))
