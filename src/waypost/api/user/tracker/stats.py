"""``tracker/stats/*``: what trackers did in a period."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import ApiError
from waypost.api.params import Moment
from waypost.api.reply import Value
from waypost.fleet.counters import state_of
from waypost.fleet.rows import TrackerRow
from waypost.fleet.stats import engine_hours, mileage_by_day
from waypost.fleet.tracks import period

#: Trackers in one call.
MOST = 128


class DayMileage(msgspec.Struct):
    """Kilometres of a day."""

    mileage: float


class Mileage(msgspec.Struct):
    """By tracker id and day. ``limit_exceeded``: the period begins before what is kept of a
    tracker."""

    result: dict[str, dict[str, DayMileage]]
    limit_exceeded: bool


@user_action("tracker/stats/mileage/read", errors=[211, 217, 221])
async def mileage_read(call: UserCall, trackers: TrackerIds, from_: Moment, to: Moment) -> Mileage:
    """Kilometres that trackers travelled, day by day in the user's time zone."""
    services = call.services
    rows = await named_trackers(call, trackers, MOST)
    longest = services.settings.track_days
    spans = [period(row, from_, to, call.now, longest) for row in rows]
    result: dict[str, dict[str, DayMileage]] = {}
    for row, span in zip(rows, spans, strict=True):
        days = await mileage_by_day(services.points, row, span, call.user.zone)
        result[str(row.id)] = {
            day.isoformat(): DayMileage(round(length, 2)) for day, length in days.items()
        }
    return Mileage(result, any(span.limit_exceeded for span in spans))


@user_action(
    "tracker/stats/engine_hours/read",
    tracker=Own(missing=204, live=True, clone=False),
    errors=[211, 214],
)
async def engine_hours_read(
    call: UserCall, tracker: TrackerRow, from_: Moment, to: Moment
) -> Value[float]:
    """Hours for which the ignition was on. 214 where neither a sensor nor the device says whether
    it is."""
    if tracker.folding.ignition is None:
        state = await state_of(call.services.fleet, tracker.source_id)
        if state is None or state.ignition is None:
            raise ApiError(214)
    span = period(tracker, from_, to, call.now, call.services.settings.track_days)
    hours = await engine_hours(call.services.points, tracker, span)
    return Value(round(hours, 4))
