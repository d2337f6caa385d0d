"""Units: what users of each measurement system read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog import sensors as catalog
from waypost.telemetry.units import (
    CUSTOM,
    SYSTEMS,
    UNITS,
    convert,
    converted,
    number_of,
    preferred,
    tidy,
)

VALUES = st.floats(-1e6, 1e6)


def test_the_catalog_knows_the_same_units_and_systems() -> None:
    assert set(SYSTEMS) == set(catalog.sensors().measurement_systems)
    allowed = catalog.sensors().objects["metering"]["units_type"].enum
    assert set(allowed) == {CUSTOM, *UNITS}


@pytest.mark.parametrize(
    ("value", "unit", "system", "expected"),
    [
        (100.0, "litre", "metric", (None, None)),
        (100.0, "litre", "us", ("gallon_us", 26.417205)),
        (100.0, "litre", "metric_gal_us", ("gallon_us", 26.417205)),
        (100.0, "litre", "imperial", ("gallon", 21.996925)),
        (100.0, "litre", "nautical", (None, None)),
        (20.0, "celsius", "us", ("fahrenheit", 68.0)),
        (20.0, "celsius", "imperial", ("fahrenheit", 68.0)),
        (20.0, "celsius", "metric_gal_us", (None, None)),
        (-40.0, "fahrenheit", "metric", ("celsius", -40.0)),
        (212.0, "fahrenheit", "us", (None, None)),
        (100.0, "speed", "imperial", ("mph", 62.137119)),
        (100.0, "speed", "nautical", ("knot", 53.995680)),
        (10.0, "gallon_us", "metric", ("litre", 37.854118)),
        (13.5, CUSTOM, "us", (None, None)),
        (13.5, "furlong", "us", (None, None)),
    ],
)
def test_readings_are_shown_in_the_users_units(
    value: float, unit: str, system: str, expected: tuple[str | None, float | None]
) -> None:
    assert converted(value, unit, system) == expected


@given(VALUES, st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(SYSTEMS)))
def test_a_conversion_can_be_undone(value: float, unit: str, system: str) -> None:
    wanted = preferred(unit, system)
    if wanted is None:
        return
    assert preferred(wanted, system) is None, "what was converted needs no conversion"
    assert convert(convert(value, unit, wanted), wanted, unit) == pytest.approx(value, abs=1e-6)


@given(VALUES, VALUES, st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_conversions_keep_the_order(left: float, right: float, unit: str, other: str) -> None:
    if UNITS[unit].quantity != UNITS[other].quantity:
        with pytest.raises(ValueError, match="no units of one quantity"):
            convert(left, unit, other)
        return
    low, high = sorted((left, right))
    assert convert(low, unit, other) <= convert(high, unit, other) + 1e-9


@pytest.mark.parametrize(
    ("told", "number"),
    [
        (True, 1.0),
        (7, 7.0),
        ("12.5", 12.5),
        ("on", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ([1], None),
    ],
)
def test_what_is_a_number(told: object, number: float | None) -> None:
    assert number_of(told) == number


def test_tidy_numbers() -> None:
    assert tidy(0.1 + 0.2) == 0.3
    assert str(tidy(-0.0000001)) == "0.0"
