"""``tracker/counter/*``, ``get_counters``, ``tracker/stats/*``: what a device has done so far, and
in a period."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import NOON, World
from test_sensor_objects import DISCRETE, block, clone_of, make

from waypost.fleet.counters import prune_marks, settle_all
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

MINUTE = 60_000
#: One kilometre in degrees of latitude.
KM = 1 / 111.195


def at(minute: float, km: float, speed: float = 60.0, **values: Any) -> Message:
    """A fix ``km`` north of the start, minutes from noon."""
    return Message(
        time=NOON + int(minute * MINUTE),
        digest_of=str((minute, km, sorted(values.items()))).encode(),
        latitude=km * KM,
        longitude=10.0,
        speed=speed,
        values=values,
    )


async def drive(world: World, tracker: dict[str, Any], *messages: Message) -> None:
    """The messages come when they are due, or now."""
    newest = max(message.time or 0 for message in messages)
    world.clock.now = max(world.clock.now, newest)
    await world.report(tracker, *messages)


async def odometer(world: World, tracker: dict[str, Any]) -> float:
    path = "tracker/counter/value/get"
    reply = await world.call(path, tracker_id=tracker["id"], type="odometer")
    assert reply["success"], reply
    return float(reply["value"])


async def set_odometer(world: World, tracker: dict[str, Any], value: float) -> None:
    path = "tracker/counter/value/set"
    reply = await world.call(path, tracker_id=tracker["id"], type="odometer", value=value)
    assert reply == {"success": True}


async def test_a_counter_counts_on_from_what_it_was_set_to(world: World) -> None:
    made = await world.register("one")
    who = {"tracker_id": made["id"]}
    assert (await world.call("tracker/get_counters", **who))["list"] == []
    assert await world.code("tracker/counter/value/get", **who, type="odometer") == 204
    assert await world.code("tracker/counter/read", **who, type="odometer") == 204
    await drive(world, made, at(0, 0))
    await set_odometer(world, made, 98_342.1)
    assert await odometer(world, made) == 98_342.1
    await drive(world, made, *(at(n, n) for n in range(1, 6)))
    assert await odometer(world, made) == pytest.approx(98_347.1, abs=0.01)
    reply = await world.call("tracker/get_counters", **who)
    assert reply["user_time"] == "2024-03-09 07:05:00"
    (shown,) = reply["list"]
    assert shown.pop("value") == pytest.approx(98_347.1, abs=0.01)
    assert shown == {"type": "odometer", "update_time": "2024-03-09 07:05:00"}
    listed = await world.call("tracker/counter/value/list", trackers=[made["id"]], type="odometer")
    assert listed["value"] == {str(made["id"]): pytest.approx(98_347.1, abs=0.01)}
    await set_odometer(world, made, 5)
    await drive(world, made, at(6, 6))
    assert await odometer(world, made) == pytest.approx(6, abs=0.01)
    read = await world.call("tracker/counter/read", **who, type="odometer")
    assert read["value"].pop("id") > 0
    assert read["value"] == {"type": "odometer", "multiplier": 1.0}


async def test_the_multiplier_is_for_what_comes(world: World) -> None:
    made = await world.register("one")
    who = {"tracker_id": made["id"], "type": "odometer"}
    update = "tracker/counter/update"
    assert await world.call(update, **who, multiplier=2) == {"success": True}
    assert await world.code("tracker/counter/value/get", **who) == 204, "no value yet"
    await drive(world, made, at(0, 0), at(1, 1))
    assert await odometer(world, made) == pytest.approx(2, abs=0.01)
    await world.call(update, **who, multiplier=0.5)
    assert await odometer(world, made) == pytest.approx(2, abs=0.01)
    await drive(world, made, at(2, 2))
    assert await odometer(world, made) == pytest.approx(2.5, abs=0.01)
    assert (await world.call("tracker/counter/read", **who))["value"]["multiplier"] == 0.5
    for wrong in (0, -1, "much", 1e7, None):
        assert await world.code(update, **who, multiplier=wrong) == 7


async def test_an_odometer_by_a_sensor(world: World) -> None:
    made, other = await world.register("one"), await world.register("two")
    who = {"tracker_id": made["id"], "type": "odometer"}
    update = "tracker/counter/update"
    sensor = await make(world, made, input_name="can_mileage", divider=1000)
    door = await make(world, made, **{**DISCRETE, "sensor_type": "door"})
    strange = await make(world, other, input_name="can_mileage")
    for wrong in (door, strange, 99_999, -1):
        assert await world.code(update, **who, multiplier=1, sensor_id=wrong) == 7
    engine = {**who, "type": "engine_hours"}
    assert await world.code(update, **engine, multiplier=1, sensor_id=sensor) == 7
    assert await world.code(update, **engine, multiplier=1) == 0
    await drive(world, made, at(0, 0, can_mileage=5_000_000))
    await set_odometer(world, made, 100)
    assert await world.code(update, **who, multiplier=1, sensor_id=sensor) == 0
    read = await world.call("tracker/counter/read", **who)
    assert read["value"]["sensor_id"] == sensor
    await drive(world, made, at(10, 8, can_mileage=5_009_000))
    assert await odometer(world, made) == pytest.approx(109)
    assert await world.code("tracker/sensor/delete", tracker_id=made["id"], sensor_id=sensor) == 0
    read = await world.call("tracker/counter/read", **who)
    assert "sensor_id" not in read["value"]
    assert await odometer(world, made) == pytest.approx(109)
    await drive(world, made, at(11, 9))
    assert await odometer(world, made) == pytest.approx(110, abs=0.01)


async def test_engine_hours_and_fuel(world: World) -> None:
    made = await world.register("one")
    for kind, value in (("engine_hours", 2368.2), ("fuel_consumed", 10)):
        path = "tracker/counter/value/set"
        assert await world.code(path, tracker_id=made["id"], type=kind, value=value) == 0
    await drive(
        world,
        made,
        at(0, 0, ignition=True, can_consumption=500.0),
        at(30, 20, ignition=True, can_consumption=503.0),
        at(36, 20, 0, ignition=False, can_consumption=503.5),
        at(66, 20, 0, ignition=False, can_consumption=503.5),
    )
    reply = await world.call("tracker/get_counters", tracker_id=made["id"])
    shown = {one["type"]: one["value"] for one in reply["list"]}
    assert shown == {
        "engine_hours": pytest.approx(2368.8),
        "fuel_consumed": pytest.approx(13.5),
    }


async def test_late_and_repeated_messages_count_once_and_in_their_place(world: World) -> None:
    made = await world.register("one")
    await set_odometer(world, made, 1000)
    # It drove a detour of two kilometres, which comes late.
    straight = [at(0, 0), at(10, 4)]
    detour = [at(n, km) for n, km in ((2, 2), (4, 3), (6, 4), (8, 5))]
    await drive(world, made, *straight)
    assert await odometer(world, made) == pytest.approx(1004, abs=0.01)
    await drive(world, made, *detour)
    assert await odometer(world, made) == pytest.approx(1006, abs=0.01)
    await drive(world, made, *straight, *detour)
    await drive(world, made, *detour[::-1])
    assert await odometer(world, made) == pytest.approx(1006, abs=0.01)
    await drive(world, made, at(11, 5))
    assert await odometer(world, made) == pytest.approx(1007, abs=0.01)
    assert await settle_all(world.services.fleet, world.clock.now) == 0


async def test_the_job_counts_late_messages_for_lists_too(world: World) -> None:
    made = await world.register("one")
    await set_odometer(world, made, 0)
    await drive(world, made, at(0, 0), at(10, 4))
    await drive(world, made, at(5, 6))
    path = "tracker/counter/value/list"

    async def listed() -> float:
        reply = await world.call(path, trackers=[made["id"]], type="odometer")
        return float(reply["value"][str(made["id"])])

    assert await listed() == pytest.approx(4, abs=0.01)
    assert await settle_all(world.services.fleet, world.clock.now) == 1
    assert await listed() == pytest.approx(8, abs=0.01)


async def test_what_is_late_for_a_time_before_it_was_set_changes_history_only(
    world: World,
) -> None:
    made = await world.register("one")
    await set_odometer(world, made, 0)
    await drive(world, made, at(0, 0), at(10, 4))
    await set_odometer(world, made, 500)
    await drive(world, made, at(5, 8))
    assert await odometer(world, made) == 500
    await drive(world, made, at(12, 6))
    assert await odometer(world, made) == pytest.approx(502, abs=0.01)


async def test_daily_marks_bound_what_is_counted_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await world.register("one")
    await set_odometer(world, made, 0)
    day = 24 * 60
    for number in range(4):
        await drive(world, made, *(at(number * day + n, number * 10 + n) for n in range(5)))
        await settle_all(world.services.fleet, world.clock.now)
    assert await odometer(world, made) == pytest.approx(34, abs=0.02)
    # A detour of the third day.
    await drive(world, made, at(2 * day + 1.5, 23))
    read: list[int] = []
    points = world.services.points
    page = points.page

    async def noted(source_id: int, start: int, end: int, **more: Any) -> Any:
        read.append(start)
        return await page(source_id, start, end, **more)

    monkeypatch.setattr(points, "page", noted)
    assert await odometer(world, made) == pytest.approx(36, abs=0.02)
    assert min(read) >= NOON + day * MINUTE, "not from the beginning"
    await settle_all(world.services.fleet, world.clock.now)
    await prune_marks(world.services.fleet, world.clock.now)
    assert await odometer(world, made) == pytest.approx(36, abs=0.02)
    await drive(world, made, at(1.5, 3))
    assert await odometer(world, made) == pytest.approx(38, abs=0.02), "from the beginning now"


async def test_two_at_once_leave_one_counter(world: World) -> None:
    made = await world.register("one")
    path = "tracker/counter/value/set"
    codes = await asyncio.gather(
        *(
            world.code(path, tracker_id=made["id"], type="odometer", value=value)
            for value in range(5)
        )
    )
    assert codes == [0] * 5
    assert await odometer(world, made) in range(5)
    assert len((await world.call("tracker/get_counters", tracker_id=made["id"]))["list"]) == 1


async def test_the_history_of_a_counter(world: World) -> None:
    made = await world.register("one")
    who = {"tracker_id": made["id"], "type": "odometer"}
    path = "tracker/counter/data/read"
    span = {"from": "2024-03-09 06:00:00", "to": "2024-03-09 09:00:00"}
    assert await world.code(path, **who, **span) == 204
    await set_odometer(world, made, 100)
    await drive(world, made, *(at(n / 2, n / 2) for n in range(5)))
    await drive(world, made, at(5, 2, 0))
    world.clock.now = NOON + 60 * MINUTE
    await set_odometer(world, made, 500)
    await drive(world, made, at(90, 4))

    async def history(**more: Any) -> list[tuple[float, str]]:
        reply = await world.call(path, **who, **{**span, **more})
        assert reply["success"], reply
        return [(round(one["value"], 1), one["update_time"][-8:]) for one in reply["list"]]

    assert await history() == [
        (100.5, "07:00:30"),
        (101.5, "07:01:30"),
        (102.0, "07:02:00"),
        (500.0, "08:00:00"),
        (502.0, "08:30:00"),
    ]
    assert await history(**{"from": "2024-03-09 07:01:00", "to": "2024-03-09 07:02:00"}) == [
        (101.5, "07:01:30"),
        (102.0, "07:02:00"),
    ]
    assert await history(to="2024-03-09 06:30:00") == []
    turned = {"from": span["to"], "to": span["from"]}
    assert await world.code(path, **who, **turned) == 7
    wide = {"from": "2024-02-01 00:00:00", "to": "2024-03-09 00:00:00"}
    assert await world.code(path, **who, **wide) == 7


async def test_errors_of_counters(world: World) -> None:
    made, bare = await world.register("one"), await world.register("two")
    clone = await clone_of(world, made)
    await set_odometer(world, made, 1)
    kind = {"type": "odometer"}
    span = {"from": "2024-03-09 06:00:00", "to": "2024-03-09 07:00:00"}
    calls: dict[str, dict[str, Any]] = {
        "counter/read": kind,
        "counter/update": {**kind, "multiplier": 1},
        "counter/value/get": kind,
        "counter/value/set": {**kind, "value": 1},
        "counter/data/read": {**kind, **span},
        "get_counters": {},
    }
    for name, params in calls.items():
        path = f"tracker/{name}"
        assert await world.code(path, tracker_id=99_999, **params) == 204
        assert await world.code(path, "foreigner", tracker_id=made["id"], **params) == 204
        if "type" in params:
            for wrong in ("speed", "", None):
                assert (
                    await world.code(path, tracker_id=made["id"], **{**params, "type": wrong}) == 7
                )
        refusing = name in ("counter/read", "counter/update", "counter/value/set")
        code = await world.code(path, "stranger", tracker_id=clone, **params)
        assert code == (219 if refusing else 0)
    update = calls["counter/update"]
    assert await world.code("tracker/counter/update", "sub", tracker_id=made["id"], **update) == 13
    for wrong in (-1, "far", None, 1e13):
        params = {**kind, "value": wrong}
        assert await world.code("tracker/counter/value/set", tracker_id=made["id"], **params) == 7
    listing = "tracker/counter/value/list"
    assert await world.code(listing, trackers=[made["id"], bare["id"]], **kind) == 204
    assert await world.code(listing, trackers=[made["id"], 99_999], **kind) == 217
    await block(world, made)
    for name, params in calls.items():
        assert await world.code(f"tracker/{name}", tracker_id=made["id"], **params) == 208
    assert await world.code(listing, trackers=[made["id"]], **kind) == 217


async def test_kilometres_by_day(world: World) -> None:
    made = await world.register("one")
    world.clock.now = NOON + 24 * 60 * MINUTE
    # Midnight in New York is five in the morning.
    start = 16 * 60 + 55
    await world.report(made, *(at(start + n, n) for n in range(11)))
    path = "tracker/stats/mileage/read"
    span = {"from": "2024-03-08 00:00:00", "to": "2024-03-10 02:00:00"}
    reply = await world.call(path, trackers=[made["id"]], **span)
    assert reply == {
        "success": True,
        "result": {
            str(made["id"]): {
                "2024-03-08": {"mileage": 0.0},
                "2024-03-09": {"mileage": pytest.approx(4, abs=0.02)},
                "2024-03-10": {"mileage": pytest.approx(6, abs=0.02)},
            }
        },
        "limit_exceeded": False,
    }
    track = await world.call("track/list", tracker_id=made["id"], **span)
    days = reply["result"][str(made["id"])].values()
    assert sum(day["mileage"] for day in days) == pytest.approx(
        track["list"][0]["length"], abs=0.02
    )
    old = {"from": "2023-02-01 00:00:00", "to": "2023-02-02 00:00:00"}
    assert (await world.call(path, trackers=[made["id"]], **old))["limit_exceeded"]
    assert await world.code(path, trackers=[made["id"], 99_999], **span) == 217
    assert await world.code(path, trackers=list(range(129)), **span) == 221
    wide = {"from": "2023-01-01 00:00:00", "to": "2024-01-01 00:00:00"}
    assert await world.code(path, trackers=[made["id"]], **wide) == 211
    turned = {"from": span["to"], "to": span["from"]}
    assert await world.code(path, trackers=[made["id"]], **turned) == 7
    ends = {"from": "9999-12-31 00:00:00", "to": "9999-12-31 23:59:59"}
    assert await world.code(path, trackers=[made["id"]], **ends) == 0


async def test_engine_hours_of_a_period(world: World) -> None:
    made = await world.register("one")
    clone = await clone_of(world, made)
    path = "tracker/stats/engine_hours/read"
    span = {"from": "2024-03-09 07:00:00", "to": "2024-03-09 08:00:00"}
    assert await world.code(path, tracker_id=made["id"], **span) == 214
    await drive(
        world,
        made,
        at(-10, 0, ignition=True),
        at(6, 5, ignition=True, input_status=0b1000),
        at(12, 5, ignition=False, input_status=0b1000),
        at(50, 5, ignition=True),
        at(70, 5, ignition=False, input_status=0),
    )

    async def hours(**more: str) -> float:
        reply = await world.call(path, tracker_id=made["id"], **{**span, **more})
        assert reply["success"], reply
        return float(reply["value"])

    assert await hours() == pytest.approx(22 / 60, abs=1e-3)
    assert await hours(to="2024-03-09 07:09:00") == pytest.approx(9 / 60, abs=1e-3)
    await make(world, made, **DISCRETE)
    assert await hours() == pytest.approx(16 / 60, abs=1e-3), "by the sensor, and no long silence"
    assert await world.code(path, "stranger", tracker_id=clone, **span) == 219
    assert await world.code(path, tracker_id=99_999, **span) == 204
    wide = {"from": "2023-01-01 00:00:00", "to": "2024-01-01 00:00:00"}
    assert await world.code(path, tracker_id=made["id"], **wide) == 211
    assert await world.code(path, tracker_id=made["id"], **{**span, "to": span["from"]}) == 0
    await block(world, made)
    assert await world.code(path, tracker_id=made["id"], **span) == 208
