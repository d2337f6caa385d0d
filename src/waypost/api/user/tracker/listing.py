"""``tracker/list`` and ``tracker/read``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import invalid
from waypost.api.reply import Encoded, Listed, Value
from waypost.fleet.rows import TrackerRow
from waypost.fleet.tracker_view import TrackerObject, tracker_object

_encode = msgspec.json.Encoder().encode

Filter = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Labels = Annotated[list[Filter], msgspec.Meta(min_length=1, max_length=1024)]


@user_action("tracker/list")
async def list_(call: UserCall, labels: Labels | None = None) -> Encoded[Listed[TrackerObject]]:
    """All trackers that the user sees; with ``labels``, those whose label contains one of them, in
    whatever case."""
    garage = await call.services.fleet.trackers.of_user(call.user)
    if labels is None:
        if garage.list_body is None:
            items = _encode([tracker_object(row) for row in garage.trackers])
            garage.list_body = b'{"success":true,"list":%b}' % items
        return Encoded([garage.list_body])
    if len(set(labels)) < len(labels):
        raise invalid("labels", "must not hold an item twice")
    wanted = [label.casefold() for label in labels]
    rows = [row for row in garage.trackers if any(part in row.label.casefold() for part in wanted)]
    return Encoded(
        [b'{"success":true,"list":', _encode([tracker_object(row) for row in rows]), b"}"]
    )


@user_action("tracker/read", tracker=Own())
async def read(call: UserCall, tracker: TrackerRow) -> Value[TrackerObject]:
    """One tracker."""
    return Value(tracker_object(tracker))
