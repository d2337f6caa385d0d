"""Emulated vehicles behave like vehicles, and like the same ones each time."""

from __future__ import annotations

from itertools import pairwise

from waypost.emulator.roads import NETWORK, leg
from waypost.emulator.vehicle import Reading, Vehicle

START = 1_760_000_000_000
HOUR = 3600


def journey(seed: int, seconds: int, step: int = 1) -> list[Reading]:
    vehicle = Vehicle(seed, START)
    return [vehicle.read(START + second * 1000) for second in range(0, seconds, step)]


def test_a_vehicle_never_jumps_and_its_odometer_tells_the_way() -> None:
    for seed in range(8):
        readings = journey(seed, HOUR)
        for before, after in pairwise(readings):
            metres, _ = leg((before.latitude, before.longitude), (after.latitude, after.longitude))
            driven = (after.odometer - before.odometer) * 1000
            assert metres <= driven + 5
            assert abs(after.speed - before.speed) < 15
            assert 0 <= after.speed < 70


def test_most_vehicles_drive_at_any_time_and_each_one_parks_at_times() -> None:
    journeys = [journey(seed, HOUR, 10) for seed in range(30)]
    for moment in zip(*journeys, strict=True):
        assert sum(reading.moving for reading in moment) > 14
    for readings in journeys:
        parked = [reading for reading in readings if not reading.ignition]
        assert parked
        assert all(reading.speed == 0 for reading in parked)
        assert all(reading.board_voltage < 13 for reading in parked)
        assert all(reading.board_voltage > 13.5 for reading in readings if reading.ignition)


def test_meters_only_grow_and_fuel_is_filled_up() -> None:
    readings = journey(4, 30 * HOUR, 60)
    for before, after in pairwise(readings):
        assert after.odometer >= before.odometer
        assert after.engine_hours >= before.engine_hours
    assert all(reading.fuel > 5 for reading in readings)


def test_what_is_read_depends_on_the_moment_alone() -> None:
    often = Vehicle(7, START)
    for second in range(300):
        often.read(START + second * 1000)
    assert often.read(START + 300_500) == Vehicle(7, START).read(START + 300_500)
    assert Vehicle(8, START).read(START) != Vehicle(7, START).read(START)


def test_a_long_pause_is_spent_parked_and_a_clock_set_back_does_no_harm() -> None:
    vehicle = Vehicle(1, START)
    before = vehicle.read(START + 60_000)
    after = vehicle.read(START + 10 * HOUR * 1000)
    assert (after.latitude, after.longitude) == (before.latitude, before.longitude)
    assert not after.ignition
    assert vehicle.read(START).time == after.time


def test_every_road_can_be_left() -> None:
    assert all(neighbours for neighbours in NETWORK.values())
    reached, edge = {"Alexanderplatz"}, ["Alexanderplatz"]
    while edge:
        edge = [name for here in edge for name in NETWORK[here] if name not in reached]
        reached.update(edge)
    assert reached == set(NETWORK)
