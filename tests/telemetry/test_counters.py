"""Counters: what a source has travelled, run and used, however its messages come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.telemetry.counters import (
    ENGINE_HOURS,
    FUEL_CONSUMED,
    ODOMETER,
    Counting,
    Meter,
    Report,
    count,
)
from waypost.telemetry.folding import Folding
from waypost.telemetry.message import LBS, Message
from waypost.telemetry.sensors import Ignition, Metering
from waypost.telemetry.state import State, decode_state, encode_state, fold, fold_packet

NOW = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
#: One kilometre in degrees of latitude.
KM = 1 / 111.195

ALL = Folding(counters=(Counting(ODOMETER), Counting(ENGINE_HOURS), Counting(FUEL_CONSUMED)))


def at(minute: float, km: float = 0.0, speed: float = 60.0, **values: Any) -> Message:
    """A fix ``km`` north of the start."""
    return Message(
        time=NOW + int(minute * MINUTE),
        digest_of=b"",
        latitude=km * KM,
        longitude=10.0,
        speed=speed,
        values=values,
    )


def told(*messages: Message, folding: Folding = ALL, state: State | None = None) -> State:
    state = state or State()
    for message in messages:
        fold(state, message, NOW + HOUR, folding)
    return state


def odometer(state: State) -> float:
    return state.meters[ODOMETER].counted


def test_kilometres_are_counted_from_fix_to_fix() -> None:
    state = told(*(at(n, n) for n in range(11)))
    assert odometer(state) == pytest.approx(10, rel=1e-3)


def test_a_parked_vehicle_travels_nowhere() -> None:
    wander = [0.0, 0.02, -0.03, 0.05, 0.01, -0.04, 0.0]
    state = told(*(at(n, km, speed=0) for n, km in enumerate(wander)))
    assert odometer(state) == 0
    told(at(10, 1.0), state=state)
    assert odometer(state) == pytest.approx(1.0, rel=1e-3), "from where it stood"


def test_a_device_without_speed_still_travels() -> None:
    state = told(*(at(n, n, speed=0) for n in range(6)))
    assert odometer(state) == pytest.approx(5, rel=1e-3)


def test_a_fix_far_off_is_no_journey() -> None:
    state = told(at(0, 0), at(1, 1), at(2, 900), at(3, 901))
    assert odometer(state) == pytest.approx(2, rel=1e-3)


def test_other_positions_than_by_satellites_do_not_count() -> None:
    state = told(at(0, 0), at(1, 1))
    network = at(2, 4)
    network.source = LBS
    stale = at(3, 8)
    stale.valid = False
    told(network, stale, at(4, 2), state=state)
    assert odometer(state) == pytest.approx(2, rel=1e-3)


def test_the_devices_own_odometer_counts_before_the_estimate() -> None:
    state = told(at(0, 0, hardware_mileage=3707.0), at(1, 1), at(2, 2))
    assert odometer(state) == pytest.approx(2, rel=1e-3), "until it speaks again"
    told(at(3, 3, hardware_mileage=3710.5), state=state)
    assert odometer(state) == pytest.approx(3.5)
    told(at(4, 4, hardware_mileage=3710.5), state=state)
    assert odometer(state) == pytest.approx(4.5, rel=1e-3), "too coarse to tell"
    told(at(5, 5, hardware_mileage=3712.0), state=state)
    assert odometer(state) == pytest.approx(5.0)


@pytest.mark.parametrize("reading", [0.5, 99_999.0])
def test_an_odometer_that_was_set_anew_adds_nothing(reading: float) -> None:
    state = told(at(0, 0, hardware_mileage=3707.0), at(1, 1, hardware_mileage=3708.0))
    told(at(2, 2, hardware_mileage=reading), at(3, 3, hardware_mileage=reading + 1), state=state)
    assert odometer(state) == pytest.approx(3, rel=1e-3)


def test_an_odometer_that_is_switched_off_is_none() -> None:
    state = told(*(at(n, n, hardware_mileage=0.0) for n in range(4)))
    assert odometer(state) == pytest.approx(3, rel=1e-3)


def test_a_device_with_two_odometers_is_held_to_one() -> None:
    state = told(
        at(0, 0, hardware_mileage=100.0, can_mileage=5000.0),
        at(1, 1, can_mileage=5001.0),
        at(2, 2, hardware_mileage=102.2, can_mileage=5002.0),
    )
    assert odometer(state) == pytest.approx(2.2)


def test_a_sensor_may_count() -> None:
    sensor = Metering(
        id=7, sensor_type="custom", name="CAN", input_name="can_mileage", divider=1000.0
    )
    folding = Folding(counters=(Counting(ODOMETER, sensor),))
    state = told(
        at(0, 0, can_mileage=5_000_000, hardware_mileage=1.0),
        at(10, 9, can_mileage=5_012_000, hardware_mileage=2.0),
        folding=folding,
    )
    assert odometer(state) == pytest.approx(12)


def test_a_counter_goes_on_from_where_the_source_is() -> None:
    state = State()
    fold(state, at(0, 0, hardware_mileage=50.0), NOW)
    told(at(1, 1), state=state)
    assert odometer(state) == pytest.approx(1, rel=1e-3)
    told(at(2, 2, hardware_mileage=52.5), state=state)
    assert odometer(state) == pytest.approx(2.5), "from what the device said last"


def test_engine_hours_from_the_ignition() -> None:
    state = told(
        at(0, ignition=False),
        at(10, ignition=True),
        at(20, ignition=True),
        at(30, ignition=False),
        at(40, ignition=False),
        at(50, ignition=True),
        at(55),
    )
    assert state.meters[ENGINE_HOURS].counted == pytest.approx(25 / 60)


def test_an_engine_is_not_known_to_run_through_a_long_silence() -> None:
    state = told(at(0, ignition=True), at(31, ignition=True), at(41, ignition=False))
    assert state.meters[ENGINE_HOURS].counted == pytest.approx(10 / 60)


def test_engine_hours_by_a_digital_input() -> None:
    folding = Folding(ignition=Ignition(line=2), counters=(Counting(ENGINE_HOURS),))
    state = told(
        at(0, input_status=0b10, ignition=False),
        at(6, input_status=0b01, ignition=True),
        at(12, input_status=0b01),
        folding=folding,
    )
    assert state.meters[ENGINE_HOURS].counted == pytest.approx(0.1)
    assert state.ignition is not None
    assert (state.ignition.on, state.ignition.since) == (False, NOW + 6 * MINUTE)


def test_the_devices_own_engine_hours() -> None:
    state = told(at(0, engine_hours=100.0, ignition=True), at(30, engine_hours=100.4))
    assert state.meters[ENGINE_HOURS].counted == pytest.approx(0.4)


def test_fuel_is_counted_where_the_device_counts_it() -> None:
    state = told(at(0, can_consumption=1000.0), at(30), at(60, can_consumption=1007.5))
    assert state.meters[FUEL_CONSUMED].counted == pytest.approx(7.5)
    assert told(at(0), at(1, 1)).meters[FUEL_CONSUMED].time is None


def test_what_comes_again_counts_once() -> None:
    drive = [at(n, n, ignition=True) for n in range(6)]
    state = told(*drive)
    once = [meter.counted for meter in state.meters.values()]
    told(*drive, state=state)
    assert [meter.counted for meter in state.meters.values()] == once
    assert state.meters[ODOMETER].lates == 5, "which the stored points tell from news"


def test_what_comes_late_is_remembered() -> None:
    state = told(at(0, 0), at(10, 10))
    told(at(5, 2), at(4, 1), state=state)
    meter = state.meters[ODOMETER]
    assert (meter.lates, meter.late) == (2, NOW + 4 * MINUTE)
    assert meter.counted == pytest.approx(10, rel=1e-3)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.floats(-3, 3),
            st.sampled_from([None, True, False]),
            st.sampled_from([None, 0.0, 1.5, 3.0]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_meters_only_rise_whatever_comes_and_survive_storage(steps: list[Any]) -> None:
    state = State()
    minute, km, mileage = 0.0, 0.0, 10.0
    before = 0.0
    for wait, way, ignition, advance in steps:
        minute, km = minute + wait, km + way
        values: dict[str, Any] = {}
        if ignition is not None:
            values["ignition"] = ignition
        if advance is not None:
            mileage += advance
            values["hardware_mileage"] = mileage
        fold(state, at(minute, km, **values), NOW + 3 * HOUR, ALL)
        state = decode_state(encode_state(state))
        hours = state.meters[ENGINE_HOURS].counted
        assert hours >= before
        before = hours
        for meter in state.meters.values():
            assert meter.counted >= 0
    assert before <= minute / 60 + 1e-9


@given(st.permutations(range(8)))
def test_a_packet_counts_in_the_order_of_time(order: list[int]) -> None:
    state = State()
    fold_packet(state, [at(n, n) for n in order], NOW + HOUR, ALL)
    assert odometer(state) == pytest.approx(7, rel=1e-3)


def test_a_source_without_counters_has_no_meters() -> None:
    state = State()
    fold_packet(state, [at(n, n) for n in range(3)], NOW)
    assert state.meters == {}


def test_a_message_that_says_nothing_of_it_is_passed_over() -> None:
    meter = Meter()
    count(meter, Counting(ODOMETER), Report(NOW, {"board_voltage": 12.0}))
    assert meter == Meter()
