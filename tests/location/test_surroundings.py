"""What of a report can be looked up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.location.surroundings import (
    MOST_CELLS,
    MOST_POINTS,
    cell_key,
    stored_unlocated,
    surroundings,
    unlocated,
)
from waypost.store.points import FUTURE, VALID, Point
from waypost.telemetry.message import Cell, Message, Wifi

NOW = 1_790_000_000_000
MINUTE = 60_000
CELL = Cell(5001, 301, 262, 1, -70)
WIFI = [Wifi("00:11:22:33:44:55", -60), Wifi("00-11-22-33-44-56", -50)]


def keys(*cells: Cell, network: Any = None) -> list[tuple[int, int, int, int]]:
    found = surroundings(cells, None, network)
    return [cell_key(cell) for cell in found.cells] if found is not None else []


def test_codes_that_mean_nothing_are_no_cells() -> None:
    nothing = [
        Cell(0, 301, 262, 1),
        Cell(0xFFFF, 301, 262, 1),
        Cell(0xFFFE, 301, 262, 1),
        Cell(5001, 0, 262, 1),
        Cell(5001, 0xFFFF, 262, 1),
        Cell(5001, 0xFFFFFFF, 262, 1),
        Cell(5001, 301, 1000, 1),
        Cell(5001, -301, 262, 1),
        Cell(5001, 2**40, 262, 1),
    ]
    assert keys(*nothing) == []
    assert keys(Cell(5001, 301), Cell(5001, 301, 0, 0)) == []
    assert keys(*nothing, CELL) == [(262, 1, 5001, 301)]


def test_neighbours_are_of_the_serving_cells_network() -> None:
    assert keys(CELL, Cell(5001, 302)) == [(262, 1, 5001, 301), (262, 1, 5001, 302)]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("26201", [(262, 1, 5001, 302)]),
        (310410, [(310, 410, 5001, 302)]),
        ("T-Mobile", []),
        ("2620", []),
        (None, []),
        (1.5, []),
    ],
)
def test_a_network_told_beside_the_cell(network: Any, expected: list[Any]) -> None:
    assert keys(Cell(5001, 302), network=network) == expected


def test_the_serving_cell_and_the_loudest_count_each_once() -> None:
    many = [Cell(5001, 1000 + n, 262, 1, -110 + n) for n in range(40)]
    found = keys(CELL, *many, *many)
    assert len(found) == MOST_CELLS
    assert found[:2] == [(262, 1, 5001, 301), (262, 1, 5001, 1039)]


def test_access_points_that_are_none() -> None:
    odd = [
        Wifi("00:00:00:00:00:00"),
        Wifi("ff:ff:ff:ff:ff:ff"),
        Wifi("02:11:22:33:44:55"),  # a phone's, made up
        Wifi("01:00:5e:00:00:01"),
        Wifi("not an address"),
        Wifi("00:11:22:33:44"),
    ]
    assert surroundings(None, odd) is None
    found = surroundings(None, [*odd, *WIFI, *WIFI])
    assert found is not None
    assert [point.mac for point in found.wifi] == ["00:11:22:33:44:56", "00:11:22:33:44:55"]
    many = [Wifi(f"00:11:22:33:44:{n:02x}") for n in range(100)]
    found = surroundings(None, many)
    assert found is not None
    assert len(found.wifi) == MOST_POINTS


def test_a_single_access_point_tells_nothing() -> None:
    assert surroundings(None, WIFI[:1]) is None
    assert surroundings([CELL], WIFI[:1]) is not None


@given(
    st.lists(
        st.builds(
            Cell,
            lac=st.integers(),
            cell_id=st.integers(),
            mcc=st.none() | st.integers(),
            mnc=st.none() | st.integers(),
            rssi=st.none() | st.integers(),
            type=st.none() | st.text(),
        )
    ),
    st.lists(st.builds(Wifi, mac=st.text(), rssi=st.none() | st.integers())),
    st.none() | st.text() | st.integers(),
)
def test_whatever_devices_say(cells: list[Cell], wifi: list[Wifi], network: Any) -> None:
    found = surroundings(cells, wifi, network)
    if found is not None:
        assert found.cells or len(found.wifi) >= 2
        assert len(found.key) == 16


def test_the_same_is_heard_however_loud_and_in_whatever_order() -> None:
    one = surroundings([CELL, Cell(5001, 302, 262, 1, -80)], WIFI)
    other = surroundings([Cell(5001, 302, 262, 1), CELL], WIFI[::-1])
    third = surroundings([CELL], WIFI)
    assert one is not None
    assert other is not None
    assert third is not None
    assert one.key == other.key != third.key


def message(**fields: Any) -> Message:
    return Message(**{"time": NOW, "digest_of": b"x", "cells": [CELL], **fields})


def test_a_report_is_of_the_moment_when_the_device_heard_it() -> None:
    def when(**fields: Any) -> int | None:
        found = unlocated(message(**fields), 7, 366, NOW + MINUTE)
        return found.time if found is not None else None

    assert when() == NOW
    assert when(time=NOW - MINUTE * 60, device_time=NOW) == NOW  # an old fix
    assert when(device_time=NOW + 3600_000) == NOW  # local time
    assert when(time=None) == NOW + MINUTE
    assert when(time=NOW + 3600_000) is None
    assert when(cells=None) is None


def test_a_stored_report_is_the_same_as_when_it_came() -> None:
    content = msgspec.msgpack.encode({"mobile_cells": [CELL], "wifi_points": WIFI, "x": 1})
    point = Point(7, NOW, NOW + 5, None, *[None] * 7, VALID, None, None, content)
    came = unlocated(message(wifi=WIFI), 7, 366, NOW + 5)
    stored = stored_unlocated(point, 366)
    assert came is not None
    assert stored is not None
    assert (came.identity, came.time, came.around) == (stored.identity, stored.time, stored.around)
    for other in (
        msgspec.structs.replace(point, flags=VALID | FUTURE),
        msgspec.structs.replace(point, content=None),
        msgspec.structs.replace(point, content=msgspec.msgpack.encode({"mobile_cells": "x"})),
    ):
        assert stored_unlocated(other, 366) is None
