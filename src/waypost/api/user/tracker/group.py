"""``tracker/group/*``: how an account sorts its trackers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError
from waypost.api.reply import Identified, Listed
from waypost.fleet import groups
from waypost.fleet.groups import Group
from waypost.fleet.texts import Color, Label

GroupId = Annotated[int, msgspec.Meta(ge=0)]
TrackerIds = Annotated[list[int], msgspec.Meta(max_length=10_000)]


@user_action("tracker/group/list")
async def list_(call: UserCall) -> Listed[Group]:
    """All groups of the account. The unnamed group 0, of those in no group, is not among them."""
    async with call.services.database.read() as connection:
        return Listed(await groups.list_groups(connection, call.user.account_id))


@user_action("tracker/group/create", right="admin")
async def create(call: UserCall, title: Label, color: Color) -> Identified:
    """Makes an empty group."""
    async with call.services.fleet.write() as write:
        made = await groups.create_group(write, call.user.account_id, title, color)
    return Identified(made)


@user_action("tracker/group/update", right="admin", errors=[201])
async def update(call: UserCall, id: GroupId, title: Label, color: Color) -> None:
    """Changes a group."""
    async with call.services.fleet.write() as write:
        await groups.update_group(write, call.user.account_id, id, title, color)


@user_action("tracker/group/delete", right="admin", errors=[201])
async def delete(call: UserCall, id: GroupId) -> None:
    """Deletes a group; its trackers are in none from then on."""
    async with call.services.fleet.write() as write:
        await groups.delete_group(write, call.user.account_id, id)


@user_action("tracker/group/assign", right="admin", errors=[201, 217])
async def assign(call: UserCall, id: GroupId, trackers: TrackerIds) -> None:
    """Puts trackers into a group, or with id 0 into none."""
    fleet = call.services.fleet
    garage = await fleet.trackers.of_user(call.user)
    async with fleet.write() as write:
        await groups.need_group(write.connection, call.user.account_id, id, 201)
        for tracker_id in trackers:
            row = garage.by_id.get(tracker_id)
            if row is None or row.blocked:
                raise ApiError(217)
        await groups.assign_group(write, call.user.account_id, id, trackers)
