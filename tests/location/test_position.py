"""A position from cells: what must hold whatever cells are heard."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.location.position import KnownCell, Place, place
from waypost.telemetry.earth import kilometres

LATITUDES = st.floats(-80, 80)
LONGITUDES = st.floats(-180, 180)
SIGNALS = st.none() | st.integers(-150, 20)


def metres(one: Place | KnownCell, other: Place | KnownCell) -> float:
    return 1000 * kilometres(one.latitude, one.longitude, other.latitude, other.longitude)


def moved(latitude: float, longitude: float, north: float, east: float) -> tuple[float, float]:
    """So many metres away; across the date line too."""
    turned = longitude + east / 111_195 / math.cos(math.radians(latitude))
    return latitude + north / 111_195, (turned + 180) % 360 - 180


@st.composite
def surroundings(draw: st.DrawFn) -> tuple[KnownCell, list[KnownCell]]:
    """Where a device is (as a cell of no range), and cells in whose range it is."""
    latitude, longitude = draw(LATITUDES), draw(LONGITUDES)
    cells = []
    for _ in range(draw(st.integers(1, 8))):
        reach = draw(st.floats(200, 20_000))
        far, way = draw(st.floats(0, 0.99)) * reach, draw(st.floats(0, 2 * math.pi))
        place_ = moved(latitude, longitude, far * math.cos(way), far * math.sin(way))
        cells.append(KnownCell(*place_, reach, draw(SIGNALS)))
    return KnownCell(latitude, longitude, 0), cells


@given(surroundings())
def test_the_device_is_within_the_precision(heard: tuple[KnownCell, list[KnownCell]]) -> None:
    device, cells = heard
    found = place(cells)
    assert found is not None
    assert metres(found, device) <= found.precision * 1.01 + 1
    assert -90 <= found.latitude <= 90
    assert -180 <= found.longitude <= 180


@given(surroundings())
def test_more_cells_never_make_it_less_certain_than_all_of_them(
    heard: tuple[KnownCell, list[KnownCell]],
) -> None:
    _, cells = heard
    found = place(cells)
    assert found is not None
    assert found.precision <= 3 * max(cell.range for cell in cells) + 1


@given(surroundings(), st.randoms())
def test_the_order_of_cells_does_not_matter(
    heard: tuple[KnownCell, list[KnownCell]], random: object
) -> None:
    _, cells = heard
    mixed = list(cells)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = place(cells), place(mixed)
    assert one is not None
    assert other is not None
    assert metres(one, other) < 1
    assert abs(one.precision - other.precision) <= 1


@given(surroundings())
def test_a_cell_of_which_all_others_say_that_it_is_elsewhere_has_no_say(
    heard: tuple[KnownCell, list[KnownCell]],
) -> None:
    device, cells = heard
    cells = (cells * 3)[:3]
    far = moved(device.latitude * 0.9, device.longitude, 300_000, 300_000)
    wrong = KnownCell(*far, 200, -40)
    assert place([wrong, *cells]) == place(cells)


@given(LATITUDES, LONGITUDES, st.floats(200, 50_000), SIGNALS)
def test_a_single_cell_is_its_place_and_range(
    latitude: float, longitude: float, reach: float, rssi: int | None
) -> None:
    found = place([KnownCell(latitude, longitude, reach, rssi)])
    assert found == Place(latitude, longitude, math.ceil(reach))


def test_nothing_heard_is_nowhere() -> None:
    assert place([]) is None


def test_a_louder_cell_is_nearer() -> None:
    near, far = KnownCell(52.0, 13.0, 2000, -60), KnownCell(52.0, 13.02, 2000, -90)
    found = place([near, far])
    assert found is not None
    assert metres(found, near) < metres(found, far) / 5
    even = place([KnownCell(52.0, 13.0, 2000), KnownCell(52.0, 13.02, 2000)])
    assert even is not None
    assert even.longitude == pytest.approx(13.01)


def test_a_cell_that_reaches_less_far_tells_more() -> None:
    small, large = KnownCell(52.0, 13.0, 500), KnownCell(52.0, 13.02, 5000)
    found = place([small, large])
    assert found is not None
    assert metres(found, small) < 20
    assert 500 <= found.precision < 520


def test_cells_on_both_sides_of_the_date_line() -> None:
    found = place([KnownCell(-17, 179.99, 2000), KnownCell(-17, -179.99, 2000)])
    assert found is not None
    assert abs(found.longitude) == pytest.approx(180)


def test_ranges_that_cannot_be() -> None:
    assert place([KnownCell(1, 1, 0)]) == Place(1, 1, 200)
    assert place([KnownCell(1, 1, 9e9)]) == Place(1, 1, 100_000)
