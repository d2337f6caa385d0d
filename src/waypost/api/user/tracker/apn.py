"""``tracker/apn_settings/read``: the access point of a device's SIM card."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.reply import Value
from waypost.fleet.phone import apn_of, has_own_sim
from waypost.fleet.rows import TrackerRow


class ApnSettings(msgspec.Struct):
    """Name, user and password of an access point; empty where it has none."""

    name: str
    user: str
    password: str


@user_action(
    "tracker/apn_settings/read", tracker=Own(live=True, supports=has_own_sim), errors=[201]
)
async def read(call: UserCall, tracker: TrackerRow) -> Value[ApnSettings]:
    """The access point that was given for the device's SIM card."""
    async with call.services.database.read() as connection:
        apn = await apn_of(connection, tracker.source_id)
    if apn is None:
        raise ApiError(201)
    return Value(ApnSettings(**{name: apn.get(name, "") for name in ("name", "user", "password")}))
