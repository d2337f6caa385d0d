"""Sensors: what raw values measure and mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.telemetry.sensors import (
    Ignition,
    Metering,
    Virtual,
    calibrated,
    composed,
    ignition_on,
    measured,
    raw_value,
    scale,
    titled,
    virtual_value,
)

TANK = ((0.0, 0.0), (0.7, 60.0), (1.0, 75.0))

#: Rising raw values, with room between them.
TABLES = (
    st.lists(
        st.tuples(st.integers(-1000, 1000), st.floats(-1e4, 1e4)),
        min_size=2,
        max_size=8,
        unique_by=lambda point: point[0],
    )
    .map(sorted)
    .map(lambda points: tuple((float(raw), meaning) for raw, meaning in points))
)


def metering(**fields: Any) -> Metering:
    known = {"id": 1, "sensor_type": "custom", "name": "A", "input_name": "analog_1"}
    return Metering(**{**known, **fields})


def virtual(**parameters: Any) -> Virtual:
    return Virtual(
        id=2, sensor_type="state", name="V", input_name="board_voltage", parameters=parameters
    )


@given(TABLES)
def test_a_calibrated_sensor_says_what_its_table_says(table: Any) -> None:
    for raw, meaning in table:
        assert calibrated(table, raw, bounded=False) == meaning
        assert calibrated(table, raw, bounded=True) == meaning


@given(TABLES, st.data())
def test_between_two_points_lies_what_is_between_their_meanings(
    table: Any, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(table) - 2))
    (low, below), (high, above) = table[at], table[at + 1]
    share = data.draw(st.floats(0, 1))
    raw = low + (high - low) * share
    expected = below + (above - below) * share
    assert calibrated(table, raw, bounded=False) == pytest.approx(expected, abs=1e-6)


@given(TABLES, st.floats(-5000, 5000))
def test_fuel_keeps_to_the_ends_of_its_table(table: Any, raw: float) -> None:
    value = calibrated(table, raw, bounded=True)
    meanings = [meaning for _, meaning in table]
    assert min(meanings) - 1e-6 <= value <= max(meanings) + 1e-6


@given(st.floats(-1e3, 1e3), st.floats(0.01, 100), st.floats(-5000, 5000))
def test_two_points_make_a_line_without_end(offset: float, slope: float, raw: float) -> None:
    table = ((0.0, offset), (10.0, offset + 10 * slope))
    assert calibrated(table, raw, bounded=False) == pytest.approx(offset + slope * raw, rel=1e-6)


@given(TABLES, st.floats(-2000, 2000), st.floats(-2000, 2000))
def test_a_rising_table_keeps_the_order(table: Any, left: float, right: float) -> None:
    meanings = sorted(meaning for _, meaning in table)
    table = tuple((raw, meaning) for (raw, _), meaning in zip(table, meanings, strict=True))
    low, high = sorted((left, right))
    assert calibrated(table, low, bounded=True) <= calibrated(table, high, bounded=True) + 1e-6


def test_a_measurement_is_calibrated_then_divided() -> None:
    sensor = metering(divider=10.0)
    assert measured(sensor, (), 125) == 12.5
    assert measured(sensor, (), "125") == 12.5
    assert measured(sensor, TANK, 0.35) == 3.0
    assert measured(sensor, TANK, 1.2) == 8.5, "beyond its table a sensor goes on as it did"
    assert measured(metering(sensor_type="fuel"), TANK, 1.2) == 75.0, "a tank is full"
    assert measured(sensor, (), "open") is None
    assert measured(sensor, (), None) is None
    assert measured(metering(divider=1e-300), (), 1e20) is None


def test_raw_values_that_are_not_acceptable_measure_nothing() -> None:
    sensor = metering(parameters={"min": 0.2, "max": 4.8})
    assert measured(sensor, (), 0.1) is None
    assert measured(sensor, (), 0.2) == 0.2
    assert measured(sensor, (), 4.8) == 4.8
    assert measured(sensor, (), 5.0) is None


def test_the_scale_of_a_sensor_is_that_of_its_table() -> None:
    assert scale(metering(divider=2.0), TANK) == (0.0, 37.5)
    assert scale(metering(divider=-1.0), TANK) == (-75.0, 0.0)
    assert scale(metering(), ()) is None


def test_tanks_together() -> None:
    assert composed([225.71, 113.52]) == 339.23
    assert composed([225.71, None]) is None, "half of it would mislead"
    assert composed([]) is None


@pytest.mark.parametrize(
    ("parameters", "raw", "value"),
    [
        ({"calc_method": "in_range", "range_from": 13.4}, 13.4, 1),
        ({"calc_method": "in_range", "range_from": 13.4}, 13.39, 0),
        ({"calc_method": "in_range", "range_to": 5}, 5, 1),
        ({"calc_method": "in_range", "range_from": 1, "range_to": 5}, 6, 0),
        ({"calc_method": "in_range", "range_from": 1}, "open", None),
        ({"calc_method": "bit_index", "bit_index": 1}, 0b011, 1),
        ({"calc_method": "bit_index", "bit_index": 3}, 0b011, 0),
        ({"calc_method": "bit_index", "bit_index": 2}, "3", 1),
        ({"calc_method": "identity"}, "DMS_001", "DMS_001"),
        ({"calc_method": "identity"}, True, 1),
        ({"calc_method": "identity"}, [1], None),
        ({}, 3, 3),
    ],
)
def test_virtual_sensors(parameters: dict[str, Any], raw: object, value: object) -> None:
    assert virtual_value(virtual(**parameters), raw) == value


def test_titles() -> None:
    sensor = virtual(calc_method="identity", value_titles=[{"value": "1", "title": "On"}])
    assert titled(sensor, 1) == "On"
    assert titled(sensor, 1.0) == "On"
    assert titled(sensor, "1") == "On"
    assert titled(sensor, 0) == 0


def test_a_value_by_either_of_its_names() -> None:
    assert raw_value({"hardware_mileage": 7.5}, "hw_mileage") == 7.5
    assert raw_value({"temperature_3": -4}, "ext_temp_sensor_3") == -4
    assert raw_value({"avl_io_78": 5}, "avl_io_78") == 5
    assert raw_value({}, "board_voltage") is None


def test_who_says_whether_the_ignition_is_on() -> None:
    assert ignition_on(None, {"ignition": True}) is True
    assert ignition_on(None, {"input_status": 1}) is None
    second = Ignition(line=2)
    assert ignition_on(second, {"input_status": 0b10, "ignition": False}) is True
    assert ignition_on(second, {"input_status": 0b01, "ignition": True}) is False
    assert ignition_on(second, {"ignition": True}) is None
    by_voltage = Ignition(virtual=virtual(calc_method="in_range", range_from=13.2))
    assert ignition_on(by_voltage, {"board_voltage": 13.9}) is True
    assert ignition_on(by_voltage, {"board_voltage": 12.2}) is False
    assert ignition_on(by_voltage, {}) is None
    by_word = Ignition(virtual=virtual(calc_method="identity"))
    assert ignition_on(by_word, {"board_voltage": "OFF"}) is False
    assert ignition_on(by_word, {"board_voltage": "run"}) is True
