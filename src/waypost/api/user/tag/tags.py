"""``tag/*``: an account's tags."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Int
from waypost.api.reply import Identified, Listed
from waypost.fleet import tags
from waypost.fleet.tags import Tag
from waypost.fleet.texts import Color, Label
from waypost.fleet.tracker_view import tracker_object
from waypost.fleet.vehicles import list_vehicles
from waypost.text import PRINTABLE

EntityType = Literal["place", "task", "task_schedule", "employee", "vehicle", "zone", "tracker"]
TagIds = Annotated[list[int], msgspec.Meta(min_length=1, max_length=100)]

FileName = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Filter = Annotated[str, msgspec.Meta(min_length=3, max_length=60)]


class NewTag(msgspec.Struct):
    """A tag as given; ``id`` says which one is to be changed."""

    name: Label
    color: Color
    avatar_file_name: FileName | None = None
    id: Int | None = None


@user_action("tag/list")
async def list_(call: UserCall, filter: Filter | None = None) -> Listed[Tag]:
    """The account's tags, or those with ``filter`` in their name."""
    async with call.services.database.read() as connection:
        return Listed(await tags.list_tags(connection, call.user.account_id, filter))


@user_action("tag/create", right="tag_update")
async def create(call: UserCall, tag: NewTag) -> Identified:
    """Makes a tag."""
    async with call.services.fleet.write() as write:
        made = await tags.create_tag(
            write, call.user.account_id, tag.name, tag.color, tag.avatar_file_name
        )
    return Identified(made)


@user_action("tag/update", right="tag_update", errors=[201])
async def update(call: UserCall, tag: NewTag) -> None:
    """Changes the tag ``tag.id``."""
    if tag.id is None:
        raise invalid("tag.id", "is required")
    changed = Tag(tag.id, tag.name, tag.color, tag.avatar_file_name)
    async with call.services.fleet.write() as write:
        await tags.update_tag(write, call.user.account_id, changed)


@user_action("tag/delete", right="tag_update", errors=[201])
async def delete(
    call: UserCall,
    tag_id: int | None = None,
    tag_ids: Annotated[list[int], msgspec.Meta(max_length=1000)] | None = None,
) -> None:
    """Deletes one tag, or several, of which unknown ones are passed over; they come off all
    trackers."""
    if (tag_id is None) == (tag_ids is None):
        raise invalid("tag_id", "exactly one of tag_id and tag_ids is required")
    async with call.services.fleet.write() as write:
        wanted = [tag_id] if tag_id is not None else tag_ids or []
        gone = await tags.delete_tags(write, call.user.account_id, wanted)
        if tag_id is not None and not gone:
            raise ApiError(201)


class Found(msgspec.Struct):
    """What has the tags, by type of entity."""

    result: dict[EntityType, list[Any]]


@user_action("tag/search")
async def search(
    call: UserCall, tag_ids: TagIds, entity_types: list[EntityType] | None = None
) -> Found:
    """What has all of these tags: trackers and vehicles; there are no tagged entities of other
    types."""
    found: dict[EntityType, list[Any]] = {
        one: [] for one in dict.fromkeys(entity_types or get_args(EntityType))
    }
    wanted = set(tag_ids)
    if "tracker" in found:
        garage = await call.services.fleet.trackers.of_user(call.user)
        found["tracker"] = [
            tracker_object(row)
            for row in garage.trackers
            if wanted <= {binding.tag_id for binding in row.tag_bindings}
        ]
    if "vehicle" in found:
        async with call.services.database.read() as connection:
            found["vehicle"] = await list_vehicles(
                connection, call.user.account_id, tagged=sorted(wanted)
            )
    return Found(found)
