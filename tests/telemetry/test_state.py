"""What is known of a device does not depend on the order in which its messages come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.telemetry.message import LBS, Message, iso_time, utc_ms
from waypost.telemetry.motion import IDLE_MS, Motion, move, movement, next_change
from waypost.telemetry.state import (
    FUTURE_MS,
    State,
    decode_state,
    encode_state,
    fold,
    fold_packet,
)
from waypost.telemetry.status import connection_status

NOW = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def fix(time: int, speed: float = 0.0, **more: Any) -> Message:
    return Message(
        time=time, digest_of=b"", latitude=41.0, longitude=2.0 + time % 97, speed=speed, **more
    )


def folded(*messages: Message, received: int = NOW) -> State:
    state = State()
    for message in messages:
        fold(state, message, received)
    return state


def test_any_order_gives_the_same_state() -> None:
    messages = [
        fix(NOW - 4000, 50, values={"ignition": True, "input_status": 1, "battery_level": 90}),
        fix(NOW - 3000, 0, values={"ignition": False, "gsm_level": 60}),
        Message(time=NOW - 2000, digest_of=b"", values={"input_status": 2, "board_voltage": 12.5}),
        fix(NOW - 1000, 10, source=LBS, precision=500),
    ]
    reference = folded(*messages)
    for order in permutations(messages):
        state = folded(*order)
        assert state.gps == reference.gps
        assert state.gnss == reference.gnss
        assert state.inputs == reference.inputs
        assert state.battery == reference.battery
        assert state.gsm == reference.gsm
        assert state.values == reference.values
        assert state.last_update == NOW - 1000
        assert state.motion.last_moving == NOW - 4000
    assert reference.gps is not None
    assert reference.gps.source == LBS
    assert reference.gnss is not None
    assert reference.gnss.time == NOW - 3000


def test_a_fix_that_the_device_calls_old_moves_nothing() -> None:
    state = folded(fix(NOW - 9000, 20), fix(NOW, 0, valid=False))
    assert state.gps is not None
    assert (state.gps.time, state.gps.valid) == (NOW - 9000, True)
    assert state.last_update == NOW
    first = folded(fix(NOW, valid=False))
    assert first.gps is not None, "the last known position is better than none"
    assert first.gnss is None


def test_the_far_future_is_not_folded() -> None:
    state = folded(fix(NOW), fix(NOW + FUTURE_MS + 1))
    assert state.gps is not None
    assert state.gps.time == NOW
    assert folded(fix(NOW + FUTURE_MS)).gps is not None


def test_a_device_clock_in_local_time_does_not_hide_its_fixes() -> None:
    east = NOW + 8 * 3_600_000
    state = folded(fix(NOW, device_time=east, values={"ignition": True}))
    assert state.gps is not None
    assert state.last_update == NOW
    assert state.values["ignition"] == (True, NOW)


def test_values_without_time_count_from_their_receipt() -> None:
    state = folded(Message(time=None, digest_of=b"", values={"battery_level": 55.4}))
    assert state.battery is not None
    assert (state.battery.time, state.battery.level) == (NOW, 55)


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.floats(0, 120), st.booleans(), st.integers(0, 3)),
        min_size=1,
        max_size=8,
    )
)
def test_a_state_survives_its_storage(reports: list[tuple[int, float, bool, int]]) -> None:
    state = State()
    for offset, speed, valid, mask in reports:
        message = fix(NOW + offset, speed, valid=valid, values={"input_status": mask, "x": [1]})
        fold(state, message, NOW)
    again = decode_state(encode_state(state))
    assert encode_state(again) == encode_state(state)
    assert again.inputs == state.inputs
    assert state.inputs is not None
    assert state.inputs.time == NOW + max(report[0] for report in reports)


@given(
    st.lists(
        st.builds(
            lambda at, speed, valid, values, lbs, event, located: Message(
                time=NOW + at * 1000,
                digest_of=b"",
                latitude=41.0 + at / 1000 if located else None,
                longitude=2.0 if located else None,
                speed=float(speed),
                valid=valid,
                source=LBS if lbs else 0,
                event_id=event,
                values=values,
            ),
            st.integers(-50, 700),
            st.sampled_from([0, 2, 60]),
            st.booleans(),
            st.dictionaries(
                st.sampled_from(["a", "b", "input_status", "battery_level", "gsm_level"]),
                st.integers(0, 3),
            ),
            st.booleans(),
            st.sampled_from([None, 5]),
            st.booleans(),
        ),
        max_size=8,
        unique_by=lambda message: message.time,
    )
)
def test_a_packet_folds_like_its_messages_one_by_one(messages: list[Message]) -> None:
    packet, single = State(), State()
    fold_packet(packet, messages, NOW)
    for message in sorted(messages, key=lambda message: message.time or 0):
        fold(single, message, NOW)
    assert packet == single


@given(
    st.lists(st.tuples(st.integers(1, 50), st.sampled_from([0.0, 2.0, 60.0]), st.booleans())),
    st.integers(0, 1),
)
def test_the_usual_packet_folds_like_its_messages_one_by_one(
    reports: list[tuple[int, float, bool]], odd: int
) -> None:
    messages = []
    at = NOW - 10_000_000
    for step, speed, on in reports:
        at += step * 1000
        values = {"ignition": on, "is_moving": on, "x": step}
        messages.append(fix(at, speed, valid=step != odd, values=values))
    packet, single = State(), State()
    half = len(messages) // 2
    fold_packet(packet, messages[:half], NOW)
    fold_packet(packet, messages[half:], NOW)
    for message in messages:
        fold(single, message, NOW)
    assert packet == single


def test_movement_goes_from_moving_to_stopped_to_parked() -> None:
    motion = Motion()
    assert movement(motion, NOW) == ("parked", None)
    move(motion, NOW, 50)
    assert movement(motion, NOW + 1000) == ("moving", NOW)
    move(motion, NOW + MINUTE, 0)
    assert movement(motion, NOW + 2 * MINUTE) == ("stopped", NOW + MINUTE)
    assert next_change(motion, NOW + 2 * MINUTE) == NOW + MINUTE + IDLE_MS
    assert movement(motion, NOW + MINUTE + IDLE_MS)[0] == "parked"
    move(motion, NOW + 20 * MINUTE, 2.5)
    assert movement(motion, NOW + 20 * MINUTE)[0] == "parked", "a crawl below the limit is none"
    move(motion, NOW + 21 * MINUTE, 2.5, True)
    assert movement(motion, NOW + 21 * MINUTE) == ("moving", NOW + 21 * MINUTE)


def test_a_silent_vehicle_does_not_move_for_ever() -> None:
    motion = Motion()
    move(motion, NOW, 90)
    assert movement(motion, NOW + IDLE_MS - 1)[0] == "moving"
    assert movement(motion, NOW + IDLE_MS) == ("parked", NOW + IDLE_MS)
    assert next_change(motion, NOW) == NOW + IDLE_MS


def test_connection_status() -> None:
    registered = NOW - 2 * HOUR

    def status(state: State | None, now: int = NOW, **more: Any) -> str:
        return connection_status(state, now, **{"registered": registered, **more})[0]

    assert status(None) == "offline"
    assert status(None, registered=NOW - MINUTE) == "just_registered"
    assert status(folded(fix(NOW)), registered=NOW - MINUTE, replaced=NOW + 1) == "just_replaced"
    assert status(None, replaced=NOW - HOUR) == "offline"
    fresh = folded(fix(NOW - 1000))
    assert connection_status(fresh, NOW, registered=registered) == (
        "active",
        NOW - 1000 + 5 * MINUTE,
    )
    assert status(fresh, NOW + 5 * MINUTE) == "idle"
    assert status(fresh, NOW + 10 * MINUTE) == "signal_lost"
    assert status(fresh, NOW + 10 * MINUTE, timeout_ms=HOUR) == "idle"
    assert status(folded(Message(time=NOW, digest_of=b""))) == "idle"
    assert status(folded(fix(NOW - HOUR))) == "idle", "data now, but the fix is old"


def test_times() -> None:
    assert iso_time(None) is None
    assert iso_time(utc_ms(2025, 6, 13, 15, 18, 7)) == "2025-06-13T15:18:07Z"
    assert iso_time(utc_ms(2025, 6, 13, 15, 17, 50, 11)) == "2025-06-13T15:17:50.011Z"
    assert iso_time(10**20) is None


def test_pictures_stay_in_history() -> None:
    state = folded(fix(NOW, values={"atrack_picture": b"\xff\xd8", "ignition": True}))
    assert set(state.values) == {"ignition"}
