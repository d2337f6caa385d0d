"""``tracker/settings/trip_detection/*`` and ``settings/lbs/*``: what the platform makes of a
device's positions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.fleet.foldings import LBS, LBS_RADIUS, TRIP_DETECTION, TripDetection
from waypost.fleet.rows import TrackerRow
from waypost.fleet.source_settings import change_setting

Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Speed = Annotated[int, msgspec.Meta(ge=0, le=200)]
Radius = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class LbsSettings(msgspec.Struct):
    """Metres of uncertainty up to which positions by the mobile network count."""

    max_radius: int


@user_action("tracker/settings/trip_detection/read", tracker=Own(missing=204, live=True))
async def trip_detection_read(call: UserCall, tracker: TrackerRow) -> TripDetection:
    """What ends a trip."""
    folding = tracker.folding
    return TripDetection(
        folding.idle_ms // 60_000,
        int(folding.min_speed),
        folding.ignition_aware,
        folding.motion_aware,
    )


@user_action(
    "tracker/settings/trip_detection/update",
    right="tracker_update",
    tracker=Own(missing=204, live=True),
)
async def trip_detection_update(
    call: UserCall,
    tracker: TrackerRow,
    min_idle_duration_minutes: Minutes,
    idle_speed_threshold: Speed,
    ignition_aware: bool,
    motion_sensor_aware: bool,
) -> None:
    """A trip ends after so many minutes without a speed of ``idle_speed_threshold`` km/h (0: it
    never stands). Where the ignition or the motion sensor is heeded, it stands for sure while they
    are off, and does not park while one is on."""
    wanted = TripDetection(
        min_idle_duration_minutes, idle_speed_threshold, ignition_aware, motion_sensor_aware
    )
    value = msgspec.to_builtins(wanted) if wanted != TripDetection() else None
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        await change_setting(write, row.source_id, TRIP_DETECTION, value)


@user_action("tracker/settings/lbs/read", tracker=Own(missing=204, live=True))
async def lbs_read(call: UserCall, tracker: TrackerRow) -> LbsSettings:
    """How uncertain positions by the mobile network may be."""
    radius = tracker.folding.lbs_radius
    return LbsSettings(LBS_RADIUS if radius is None else radius)


@user_action(
    "tracker/settings/lbs/update",
    right="tracker_update",
    tracker=Own(missing=204, live=True),
)
async def lbs_update(call: UserCall, tracker: TrackerRow, max_radius: Radius) -> None:
    """Positions by the mobile network that are less certain than ``max_radius`` metres are passed
    over."""
    async with call.services.fleet.write() as write:
        row = await call.locked(write, tracker)
        await change_setting(write, row.source_id, LBS, {"max_radius": max_radius})
