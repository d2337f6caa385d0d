"""Movement: is it moving, stopped or parked, from fixes by satellites, in whatever order.

The rule is trip detection's: faster than ``MIN_SPEED`` is moving; standing for less than
``IDLE_MS`` is stopped, longer is parked. Where trip detection heeds the ignition or the motion
sensor, these have a say: who says "off" stands whatever the speed, who says "on" does not park.
"""

from __future__ import annotations

from typing import Literal

import msgspec

#: Trip detection's defaults: km/h, and milliseconds without movement that end a trip.
MIN_SPEED = 3.0
IDLE_MS = 5 * 60 * 1000

Movement = Literal["moving", "stopped", "parked"]


class Motion(msgspec.Struct, array_like=True, gc=False):
    """What is remembered of movement; all times are those of fixes."""

    #: The newest fix, and whether it was moving.
    time: int | None = None
    moving: bool = False
    #: The newest fix that was moving: when the last track was last updated.
    last_moving: int | None = None
    #: When the present moving, or standing, began.
    since: int | None = None
    #: It stands, but something (its ignition) says that it is not parked.
    kept: bool = False


def move(
    motion: Motion,
    time: int,
    speed: float,
    is_moving: bool | None = None,
    *,
    min_speed: float = MIN_SPEED,
    still: bool = False,
    kept: bool = False,
) -> bool:
    """Takes a fix at ``time`` with ``speed`` km/h in; ``is_moving`` is the device's own word,
    which counts for a start but not for a crawl that it calls moving while it stands. ``still``:
    it stands, whatever the speed; ``kept``: it is not parked, even where it stands. Says whether
    the fix is moving."""
    moving = speed >= min_speed
    if not moving and is_moving and speed > 0:
        moving = True
    if still:
        moving = False
    if moving and (motion.last_moving is None or time > motion.last_moving):
        motion.last_moving = time
    if motion.time is not None and time < motion.time:
        return moving
    if motion.since is None or moving != motion.moving or (motion.kept and not (kept or moving)):
        motion.since = time
    motion.time = time
    motion.moving = moving
    motion.kept = kept
    return moving


def movement(motion: Motion, now: int, *, idle_ms: int = IDLE_MS) -> tuple[Movement, int | None]:
    """The movement status at ``now`` and since when it holds (ms; None: no fix yet)."""
    if motion.time is None:
        return "parked", None
    since = motion.since if motion.since is not None else motion.time
    if motion.moving:
        if now - motion.time < idle_ms:
            return "moving", since
        return "parked", motion.time + idle_ms
    if motion.kept:
        if now - motion.time < idle_ms:
            return "stopped", since
        return "parked", motion.time + idle_ms
    if motion.last_moving is not None and now - since < idle_ms:
        return "stopped", since
    if motion.last_moving is None:
        return "parked", since
    return "parked", since + idle_ms


def next_change(motion: Motion, now: int, *, idle_ms: int = IDLE_MS) -> int | None:
    """When the status changes by time alone (ms), or None."""
    if motion.time is None:
        return None
    start = motion.time if motion.moving or motion.kept else motion.since
    if start is None or not (motion.moving or motion.kept or motion.last_moving is not None):
        return None
    end = start + idle_ms
    return end if end > now else None
