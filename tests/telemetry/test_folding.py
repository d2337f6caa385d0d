"""Trip detection as people set it: thresholds, ignition, motion sensor, uncertain positions."""

from __future__ import annotations

from typing import Any

from waypost.telemetry.folding import COMMON, Folding
from waypost.telemetry.message import LBS, Message
from waypost.telemetry.motion import Motion, movement, next_change
from waypost.telemetry.sensors import Ignition
from waypost.telemetry.state import State, fold, fold_packet, ignition_of
from waypost.telemetry.trips import Spot, Trip, TripFinder

NOW = 1_790_000_000_000
MINUTE = 60_000
KM = 1 / 111.195


def at(minute: float, speed: float, km: float = 0.0, **values: Any) -> Message:
    return Message(
        time=NOW + int(minute * MINUTE),
        digest_of=b"",
        latitude=km * KM,
        longitude=10.0,
        speed=speed,
        values=values,
    )


def motion(folding: Folding, *messages: Message) -> Motion:
    state = State()
    for message in messages:
        fold(state, message, NOW + 24 * 60 * MINUTE, folding)
    return state.motion


def test_speed_and_time_are_those_that_were_set() -> None:
    slow = Folding(min_speed=10, idle_ms=MINUTE)
    assert movement(motion(slow, at(0, 9)), NOW + 1, idle_ms=slow.idle_ms)[0] == "parked"
    stopped = motion(slow, at(0, 50), at(1, 9))
    assert movement(stopped, NOW + 100_000, idle_ms=slow.idle_ms) == ("stopped", NOW + MINUTE)
    assert next_change(stopped, NOW + 100_000, idle_ms=slow.idle_ms) == NOW + 2 * MINUTE
    assert movement(stopped, NOW + 2 * MINUTE, idle_ms=slow.idle_ms)[0] == "parked"
    never = Folding(min_speed=0)
    assert motion(never, at(0, 0)).moving, "with 0 it never stands"


def test_the_ignition_keeps_a_vehicle_from_parking_and_stops_its_wandering() -> None:
    aware = Folding(ignition_aware=True)
    jam = motion(aware, at(0, 50, ignition=True), at(1, 0), at(9, 0))
    assert movement(jam, NOW + 9 * MINUTE + 1) == ("stopped", NOW + MINUTE)
    assert movement(jam, NOW + 14 * MINUTE)[0] == "parked", "nothing heard of it any more"
    off = motion(aware, at(0, 50, ignition=True), at(1, 0), at(9, 0, ignition=False))
    assert movement(off, NOW + 13 * MINUTE) == ("stopped", NOW + 9 * MINUTE)
    assert movement(off, NOW + 14 * MINUTE) == ("parked", NOW + 14 * MINUTE)
    drift = motion(aware, at(0, 0, ignition=False), at(1, 7))
    assert not drift.moving
    assert motion(COMMON, at(0, 0, ignition=False), at(1, 7)).moving


def test_the_motion_sensor_has_a_say() -> None:
    aware = Folding(motion_aware=True)
    assert not motion(aware, at(0, 30, is_moving=False)).moving
    assert motion(aware, at(0, 30)).moving
    assert motion(aware, at(0, 0, is_moving=True)).kept
    both = Folding(motion_aware=True, ignition_aware=True)
    assert motion(both, at(0, 30, ignition=False, is_moving=True)).moving, "it is towed"


def test_uncertain_positions_by_the_network_are_passed_over() -> None:
    state = State()
    folding = Folding(lbs_radius=500)
    fold(state, at(0, 0), NOW, folding)
    for minute, precision in ((1, 501), (2, 500)):
        message = at(minute, 0, km=minute)
        message.source, message.precision = LBS, precision
        fold(state, message, NOW + 5 * MINUTE, folding)
        assert state.gps is not None
        assert state.gps.time == (NOW if precision > 500 else message.time)


def trips(folding: Folding, *spots: Spot) -> list[Trip]:
    finder = TripFinder(idle_ms=folding.idle_ms, min_speed=folding.min_speed)
    return [trip for spot in spots for trip in finder.add(spot)] + finder.finish()


def spot(minute: int, km: float, speed: float, **fields: Any) -> Spot:
    return Spot(NOW + minute * MINUTE, km * KM, 10.0, speed=speed, **fields)


def test_trips_heed_the_ignition_too() -> None:
    drive = [spot(n, n, 60) for n in range(5)]
    halt = [spot(5 + n, 5, 0) for n in range(9)]
    onward = [spot(14 + n, 5 + n, 60) for n in range(5)]
    assert len(trips(COMMON, *drive, *halt, *onward)) == 2
    for one in halt:
        one.kept = True
    assert len(trips(COMMON, *drive, *halt, *onward)) == 1
    towed = [spot(n, n, 60, still=True) for n in range(5)]
    assert trips(COMMON, *towed) == []
    idling = [spot(n, 0, 0, kept=True) for n in range(5)]
    assert trips(COMMON, *idling) == [], "an engine that idles makes no trip by itself"


def test_since_when_the_ignition_is_on() -> None:
    state = State()
    fold_packet(
        state,
        [at(n, 0, ignition=n >= 2, input_status=int(n < 3)) for n in range(5)],
        NOW + 10 * MINUTE,
    )
    assert ignition_of(None, state) == (True, NOW + 2 * MINUTE)
    assert ignition_of(Ignition(line=1), state) == (False, NOW + 4 * MINUTE)
    assert ignition_of(Ignition(line=2), State()) is None
