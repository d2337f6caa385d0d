"""Trips: what of a day's positions was travelling, and what was standing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.telemetry.simplify import simplified
from waypost.telemetry.trips import Spot, Trip, TripFinder, clusters, distance, merged

MINUTE = 60_000
#: One kilometre in degrees of latitude.
KM = 1 / 111.195


def trips_of(*spots: Spot, collect: bool = True) -> list[Trip]:
    finder = TripFinder(collect=collect)
    found = [trip for spot in spots for trip in finder.add(spot)]
    return found + finder.finish()


def drive(start: int, minutes: int, *, km_from: float = 0.0, speed: float = 60.0) -> list[Spot]:
    """A position a minute at ``speed`` km/h, northwards."""
    step = speed / 60
    return [
        Spot(start + n * MINUTE, (km_from + n * step) * KM, 10.0, speed=speed)
        for n in range(minutes)
    ]


def stand(start: int, minutes: int, *, km: float = 0.0) -> list[Spot]:
    return [Spot(start + n * MINUTE, km * KM, 10.0, speed=0.0) for n in range(minutes)]


def test_a_trip_ends_where_the_vehicle_comes_to_stand() -> None:
    spots = [
        *stand(0, 3),
        *drive(3 * MINUTE, 10),
        *stand(13 * MINUTE, 10, km=10),
        *drive(23 * MINUTE, 5, km_from=10),
    ]
    first, second = trips_of(*spots)
    assert (first.first.time, first.last.time) == (3 * MINUTE, 13 * MINUTE)
    assert first.points == 11
    assert first.length == pytest.approx(10, rel=0.01)
    assert first.average_speed == pytest.approx(60, rel=0.01)
    assert first.max_speed == 60
    assert (first.south, first.north) == (0.0, pytest.approx(10 * KM))
    assert second.points == 5


def test_a_short_halt_does_not_end_a_trip() -> None:
    spots = [*drive(0, 5), *stand(5 * MINUTE, 4, km=5), *drive(9 * MINUTE, 5, km_from=5)]
    (trip,) = trips_of(*spots)
    assert trip.points == 14


def test_a_halt_of_five_minutes_ends_it() -> None:
    spots = [*drive(0, 5), *stand(5 * MINUTE, 6, km=5), *drive(11 * MINUTE, 5, km_from=5)]
    assert len(trips_of(*spots)) == 2


def test_a_vehicle_that_reports_only_while_it_moves() -> None:
    """It says nothing while it stands: silence without way is a stand."""
    spots = [*drive(0, 5), *drive(20 * MINUTE, 5, km_from=4.1)]
    assert len(trips_of(*spots)) == 2


def test_a_gap_in_the_reports_of_a_moving_vehicle_is_no_halt() -> None:
    """A tunnel: ten minutes of silence, ten kilometres farther."""
    spots = [*drive(0, 5), *drive(15 * MINUTE, 5, km_from=15)]
    (trip,) = trips_of(*spots)
    assert trip.length == pytest.approx(19, rel=0.01)


def test_half_an_hour_of_silence_ends_a_trip_in_any_case() -> None:
    spots = [*drive(0, 5), *drive(45 * MINUTE, 5, km_from=45)]
    assert len(trips_of(*spots)) == 2


def test_a_parked_vehicle_makes_no_trip() -> None:
    finder = TripFinder(collect=True)
    assert not [trip for spot in stand(0, 60) for trip in finder.add(spot)]
    assert not finder.finish()
    assert len(finder.parked) == 60
    assert all(spot.parked for spot in finder.parked)


def test_a_device_that_tells_no_speed_travels_all_the_same() -> None:
    spots = [Spot(n * MINUTE, n * KM, 10.0) for n in range(10)]
    (trip,) = trips_of(*spots)
    assert trip.points == 9
    assert trip.average_speed == pytest.approx(60, rel=0.01)


def test_a_beacon_that_wakes_up_elsewhere_gives_single_reports() -> None:
    hours = [0.0, 5.0, 5.0, 9.0]
    spots = [Spot(n * 60 * MINUTE, km * KM, 10.0, speed=0.0) for n, km in enumerate(hours)]
    found = trips_of(*spots)
    assert [trip.single for trip in found] == [True, True]
    assert [trip.first.time for trip in found] == [60 * MINUTE, 180 * MINUTE]


def test_positions_by_the_network_show_a_change_of_place_only() -> None:
    spots = [
        Spot(n * MINUTE, km * KM, 10.0, precision=800, lbs=True)
        for n, km in enumerate([0.0, 0.5, 0.7, 3.0, 3.1])
    ]
    found = trips_of(*spots)
    assert [trip.first.time for trip in found] == [0, 3 * MINUTE]
    assert not any(trip.gnss for trip in found)


def test_a_position_by_the_network_does_not_lengthen_a_trip() -> None:
    way = drive(0, 10)
    astray = Spot(5 * MINUTE + 1, 30 * KM, 10.0, precision=2000, lbs=True)
    (trip,) = trips_of(*way[:6], astray, *way[6:])
    assert trip.points == 11
    assert trip.length == pytest.approx(9, rel=0.01)


def test_noise_is_too_short_for_a_trip() -> None:
    jump = [
        *stand(0, 2),
        Spot(2 * MINUTE, 0.02 * KM, 10.0, speed=4.0),
        *stand(3 * MINUTE, 9),
    ]
    (trip,) = trips_of(*jump)
    assert trip.short
    (trip,) = trips_of(*drive(0, 5))
    assert not trip.short


def test_all_trips_as_one() -> None:
    spots = [*drive(0, 5), *stand(5 * MINUTE, 10, km=5), *drive(15 * MINUTE, 5, km_from=5)]
    whole = merged(trips_of(*spots))
    assert whole is not None
    assert (whole.first.time, whole.last.time) == (0, 19 * MINUTE)
    assert whole.length == pytest.approx(9, rel=0.01)
    assert whole.points == len(whole.spots) == 11
    assert merged([]) is None


def test_single_reports_near_each_other_make_a_cluster() -> None:
    places = [0.0, 0.8, 5.0, 5.1, 20.0]
    singles = [Trip(spot, spot) for spot in (Spot(n, km * KM, 10.0) for n, km in enumerate(places))]
    trip = trips_of(*drive(0, 3))[0]
    assert [len(group) for group in clusters([*singles[:2], trip, *singles[2:]])] == [2, 1, 2, 1]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_600_000),
            st.floats(-90, 90),
            st.floats(-180, 180),
            st.none() | st.floats(0, 300),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_every_position_is_of_one_trip_or_parked(
    raw: list[tuple[int, float, float, float | None, bool]],
) -> None:
    time = 0
    spots = []
    for step, latitude, longitude, speed, lbs in raw:
        time += step
        spots.append(Spot(time, latitude, longitude, speed=speed, lbs=lbs))
    finder = TripFinder(collect=True)
    found = [trip for spot in spots for trip in finder.add(spot)] + finder.finish()
    shown = [spot for trip in found for spot in trip.spots] + finder.parked
    assert sorted(map(id, shown)) == sorted(map(id, spots))
    for trip in found:
        assert trip.points == len(trip.spots)
        assert trip.first.time <= trip.last.time
        assert trip.south <= trip.north
    lean = trips_of(*spots, collect=False)
    assert [(trip.id, trip.points, trip.length) for trip in lean] == [
        (trip.id, trip.points, trip.length) for trip in found
    ]


def test_a_simplified_line_keeps_its_corners() -> None:
    corner = [Spot(n, 0.0, n * 0.001) for n in range(50)]
    corner += [Spot(50 + n, n * 0.001, 0.049) for n in range(1, 50)]
    kept = simplified(corner, 3)
    assert kept == [corner[0], corner[49], corner[-1]]
    assert simplified(corner, 500) == corner
    assert len(simplified(corner, 40)) == 3  # there is nothing else to see


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=2, max_size=80),
    st.integers(2, 90),
)
def test_a_simplified_line_begins_and_ends_where_the_line_does(
    places: list[tuple[float, float]], limit: int
) -> None:
    spots = [Spot(n, latitude, longitude) for n, (latitude, longitude) in enumerate(places)]
    kept = simplified(spots, limit)
    assert len(kept) <= max(limit, 2)
    assert (kept[0], kept[-1]) == (spots[0], spots[-1])
    assert [spot.time for spot in kept] == sorted(spot.time for spot in kept)


def test_distance_is_that_of_a_sphere() -> None:
    berlin, paris = Spot(0, 52.52, 13.405), Spot(0, 48.8566, 2.3522)
    assert distance(berlin, paris) == pytest.approx(877.5, rel=0.002)
    assert distance(berlin, berlin) == 0
    assert distance(Spot(0, 0, 179.5), Spot(0, 0, -179.5)) == pytest.approx(111.2, rel=0.01)
