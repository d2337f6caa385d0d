"""Calls that name several trackers of the caller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from waypost.api.action import UserCall
from waypost.api.errors import ApiError
from waypost.fleet.rows import TrackerRow

TrackerIds = Annotated[list[int], msgspec.Meta(max_length=10_000)]

#: Trackers in one call, where the documents do not say how many.
MOST = 500


async def named_trackers(
    call: UserCall, tracker_ids: Iterable[int], most: int | None = MOST
) -> list[TrackerRow]:
    """The trackers in the order named, each once. Raises :class:`ApiError`: 221 for too many, 217
    where one is not the caller's or is blocked."""
    wanted = list(dict.fromkeys(tracker_ids))
    if most is not None and len(wanted) > most:
        raise ApiError(221)
    garage = await call.services.fleet.trackers.of_user(call.user)
    rows: list[TrackerRow] = []
    for tracker_id in wanted:
        row = garage.by_id.get(tracker_id)
        if row is None or row.blocked:
            raise ApiError(217)
        rows.append(row)
    return rows
