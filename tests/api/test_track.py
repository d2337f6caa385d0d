"""``track/list`` and ``track/read``: where a tracker was."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import NOON, World

from waypost.telemetry.message import LBS, Message

pytestmark = pytest.mark.anyio

MINUTE = 60_000
KM = 1 / 111.195
#: Two hours ago: 05:00:00 in New York, where the user is.
START = NOON - 120 * MINUTE
DAY = {"from": "2024-03-09 00:00:00", "to": "2024-03-09 23:59:59"}


def at(minute: float, km: float, speed: float, **fields: Any) -> Message:
    time = START + int(minute * MINUTE)
    return Message(
        time=time,
        digest_of=f"{minute} {fields}".encode(),
        latitude=52.0 + km * KM,
        longitude=13.0,
        altitude=34.6,
        speed=speed,
        heading=359.0,
        satellites=9,
        **fields,
    )


@pytest.fixture
async def tracker(world: World) -> dict[str, Any]:
    """It drives 10 km, stands for twenty minutes, drives 5 km on, and stands."""
    made = await world.register("one")
    out = [at(minute, minute, 60.0) for minute in range(10)]
    rest = [at(10 + minute, 10, 0.0) for minute in range(20)]
    on = [at(30 + minute, 10 + minute, 61.4) for minute in range(5)]
    end = [at(35 + minute, 15, 0.0) for minute in range(8)]
    await world.report(made, *out, *rest)
    await world.report(made, *on, *end)
    return made


async def test_trips_are_split_by_stops(world: World, tracker: dict[str, Any]) -> None:
    reply = await world.call("track/list", tracker_id=tracker["id"], **DAY)
    assert reply["limit_exceeded"] is False
    first, second = reply["list"]
    assert first == {
        "type": "regular",
        "id": START // 1000,
        "start_date": "2024-03-09 05:00:00",
        "start_address": "",
        "max_speed": 60,
        "end_date": "2024-03-09 05:10:00",
        "end_address": "",
        "length": 10.0,
        "points": 11,
        "avg_speed": 60,
        "bounds": {
            "nw": {"lat": pytest.approx(52 + 10 * KM), "lng": 13.0},
            "se": {"lat": 52.0, "lng": 13.0},
        },
    }
    assert (second["start_date"], second["end_date"]) == (
        "2024-03-09 05:30:00",
        "2024-03-09 05:35:00",
    )
    assert second["max_speed"] == 61


async def test_trips_can_be_shown_as_one_and_with_positions(
    world: World, tracker: dict[str, Any]
) -> None:
    fields = {"tracker_id": tracker["id"], **DAY}
    (whole,) = (await world.call("track/list", **fields, split=False))["list"]
    assert whole["type"] == "merged"
    assert "id" not in whole
    assert (whole["points"], whole["length"]) == (17, 15.0)
    shown = await world.call(
        "track/list", **fields, with_points=True, count_events=True, point_limit=2
    )
    assert [len(trip["points_list"]) for trip in shown["list"]] == [2, 2]
    assert [trip["event_count"] for trip in shown["list"]] == [0, 0]
    assert shown["list"][0]["points"] == 11


async def test_events_of_a_trip_are_counted(world: World) -> None:
    made = await world.register("one")
    routine = [at(minute, minute, 60.0, event_id=403) for minute in range(5)]
    await world.report(made, *routine, at(5, 5, 60.0, event_id=241), at(6, 6, 60.0, event_id=9999))
    reply = await world.call("track/list", tracker_id=made["id"], **DAY, count_events=True)
    assert [trip["event_count"] for trip in reply["list"]] == [1]


async def test_positions_are_read_as_they_were_stored(
    world: World, tracker: dict[str, Any]
) -> None:
    fields = {"tracker_id": tracker["id"], **DAY}
    reply = await world.call("track/read", **fields)
    points = reply["list"]
    assert len(points) == 43
    assert points[1] == {
        "lat": pytest.approx(52 + KM),
        "lng": 13.0,
        "alt": 35,
        "satellites": 9,
        "mileage": 1.0,
        "get_time": "2024-03-09 05:01:00",
        "address": "",
        "heading": 359,
        "speed": 60,
    }
    assert [point.get("parking") for point in points[10:12]] == [None, True]
    assert points[-1]["mileage"] == 15.0
    trips_only = await world.call("track/read", **fields, filter=True)
    assert len(trips_only["list"]) == 17
    few = await world.call("track/read", **fields, point_limit=5)
    assert 2 <= len(few["list"]) <= 5
    every = await world.call("track/read", **fields, point_limit=5, simplify=False)
    assert len(every["list"]) == 43


async def test_one_track_by_its_id(world: World, tracker: dict[str, Any]) -> None:
    fields = {"tracker_id": tracker["id"], **DAY}
    _, second = (await world.call("track/list", **fields))["list"]
    reply = await world.call("track/read", **fields, track_id=second["id"], simplify=False)
    assert len(reply["list"]) == second["points"]
    assert reply["list"][0]["get_time"] == second["start_date"]
    assert (await world.call("track/read", **fields, track_id=1))["list"] == []


async def test_only_what_lies_in_the_period(world: World, tracker: dict[str, Any]) -> None:
    fields = {"tracker_id": tracker["id"], "simplify": False}
    span = {"from": "2024-03-09 05:02:00", "to": "2024-03-09T05:04:00-05:00"}
    reply = await world.call("track/read", **fields, **span)
    assert [point["get_time"][11:] for point in reply["list"]] == [
        "05:02:00",
        "05:03:00",
        "05:04:00",
    ]
    nothing = {"from": "2024-03-01 00:00:00", "to": "2024-03-02 00:00:00"}
    assert (await world.call("track/read", **fields, **nothing))["list"] == []
    assert (await world.call("track/list", **fields, **nothing))["list"] == []


async def test_late_and_doubled_reports_take_their_place_once(
    world: World, tracker: dict[str, Any]
) -> None:
    late = at(2.5, 2.5, 60.0, buffered=True)
    await world.report(tracker, late, late, at(3, 3, 60.0))
    reply = await world.call("track/read", tracker_id=tracker["id"], **DAY, simplify=False)
    times = [point["get_time"] for point in reply["list"]]
    assert times == sorted(times)
    assert len(times) == 44
    assert reply["list"][3]["buffered"] is True


async def test_positions_by_the_network_can_be_left_out(world: World) -> None:
    made = await world.register("one")
    await world.report(
        made,
        *(at(minute, minute, 60.0) for minute in range(5)),
        at(50, 40, 0.0, source=LBS, precision=700),
        at(60, 60, 0.0, source=LBS, precision=700),
        at(70, 60.2, 0.0, source=LBS, precision=700),
        at(80, 60.9, 0.0, source=LBS, precision=500),
    )
    fields = {"tracker_id": made["id"], **DAY}
    reply = await world.call("track/list", **fields)
    assert [track["type"] for track in reply["list"]] == ["regular"] + ["single_report"] * 3
    assert reply["list"][1] == {
        "type": "single_report",
        "id": (START + 50 * MINUTE) // 1000,
        "start_date": "2024-03-09 05:50:00",
        "start_address": "",
        "avg_speed": 0,
        "gsm_lbs": True,
        "precision": 700,
    }
    clustered = await world.call("track/list", **fields, cluster_single_reports=True)
    cluster = clustered["list"][-1]
    assert (cluster["type"], len(cluster["points"])) == ("cluster", 2)
    assert (cluster["precision"], cluster["gsm_lbs"]) == (700, True)
    without = await world.call("track/list", **fields, include_gsm_lbs=False)
    assert [track["type"] for track in without["list"]] == ["regular"]
    points = (await world.call("track/read", **fields))["list"]
    assert [point.get("gsm_lbs", False) for point in points] == [False] * 5 + [True] * 4
    points = (await world.call("track/read", **fields, include_gsm_lbs=False))["list"]
    assert len(points) == 5


async def test_fixes_that_the_device_does_not_believe_are_left_out(world: World) -> None:
    made = await world.register("one")
    await world.report(made, at(0, 0, 0.0), at(1, 500, 0.0, valid=False))
    reply = await world.call("track/read", tracker_id=made["id"], **DAY)
    assert len(reply["list"]) == 1


async def test_noise_is_filtered_unless_wanted(world: World) -> None:
    made = await world.register("one")
    await world.report(made, at(0, 0, 0.0), at(1, 0.01, 5.0), at(2, 0, 0.0), at(9, 0, 0.0))
    fields = {"tracker_id": made["id"], **DAY}
    assert (await world.call("track/list", **fields))["list"] == []
    assert len((await world.call("track/list", **fields, filter=False))["list"]) == 1


async def test_what_is_no_longer_kept_is_said(world: World, tracker: dict[str, Any]) -> None:
    long = {"from": "2023-10-01 00:00:00", "to": "2024-03-09 23:59:59"}
    fields = {"tracker_id": tracker["id"]}
    assert (await world.call("track/list", **fields, **long))["limit_exceeded"] is False
    past = {"from": "2023-01-01 00:00:00", "to": "2023-04-01 00:00:00"}
    for action in ("list", "read"):
        reply = await world.call(f"track/{action}", **fields, **past)
        assert (reply["limit_exceeded"], reply["list"]) == (True, [])
        too_long = {**long, "from": "2023-09-01 00:00:00"}
        assert await world.code(f"track/{action}", **fields, **too_long) == 211


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"from": None}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2024-02-30 00:00:00"}, "to"),
        ({"to": "2024-03-08 00:00:00"}, "to"),
        ({"point_limit": 1}, "point_limit"),
        ({"point_limit": 3001}, "point_limit"),
    ],
)
async def test_wrong_parameters_are_named(
    world: World, tracker: dict[str, Any], params: dict[str, Any], parameter: str
) -> None:
    for action in ("list", "read"):
        fields = {"tracker_id": tracker["id"], **DAY, **params}
        reply = await world.call(f"track/{action}", **fields)
        assert reply["status"]["code"] == 7
        assert reply["errors"][0]["parameter"] == parameter


async def test_foreign_and_blocked_trackers_have_no_tracks(
    world: World, tracker: dict[str, Any]
) -> None:
    for action in ("list", "read"):
        fields = {"tracker_id": tracker["id"], **DAY}
        missing = await world.call(f"track/{action}", **{**fields, "tracker_id": 98765})
        assert missing["status"]["code"] == 201
        assert await world.call(f"track/{action}", "stranger", **fields) == missing
    await world.call("panel/tracker/source/update", tracker_id=tracker["id"], blocked=True)
    for action in ("list", "read"):
        assert await world.code(f"track/{action}", tracker_id=tracker["id"], **DAY) == 208
