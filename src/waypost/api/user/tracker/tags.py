"""``tracker/tags/set``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import invalid
from waypost.api.params import Int
from waypost.fleet import tags
from waypost.fleet.rows import TagBinding, TrackerRow


class Binding(msgspec.Struct):
    """A tag and its place on the tracker."""

    tag_id: Int
    ordinal: Annotated[int, msgspec.Meta(ge=1, le=tags.ORDINALS)]


Bindings = Annotated[list[Binding], msgspec.Meta(max_length=tags.ORDINALS)]


@user_action("tracker/tags/set", right="tracker_update", tracker=Own(live=True), errors=[217])
async def set_(call: UserCall, tracker: TrackerRow, tag_bindings: Bindings) -> None:
    """Gives a tracker exactly these tags."""
    if len({one.tag_id for one in tag_bindings}) < len(tag_bindings):
        raise invalid("tag_bindings", "must not hold a tag twice")
    if len({one.ordinal for one in tag_bindings}) < len(tag_bindings):
        raise invalid("tag_bindings", "must not hold an ordinal twice")
    bindings = [TagBinding(one.tag_id, one.ordinal) for one in tag_bindings]
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await tags.set_tags(write, tracker, call.user.account_id, bindings)
