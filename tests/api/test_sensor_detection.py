"""``settings/trip_detection/*`` and ``settings/lbs/*``: they decide what moves and what a trip
is."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import NOON, World
from test_sensor_counters import KM, at, drive
from test_sensor_objects import DISCRETE, block, clone_of, make

from waypost.telemetry.message import LBS, Message

pytestmark = pytest.mark.anyio

DEFAULT = {
    "min_idle_duration_minutes": 5,
    "idle_speed_threshold": 3,
    "ignition_aware": False,
    "motion_sensor_aware": False,
}
DAY = {"from": "2024-03-09 00:00:00", "to": "2024-03-10 00:00:00"}


async def detect(world: World, tracker: dict[str, Any], **settings: Any) -> None:
    path = "tracker/settings/trip_detection/update"
    reply = await world.call(path, tracker_id=tracker["id"], **{**DEFAULT, **settings})
    assert reply == {"success": True}


async def movement(world: World, tracker: dict[str, Any]) -> str:
    reply = await world.call("tracker/get_state", tracker_id=tracker["id"])
    return str(reply["state"]["movement_status"])


async def trips(world: World, tracker: dict[str, Any]) -> int:
    return len((await world.call("track/list", tracker_id=tracker["id"], **DAY))["list"])


async def test_settings_are_kept(world: World) -> None:
    made = await world.register("one")
    who = {"tracker_id": made["id"]}
    read = "tracker/settings/trip_detection/read"
    assert await world.call(read, **who) == {"success": True, **DEFAULT}
    wanted = {**DEFAULT, "min_idle_duration_minutes": 15, "ignition_aware": True}
    await detect(world, made, **wanted)
    assert await world.call("tracker/settings/lbs/update", **who, max_radius=300) == {
        "success": True
    }
    assert await world.call(read, **who) == {"success": True, **wanted}
    lbs = await world.call("tracker/settings/lbs/read", **who)
    assert lbs == {"success": True, "max_radius": 300}
    await detect(world, made)
    assert await world.call(read, **who) == {"success": True, **DEFAULT}
    text = {**DEFAULT, "min_idle_duration_minutes": "7", "idle_speed_threshold": "0"}
    await detect(world, made, **text)
    assert (await world.call(read, **who))["min_idle_duration_minutes"] == 7


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("min_idle_duration_minutes", 0),
        ("min_idle_duration_minutes", 1441),
        ("idle_speed_threshold", -1),
        ("idle_speed_threshold", 201),
        ("ignition_aware", "perhaps"),
        ("motion_sensor_aware", None),
    ],
)
async def test_bounds(world: World, field: str, wrong: Any) -> None:
    made = await world.register("one")
    params = {**DEFAULT, field: wrong}
    path = "tracker/settings/trip_detection/update"
    assert await world.code(path, tracker_id=made["id"], **params) == 7


async def test_errors(world: World) -> None:
    made = await world.register("one")
    clone = await clone_of(world, made)
    calls: dict[str, dict[str, Any]] = {
        "trip_detection/read": {},
        "trip_detection/update": DEFAULT,
        "lbs/read": {},
        "lbs/update": {"max_radius": 10_000},
    }
    for name, params in calls.items():
        path = f"tracker/settings/{name}"
        assert await world.code(path, tracker_id=99_999, **params) == 204
        assert await world.code(path, "foreigner", tracker_id=made["id"], **params) == 204
        assert await world.code(path, "stranger", tracker_id=clone, **params) == 0
    update = "tracker/settings/trip_detection/update"
    assert await world.code(update, "sub", tracker_id=made["id"], **DEFAULT) == 13
    for wrong in (-1, 10_001, "far", None):
        path = "tracker/settings/lbs/update"
        assert await world.code(path, tracker_id=made["id"], max_radius=wrong) == 7
    await block(world, made)
    for name, params in calls.items():
        assert await world.code(f"tracker/settings/{name}", tracker_id=made["id"], **params) == 208


async def test_how_long_a_stand_ends_a_trip(world: World) -> None:
    made = await world.register("one")
    way = [at(n, n) for n in range(5)]
    halt = [at(4 + n, 4, 0) for n in range(1, 8)]
    onward = [at(12 + n, 4 + n) for n in range(1, 5)]
    await drive(world, made, *way, *halt, *onward)
    assert await trips(world, made) == 2
    await detect(world, made, min_idle_duration_minutes=10)
    assert await trips(world, made) == 1
    await drive(world, made, at(17, 8, 0))
    world.clock.pass_(6 * 60)
    assert await movement(world, made) == "stopped"
    await detect(world, made, min_idle_duration_minutes=1)
    assert await movement(world, made) == "parked", "at once, not with the next message"


async def test_how_fast_is_moving(world: World) -> None:
    made = await world.register("one")
    await detect(world, made, idle_speed_threshold=30)
    await drive(world, made, *(at(n, n / 4, 20) for n in range(5)))
    assert await movement(world, made) == "parked"
    assert await trips(world, made) == 0
    await detect(world, made, idle_speed_threshold=10)
    await drive(world, made, at(5, 1.25, 20))
    assert await movement(world, made) == "moving"
    assert await trips(world, made) == 1


async def test_the_ignition_decides_where_it_is_heeded(world: World) -> None:
    made = await world.register("one")
    await make(world, made, **DISCRETE)
    on, off = {"input_status": 0b1000}, {"input_status": 0}
    way = [at(n, n, **on) for n in range(5)]
    jam = [at(4 + n, 4, 0) for n in range(1, 9)]
    await drive(world, made, *way, *jam)
    assert await movement(world, made) == "parked"
    await detect(world, made, ignition_aware=True)
    await drive(world, made, at(13, 4, 0))
    assert await movement(world, made) == "stopped", "the engine runs"
    await drive(world, made, *(at(13 + n, 4 + n) for n in range(1, 5)), at(18, 8, 0, **off))
    assert await trips(world, made) == 1
    world.clock.pass_(5 * 60)
    assert await movement(world, made) == "parked"
    await drive(world, made, at(24, 8.3, 20))
    assert await movement(world, made) == "parked", "it wanders with the engine off"


async def test_uncertain_positions_by_the_network_do_not_show(world: World) -> None:
    made = await world.register("one")
    await world.call("tracker/settings/lbs/update", tracker_id=made["id"], max_radius=500)

    def by_network(minute: int, km: float, precision: int) -> Message:
        return Message(
            time=NOON + minute * 60_000,
            digest_of=bytes([minute]),
            latitude=km * KM,
            longitude=10.0,
            source=LBS,
            precision=precision,
        )

    await drive(world, made, at(0, 0, 0), by_network(40, 50, 900))
    state = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
    assert state["gps"]["location"]["lat"] == 0.0
    assert await trips(world, made) == 0
    await drive(world, made, by_network(41, 50, 400))
    state = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
    assert state["gps"]["location"]["lat"] == pytest.approx(50 * KM)
    assert await trips(world, made) == 1
    await world.call("tracker/settings/lbs/update", tracker_id=made["id"], max_radius=10_000)
    assert await trips(world, made) == 1, "one cluster, from whichever came first"
