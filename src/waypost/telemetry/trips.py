"""Trips: where a source travelled and where it stood, from its positions in the order of time.

The rule is trip detection's: a trip begins with the first position that moves and ends once the
source has stood for ``IDLE_MS``. The first position of the stand is the trip's last. Silence ends a
trip too, unless the next position shows that it went on travelling meanwhile. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from waypost.telemetry.earth import kilometres
from waypost.telemetry.motion import IDLE_MS, MIN_SPEED

#: A longer silence ends a trip whatever came of it, ms.
SILENCE_MS = 30 * 60 * 1000
#: A standing source that is found this far from where it was has moved unseen, km.
DISPLACED = 0.3
#: The same where the position comes from the mobile network.
DISPLACED_LBS = 0.5
#: Trips below both bounds are noise: km, and positions.
SHORT_LENGTH = 0.1
SHORT_POINTS = 3
#: Single reports no farther apart than this make one cluster, km.
CLUSTER = 1.0


class Spot(msgspec.Struct, gc=False):
    """A position. ms, degrees, metres, km/h."""

    time: int
    latitude: float
    longitude: float
    altitude: float | None = None
    speed: float | None = None
    heading: int | None = None
    satellites: int | None = None
    precision: int | None = None
    #: Found by cells or Wi-Fi, not by satellites.
    lbs: bool = False
    buffered: bool = False
    event_id: int | None = None
    #: Belongs to no trip.
    parked: bool = False
    #: Where trip detection heeds more than the speed: it stands for sure, or its trip goes on
    #: though it is slow.
    still: bool = False
    kept: bool = False


class Trip(msgspec.Struct, gc=False):
    """A trip, or a single report of a source that shows itself now and then only."""

    first: Spot
    last: Spot
    points: int = 1
    #: km.
    length: float = 0.0
    #: km/h.
    max_speed: float = 0.0
    #: Found by satellites at all?
    gnss: bool = False
    north: float = -90.0
    south: float = 90.0
    east: float = -180.0
    west: float = 180.0
    events: int = 0
    #: Where they were asked for.
    spots: list[Spot] = []

    @property
    def single(self) -> bool:
        return self.points == 1

    @property
    def id(self) -> int:
        """Number of a trip among those of its source: the second it began."""
        return self.first.time // 1000

    @property
    def average_speed(self) -> float:
        """km/h; of a single report its own."""
        if self.single:
            return self.first.speed or 0.0
        hours = (self.last.time - self.first.time) / 3_600_000
        return self.length / hours if hours > 0 else self.max_speed

    @property
    def short(self) -> bool:
        """Too short to be a trip."""
        return not self.single and (
            self.length < SHORT_LENGTH / 2
            or (self.length < SHORT_LENGTH and self.points <= SHORT_POINTS)
        )


def distance(a: Spot, b: Spot) -> float:
    """Kilometres between two positions."""
    return kilometres(a.latitude, a.longitude, b.latitude, b.longitude)


class TripFinder:
    """Takes positions one by one, gives trips as they end. With ``collect`` they keep their
    positions, and what lies between trips is in :attr:`parked`."""

    def __init__(
        self,
        *,
        idle_ms: int = IDLE_MS,
        min_speed: float = MIN_SPEED,
        collect: bool = False,
    ) -> None:
        self._idle = idle_ms
        self._min_speed = min_speed
        self._collect = collect
        self._trip: Trip | None = None
        #: Positions of a stand that may yet turn out to be part of the trip, those by the mobile
        #: network among them, and since and until when satellites saw it stand.
        self._standing: list[Spot] = []
        self._stands_since: int | None = None
        self._stood_until = 0
        self._previous: Spot | None = None
        #: Where a single report was last seen by the mobile network.
        self._shown_lbs: Spot | None = None
        self.parked: list[Spot] = []

    def add(self, spot: Spot) -> list[Trip]:
        """The trips and single reports that end with this."""
        return self._add_lbs(spot) if spot.lbs else self._add_gnss(spot)

    def finish(self) -> list[Trip]:
        """The trip that was under way when the positions ended."""
        return self._close()

    def _add_gnss(self, spot: Spot) -> list[Trip]:
        previous, self._previous = self._previous, spot
        self._shown_lbs = spot
        gap = spot.time - previous.time if previous is not None else 0
        way = distance(previous, spot) if previous is not None else 0.0
        travelled = gap > 0 and way / (gap / 3_600_000) >= self._min_speed
        # A device that tells no speed, or none but 0, still gets about.
        mute = not spot.speed and (previous is None or not previous.speed)
        moving = not spot.still and (
            (spot.speed or 0.0) >= self._min_speed
            or (mute and travelled and way >= DISPLACED and gap <= SILENCE_MS)
        )
        if spot.kept and self._trip is not None:
            moving = travelled = True
        ended: list[Trip] = []
        if self._trip is not None and self._ends(gap, travelled, moving):
            ended = self._close()
        if self._trip is not None:
            if moving:
                for earlier in self._standing:
                    self._extend(earlier)
                self._standing.clear()
                self._stands_since = None
                self._extend(spot)
            else:
                self._standing.append(spot)
                self._stood_until = spot.time
                if self._stands_since is None:
                    self._stands_since = spot.time
                if spot.time - self._stands_since >= self._idle:
                    ended += self._close()
        elif moving:
            self._trip = _started(spot, self._collect)
        elif previous is not None and gap > SILENCE_MS and way >= DISPLACED:
            ended.append(_started(spot, self._collect))
        elif self._collect:
            self._park(spot)
        return ended

    def _ends(self, gap: int, travelled: bool, moving: bool) -> bool:
        """Does the trip end before this position?"""
        if gap > SILENCE_MS or (gap >= self._idle and not travelled):
            return True
        if moving and self._stands_since is not None:
            stood = self._stood_until - self._stands_since
            return stood + (0 if travelled else gap) >= self._idle
        return False

    def _add_lbs(self, spot: Spot) -> list[Trip]:
        ended: list[Trip] = []
        if self._trip is not None and self._previous is not None:
            if spot.time - self._previous.time <= SILENCE_MS:
                # Within a trip it is one more position of it; it says nothing about movement.
                self._standing.append(spot)
                return []
            ended = self._close()
        shown = self._shown_lbs
        radius = max(DISPLACED_LBS, (spot.precision or 0) / 1000)
        if shown is not None and distance(shown, spot) < radius:
            if self._collect:
                self._park(spot)
            return ended
        self._shown_lbs = spot
        return [*ended, _started(spot, self._collect)]

    def _extend(self, spot: Spot) -> None:
        trip = self._trip
        if trip is None:
            return
        trip.points += 1
        if not spot.lbs:
            trip.length += distance(trip.last, spot)
            trip.last = spot
        _measure(trip, spot)
        if self._collect:
            trip.spots.append(spot)

    def _close(self) -> list[Trip]:
        trip = self._trip
        if trip is None:
            return []
        standing = [*self._standing]
        self._standing.clear()
        self._stands_since = None
        for index, spot in enumerate(standing):
            if not spot.lbs:
                for one in standing[: index + 1]:
                    self._extend(one)
                standing = standing[index + 1 :]
                break
        if self._collect:
            for spot in standing:
                self._park(spot)
        self._trip = None
        return [trip]

    def _park(self, spot: Spot) -> None:
        spot.parked = True
        self.parked.append(spot)


def _started(spot: Spot, collect: bool) -> Trip:
    trip = Trip(spot, spot, spots=[spot] if collect else [])
    _measure(trip, spot)
    return trip


def _measure(trip: Trip, spot: Spot) -> None:
    trip.north = max(trip.north, spot.latitude)
    trip.south = min(trip.south, spot.latitude)
    trip.east = max(trip.east, spot.longitude)
    trip.west = min(trip.west, spot.longitude)
    if not spot.lbs:
        trip.gnss = True
        if spot.speed is not None and spot.speed > trip.max_speed:
            trip.max_speed = spot.speed
    if spot.event_id:
        trip.events += 1


def merged(trips: Iterable[Trip]) -> Trip | None:
    """All trips as one, or None where there is none."""
    whole: Trip | None = None
    for trip in trips:
        if whole is None:
            whole = msgspec.structs.replace(trip, spots=[*trip.spots])
            continue
        whole.last = trip.last
        whole.points += trip.points
        whole.length += trip.length
        whole.max_speed = max(whole.max_speed, trip.max_speed)
        whole.gnss = whole.gnss or trip.gnss
        whole.north = max(whole.north, trip.north)
        whole.south = min(whole.south, trip.south)
        whole.east = max(whole.east, trip.east)
        whole.west = min(whole.west, trip.west)
        whole.events += trip.events
        whole.spots += trip.spots
    return whole


def clusters(trips: Iterable[Trip]) -> Iterator[list[Trip]]:
    """The trips as they are, single reports near each other put together."""
    group: list[Trip] = []
    for trip in trips:
        near = group and trip.single and distance(group[0].first, trip.first) <= CLUSTER
        if group and not near:
            yield group
            group = []
        if trip.single:
            group.append(trip)
        else:
            yield [trip]
    if group:
        yield group
