"""How the messages of one source are read, where it is not the common way: trip detection's
settings, sensors that say whether the ignition is on, counters. Pure.

A source with nothing of the kind has no :class:`Folding`, and its messages cost nothing more.
"""

from __future__ import annotations

import msgspec

from waypost.telemetry.counters import Counting
from waypost.telemetry.motion import IDLE_MS, MIN_SPEED
from waypost.telemetry.sensors import Ignition


class Folding(msgspec.Struct, frozen=True, kw_only=True):
    """What differs; a default is the common way."""

    #: Trip detection: km/h, and ms of standing that end a trip.
    min_speed: float = MIN_SPEED
    idle_ms: int = IDLE_MS
    #: Do the ignition and the motion sensor have a say?
    ignition_aware: bool = False
    motion_aware: bool = False
    #: Positions by the mobile network that are less certain are passed over, metres.
    lbs_radius: int | None = None
    #: Who says whether the ignition is on; None: the device itself.
    ignition: Ignition | None = None
    counters: tuple[Counting, ...] = ()

    @property
    def aware(self) -> bool:
        """Does anything but the speed have a say in movement?"""
        return self.ignition_aware or self.motion_aware

    def judge(self, ignition: bool | None, motion: bool | None) -> tuple[bool, bool]:
        """Whether it stands for sure, and whether it is kept from parking, by what ignition and
        motion sensor say (None: nothing). One that says "on" outweighs the other."""
        told = [
            word
            for heeded, word in ((self.ignition_aware, ignition), (self.motion_aware, motion))
            if heeded and word is not None
        ]
        kept = any(told)
        return bool(told) and not kept, kept

    def believes(self, precision: int | None) -> bool:
        """Is a position by the mobile network with this radius of uncertainty (m) good enough?"""
        return self.lbs_radius is None or precision is None or precision <= self.lbs_radius


COMMON = Folding()
