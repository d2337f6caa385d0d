"""``subuser/tracker/*``: which trackers a sub-user sees."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.accounts import subusers
from waypost.accounts.subusers import check_feature
from waypost.api.action import UserCall, user_action
from waypost.api.reply import Listed

TrackerIds = Annotated[list[int], msgspec.Meta(max_length=10_000)]


@user_action("subuser/tracker/bind", right="admin", errors=[201, 236, 262])
async def bind(call: UserCall, subuser_id: int, trackers: TrackerIds) -> None:
    """Lets a sub-user see these trackers too."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.find(connection, call.user.id, subuser_id)
        await subusers.check_trackers(connection, call.user.id, trackers)
        await subusers.bind(connection, subuser_id, trackers)
    call.services.accounts.sessions.forget_user(subuser_id)


@user_action("subuser/tracker/unbind", right="admin", errors=[201, 236, 262])
async def unbind(call: UserCall, subuser_id: int, trackers: TrackerIds) -> None:
    """Takes these trackers from a sub-user's sight."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.find(connection, call.user.id, subuser_id)
        await subusers.check_trackers(connection, call.user.id, trackers)
        await subusers.unbind(connection, subuser_id, trackers)
    call.services.accounts.sessions.forget_user(subuser_id)


@user_action("subuser/tracker/list", right="admin", errors=[201, 236])
async def list_(call: UserCall, subuser_id: int) -> Listed[int]:
    """Ids of the trackers that a sub-user sees."""
    async with call.services.database.read() as connection:
        await check_feature(connection, call.user.id)
        await subusers.find(connection, call.user.id, subuser_id)
        return Listed(await subusers.trackers_of(connection, subuser_id))
