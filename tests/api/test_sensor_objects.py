"""``tracker/sensor/*``: making, changing, copying and deleting sensors, and their calibration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import update

from waypost.catalog import sensors as catalog
from waypost.store.tables import sources
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

METERING = {
    "type": "metering",
    "sensor_type": "temperature",
    "name": "OBD Coolant temperature",
    "input_name": "obd_coolant_t",
    "divider": 1.0,
    "accuracy": 0.0,
    "units": "",
    "units_type": "celsius",
    "parameters": {
        "parent_ids": [123042, 123566],
        "volume": 0.7,
        "min": 0.0,
        "max": 12.0,
        "max_lowering_by_time": 120.0,
        "max_lowering_by_mileage": 120.0,
        "ignore_drains_in_move": True,
        "ignore_refuels_in_move": False,
        "refuel_gap_minutes": 11,
        "custom_field_name": False,
    },
}
DISCRETE = {"type": "discrete", "sensor_type": "ignition", "name": "Ignition", "input_number": 4}
VIRTUAL = {
    "type": "virtual",
    "sensor_type": "virtual_ignition",
    "name": "Virtual Ignition",
    "input_name": "board_voltage",
    "custom_field_name": False,
    "parameters": {
        "calc_method": "in_range",
        "range_from": 13.4,
        "value_titles": [{"value": "0", "title": "Off"}, {"value": "1", "title": "On"}],
    },
}


async def make(world: World, tracker: dict[str, Any], **sensor: Any) -> int:
    known = {"type": "metering", "sensor_type": "custom", "name": "S", "units": "x"}
    reply = await world.call(
        "tracker/sensor/create", tracker_id=tracker["id"], sensor={**known, **sensor}
    )
    assert reply["success"], reply
    return int(reply["id"])


async def sensors(world: World, tracker: dict[str, Any]) -> list[dict[str, Any]]:
    reply = await world.call("tracker/sensor/list", tracker_id=tracker["id"])
    found: list[dict[str, Any]] = reply["list"]
    return found


async def refused(world: World, path: str, **params: Any) -> tuple[int, str]:
    reply = await world.call(path, **params)
    assert not reply["success"]
    named = reply["errors"][0]["parameter"] if "errors" in reply else ""
    return reply["status"]["code"], named


async def clone_of(world: World, tracker: dict[str, Any]) -> int:
    """A clone in the stranger's account."""
    reply = await world.call(
        "panel/tracker/clone",
        tracker_id=tracker["id"],
        label="clone",
        user_id=world.ids["stranger"],
    )
    assert reply["success"], reply
    return int(reply["id"])


async def block(world: World, tracker: dict[str, Any]) -> None:
    async with world.services.fleet.write() as write:
        await write.connection.execute(
            update(sources).where(sources.c.id == tracker["source"]["id"]).values(blocked=True)
        )
        write.changes.sources.add(tracker["source"]["id"])


@pytest.mark.parametrize("printed", [METERING, DISCRETE, VIRTUAL])
async def test_a_sensor_is_listed_as_it_was_made(world: World, printed: dict[str, Any]) -> None:
    made = await world.register("one")
    assert await sensors(world, made) == []
    reply = await world.call("tracker/sensor/create", tracker_id=made["id"], sensor=printed)
    assert set(reply) == {"success", "id"}
    assert await sensors(world, made) == [{**printed, "id": reply["id"]}]
    many = await world.call("tracker/sensor/batch_list", trackers=[made["id"]])
    assert many["result"] == {str(made["id"]): [{**printed, "id": reply["id"]}]}


async def test_a_sensor_comes_in_other_forms_too(world: World) -> None:
    made = await world.register("one")
    text = '{"type":"metering","sensor_type":"fuel","name":"T","input_name":"analog_1"}'
    params = {"hash": world.hashes["user"], "tracker_id": made["id"], "sensor": text}
    reply = world.checked(await world.client.post("/v2/tracker/sensor/create", data=params))
    assert reply["success"], reply
    assert await sensors(world, made) == [
        {
            "type": "metering",
            "id": reply["id"],
            "sensor_type": "fuel",
            "name": "T",
            "input_name": "analog_1",
            "divider": 1.0,
            "accuracy": 0.0,
            "units": "",
            "units_type": "custom",
        }
    ]


@pytest.mark.parametrize(
    ("sensor", "parameter"),
    [
        ({}, "sensor.type"),
        ({"type": "magic"}, "sensor.type"),
        ({**METERING, "sensor_type": "ignition"}, "sensor.sensor_type"),
        ({**METERING, "name": "x" * 101}, "sensor.name"),
        ({**METERING, "input_name": "x" * 65}, "sensor.input_name"),
        ({**METERING, "input_name": " "}, "sensor.input_name"),
        ({**METERING, "divider": 0}, "sensor.divider"),
        ({**METERING, "divider": "much"}, "sensor.divider"),
        ({**METERING, "accuracy": 100.5}, "sensor.accuracy"),
        ({**METERING, "accuracy": -0.25}, "sensor.accuracy"),
        ({**METERING, "units_type": "furlong"}, "sensor.units_type"),
        ({**METERING, "parameters": [1]}, "sensor.parameters"),
        ({**METERING, "parameters": {"min": 2, "max": 1}}, "sensor.parameters.max"),
        ({**METERING, "input_name": "composite", "parameters": {}}, "sensor.parameters.parent_ids"),
        ({**METERING, "id": "first"}, "sensor.id"),
        ({**METERING, "id": 10**30}, "sensor.id"),
        ({**METERING, "group_type": {"a": [1]}}, "sensor.group_type"),
        ({**METERING, "group_type": 10**30}, "sensor.group_type"),
        ({**DISCRETE, "input_number": 0}, "sensor.input_number"),
        ({**DISCRETE, "input_number": 9}, "sensor.input_number"),
        ({"type": "discrete", "sensor_type": "door"}, "sensor.name"),
        ({**VIRTUAL, "sensor_type": "fuel"}, "sensor.sensor_type"),
        ({**VIRTUAL, "parameters": None}, "sensor.parameters"),
        ({**VIRTUAL, "parameters": {"calc_method": "in_range"}}, "sensor.parameters.range_from"),
        (
            {**VIRTUAL, "parameters": {"calc_method": "in_range", "range_from": 2, "range_to": 1}},
            "sensor.parameters.range_to",
        ),
        ({**VIRTUAL, "parameters": {"calc_method": "bit_index"}}, "sensor.parameters.bit_index"),
        (
            {**VIRTUAL, "parameters": {"calc_method": "bit_index", "bit_index": 0}},
            "sensor.parameters.bit_index",
        ),
        (
            {
                **VIRTUAL,
                "parameters": {
                    "calc_method": "identity",
                    "value_titles": [{"value": str(n), "title": "t"} for n in range(101)],
                },
            },
            "sensor.parameters.value_titles",
        ),
        (
            {
                **VIRTUAL,
                "parameters": {
                    "calc_method": "identity",
                    "value_titles": [{"value": "1", "title": "a"}, {"value": "1", "title": "b"}],
                },
            },
            "sensor.parameters.value_titles",
        ),
    ],
)
async def test_a_sensor_that_cannot_be_is_refused_by_name(
    world: World, sensor: dict[str, Any], parameter: str
) -> None:
    made = await world.register("one")
    assert await refused(world, "tracker/sensor/create", tracker_id=made["id"], sensor=sensor) == (
        7,
        parameter,
    )
    assert await sensors(world, made) == []


async def test_one_sensor_reads_an_input(world: World) -> None:
    made = await world.register("one")
    tracker_id = made["id"]
    first = await make(world, made, input_name="analog_1")
    other = await make(world, made, input_name="analog_2")
    await make(world, made, **DISCRETE)

    async def code(path: str, **sensor: Any) -> int:
        return await world.code(path, tracker_id=tracker_id, sensor=sensor)

    metering = {"type": "metering", "sensor_type": "fuel", "name": "B"}
    create, change = "tracker/sensor/create", "tracker/sensor/update"
    assert await code(create, **metering, input_name="analog_1") == 232
    assert await code(change, **metering, input_name="analog_1", id=other) == 232
    assert await code(change, **metering, input_name="analog_1", id=first) == 0
    door = {"type": "discrete", "sensor_type": "door", "name": "D"}
    assert await code(create, **door, input_number=4) == 232
    assert await code(create, **door, input_number=3) == 0
    state = {"type": "virtual", "sensor_type": "state", "name": "V", "input_name": "analog_1"}
    assert await code(create, **state) == 0
    assert await code(create, **state) == 0, "any number of states of one value"


async def test_a_tracker_has_one_ignition(world: World) -> None:
    made = await world.register("one")
    await make(world, made, **DISCRETE)
    await make(world, made, **VIRTUAL)
    create = "tracker/sensor/create"
    second = {**DISCRETE, "input_number": 1}
    assert await world.code(create, tracker_id=made["id"], sensor=second) == 270
    assert await world.code(create, tracker_id=made["id"], sensor=VIRTUAL) == 270
    door = await make(world, made, type="discrete", sensor_type="door", input_number=1)
    changed = {**second, "id": door}
    assert await world.code("tracker/sensor/update", tracker_id=made["id"], sensor=changed) == 270


async def test_two_at_once_end_with_one_sensor(world: World) -> None:
    made = await world.register("one")
    sensor = {"type": "metering", "sensor_type": "custom", "name": "S", "input_name": "analog_1"}
    codes = await asyncio.gather(
        *(
            world.code("tracker/sensor/create", tracker_id=made["id"], sensor=sensor)
            for _ in range(4)
        )
    )
    assert sorted(codes) == [0, 232, 232, 232]


async def test_changing_and_deleting(world: World) -> None:
    made = await world.register("one")
    other = await world.register("two")
    first = await make(world, made, input_name="analog_1")
    strange = await make(world, other, input_name="analog_1")
    changed = {"type": "discrete", "sensor_type": "door", "name": "Back", "input_number": 2}
    change, delete = "tracker/sensor/update", "tracker/sensor/delete"
    reply = await world.call(change, tracker_id=made["id"], sensor={**changed, "sensor_id": first})
    assert reply == {"success": True}
    assert await sensors(world, made) == [{**changed, "id": first}]
    for sensor_id in (strange, 0, 99_999):
        wanted = {**changed, "id": sensor_id}
        assert await world.code(change, tracker_id=made["id"], sensor=wanted) == 201
        assert await world.code(delete, tracker_id=made["id"], sensor_id=sensor_id) == 201
    assert await world.code(delete, tracker_id=made["id"], sensor_id=first) == 0
    assert await world.code(delete, tracker_id=made["id"], sensor_id=first) == 201
    assert len(await sensors(world, other)) == 1


async def test_who_may_change_sensors(world: World) -> None:
    made = await world.register("one")
    clone = await clone_of(world, made)
    first = await make(world, made, input_name="analog_1")
    calls: dict[str, dict[str, Any]] = {
        "create": {"sensor": {**DISCRETE}},
        "update": {"sensor": {**DISCRETE, "id": first}},
        "delete": {"sensor_id": first},
        "calibration_data/update": {"sensor_id": first, "data": []},
        "calibration_data/upload_omnicomm": {"sensor_id": first},
    }
    for path, params in calls.items():
        action = f"tracker/sensor/{path}"
        assert await world.code(action, "sub", tracker_id=made["id"], **params) == 13
        assert await world.code(action, "foreigner", tracker_id=made["id"], **params) == 201
        assert await world.code(action, "stranger", tracker_id=made["id"], **params) == 201
        assert await world.code(action, "stranger", tracker_id=clone, **params) == 219
    batch = {"base_tracker_id": made["id"], "trackers": []}
    assert await world.code("tracker/sensor/batch_copy", "sub", **batch) == 13
    seen = await world.call("tracker/sensor/list", "stranger", tracker_id=clone)
    assert [one["id"] for one in seen["list"]] == [first], "a clone shows the device's sensors"
    await block(world, made)
    for path, params in {**calls, "list": {}}.items():
        assert await world.code(f"tracker/sensor/{path}", tracker_id=made["id"], **params) == 208
    assert await world.code("tracker/sensor/batch_list", trackers=[made["id"]]) == 217


async def test_batch_list_bounds(world: World) -> None:
    made = await world.register("one")
    path = "tracker/sensor/batch_list"
    assert (await world.call(path, trackers=[]))["result"] == {}
    assert await world.code(path, trackers=[made["id"], 99_999]) == 217
    assert await world.code(path, trackers=list(range(501))) == 221
    assert await world.code(path, trackers=[made["id"]] * 501) == 0, "each counts once"
    assert await world.code(path, trackers=list(range(10_001))) == 7


async def test_composite_sensors_follow_their_parts(world: World) -> None:
    made = await world.register("one")
    left = await make(world, made, sensor_type="fuel", input_name="lls_level_1")
    right = await make(world, made, sensor_type="fuel", input_name="lls_level_2")
    both = {"sensor_type": "fuel", "input_name": "composite"}
    tank = await make(world, made, **both, parameters={"parent_ids": [left, right]})
    bad: list[Any] = [[], [left, left], [left, 99_999], [tank, left]]
    for parts in bad:
        sensor = {"type": "metering", "name": "C", **both, "parameters": {"parent_ids": parts}}
        assert await refused(
            world, "tracker/sensor/create", tracker_id=made["id"], sensor=sensor
        ) == (7, "sensor.parameters.parent_ids")
    assert await world.code("tracker/sensor/delete", tracker_id=made["id"], sensor_id=left) == 0
    found = {one["id"]: one for one in await sensors(world, made)}
    assert found[tank]["parameters"] == {"parent_ids": [right]}


async def test_copying_sensors_to_devices_of_the_same_model(world: World) -> None:
    base = await world.register("base")
    twin, third = await world.register("twin"), await world.register("third")
    other = await world.register("other", model="telfmb920")
    left = await make(world, base, sensor_type="fuel", input_name="lls_level_1")
    await make(world, base, **DISCRETE)
    parameters = {"parent_ids": [left]}
    await make(world, base, sensor_type="fuel", input_name="composite", parameters=parameters)
    table = [{"in": 0.0, "out": 0.0}, {"in": 5.0, "out": 100.0}]
    calibrate = "tracker/sensor/calibration_data/update"
    await world.call(calibrate, tracker_id=base["id"], sensor_id=left, data=table)
    await make(world, twin, input_name="analog_1")
    await world.call("tracker/counter/value/set", tracker_id=twin["id"], type="odometer", value=1)

    copy = "tracker/sensor/batch_copy"
    base_id, twin_id, third_id = base["id"], twin["id"], third["id"]
    assert await world.code(copy, base_tracker_id=99_999, trackers=[twin_id]) == 201
    assert await world.code(copy, base_tracker_id=base_id, trackers=[twin_id, 99_999]) == 201
    assert await world.code(copy, base_tracker_id=base_id, trackers=[other["id"]]) == 272
    assert await world.code(copy, base_tracker_id=base_id, trackers=[base_id]) == 7
    assert len(await sensors(world, twin)) == 1, "what is refused changes nothing"
    reply = await world.call(copy, base_tracker_id=base_id, trackers=[twin_id, third_id, twin_id])
    assert reply == {"success": True}
    for target in (twin, third):
        copied = await sensors(world, target)
        assert [(one["type"], one["sensor_type"]) for one in copied] == [
            ("metering", "fuel"),
            ("discrete", "ignition"),
            ("metering", "fuel"),
        ]
        assert copied[2]["parameters"] == {"parent_ids": [copied[0]["id"]]}
        read = "tracker/sensor/calibration_data/read"
        reply = await world.call(read, tracker_id=target["id"], sensor_id=copied[0]["id"])
        assert reply["value"] == table
    clone = await clone_of(world, twin)
    mine = await world.register("mine", "stranger")
    assert await world.code(copy, "stranger", base_tracker_id=mine["id"], trackers=[clone]) == 219
    await block(world, third)
    assert await world.code(copy, base_tracker_id=base_id, trackers=[third_id]) == 208


async def test_calibration_tables(world: World) -> None:
    made = await world.register("one")
    sensor_id = await make(world, made, sensor_type="fuel", input_name="analog_1")
    who = {"tracker_id": made["id"], "sensor_id": sensor_id}
    read, change = (f"tracker/sensor/calibration_data/{name}" for name in ("read", "update"))
    assert (await world.call(read, **who))["value"] == []
    points = [{"in": 0.7, "out": 60.0}, {"in": 0.0, "out": 0.0}]
    assert await world.call(change, **who, data=points) == {"success": True}
    assert (await world.call(read, **who))["value"] == points[::-1]
    wrong: list[Any] = [
        [{"in": 1, "out": 1}],
        [{"in": 1, "out": 1}, {"in": 1, "out": 2}],
        [{"in": 1}, {"in": 2, "out": 2}],
        [{"in": "nan", "out": 1}, {"in": 2, "out": 2}],
        [{"in": 1e300, "out": 1}, {"in": 2, "out": 2}],
        [{"in": n, "out": n} for n in range(1001)],
        {},
        "[",
    ]
    for data in wrong:
        assert await world.code(change, **who, data=data) == 7
    assert (await world.call(read, **who))["value"] == points[::-1]
    # A sensor that goes on measuring keeps its table; one that does not, loses it.
    sensor = {"type": "metering", "sensor_type": "fuel", "name": "T", "input_name": "analog_2"}
    await world.call(
        "tracker/sensor/update", tracker_id=made["id"], sensor={**sensor, "id": sensor_id}
    )
    assert (await world.call(read, **who))["value"] == points[::-1]
    assert await world.call(change, **who, data=[]) == {"success": True}
    assert (await world.call(read, **who))["value"] == []
    for other in (DISCRETE, VIRTUAL):
        other_id = await make(world, made, **other)
        wrong_kind = {"tracker_id": made["id"], "sensor_id": other_id}
        assert await world.code(read, **wrong_kind) == 228
        assert await world.code(change, **wrong_kind, data=[]) == 228
    assert await world.code(read, tracker_id=made["id"], sensor_id=99_999) == 201
    assert await world.code(change, tracker_id=made["id"], sensor_id=99_999, data=[]) == 201


TWO_SENSORS = b"""<?xml version="1.0" encoding="utf-8"?>
<LlsMonitor>
 <Sensor Number="1"><Table><Row N="0" V="0"/><Row N="4095" V="200,5"/></Table></Sensor>
 <Sensor Number="2">
  <Table><Point><Code>100</Code><Volume>0</Volume></Point>
   <Point><Code>900</Code><Volume>80</Volume></Point></Table>
 </Sensor>
</LlsMonitor>"""
ONE_SENSOR = b"<t><row code='1' volume='5'/><row code='2' volume='9'/></t>"
BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><t><row code="1" volume="5"/></t>'


async def test_calibration_from_a_file_of_lls_monitor(world: World) -> None:
    made = await world.register("one")
    second = await make(world, made, sensor_type="fuel", input_name="lls_level_2")
    level = await make(world, made, sensor_type="fuel", input_name="fuel_level")

    async def upload(sensor_id: int, content: bytes | None, **more: Any) -> int:
        params = {
            "hash": world.hashes["user"],
            "tracker_id": made["id"],
            "sensor_id": sensor_id,
            **more,
        }
        files = (
            {"file": ("lls.xml", content, "text/xml")} if content is not None else {"x": ("x", b"")}
        )
        path = "/v2/tracker/sensor/calibration_data/upload_omnicomm"
        reply = await world.client.post(path, data=params, files=files)
        body = world.checked(reply)
        return 0 if body["success"] else int(body["status"]["code"])

    async def table(sensor_id: int) -> list[tuple[float, float]]:
        path = "tracker/sensor/calibration_data/read"
        reply = await world.call(path, tracker_id=made["id"], sensor_id=sensor_id)
        return [(one["in"], one["out"]) for one in reply["value"]]

    assert await upload(second, TWO_SENSORS) == 0
    assert await table(second) == [(100, 0), (900, 80)], "that of the input's number"
    assert await upload(level, TWO_SENSORS) == 235, "which of them is not said"
    assert await upload(level, TWO_SENSORS, sensor_number=1) == 0
    assert await table(level) == [(0, 0), (4095, 200.5)]
    assert await upload(level, TWO_SENSORS, sensor_number=3) == 235
    assert await upload(level, ONE_SENSOR) == 0
    assert await table(level) == [(1, 5), (2, 9)]
    assert await upload(level, b"<t><row code='1'/></t>") == 235
    assert await upload(level, b"<t><row code='1' volume='1'/></t>") == 234
    assert await upload(level, b"<t>") == 234
    assert await upload(level, b"") == 234
    assert await upload(level, BOMB) == 234
    assert await upload(level, b"<a>" * 100 + b"</a>" * 100) == 234
    assert await upload(level, None) == 233
    assert await table(level) == [(1, 5), (2, 9)]


async def test_the_history_of_a_sensor(world: World) -> None:
    made = await world.register("one")
    level = await make(
        world, made, sensor_type="fuel", input_name="analog_1", parameters={"max": 4.0}
    )
    other = await make(world, made, sensor_type="fuel", input_name="analog_2")
    both = {"sensor_type": "fuel", "input_name": "composite"}
    tank = await make(world, made, **both, parameters={"parent_ids": [level, other]})
    ignition = await make(world, made, **VIRTUAL)
    door = await make(world, made, **{**DISCRETE, "sensor_type": "door"})
    table = [{"in": 0.0, "out": 0.0}, {"in": 1.0, "out": 100.0}]
    calibrate = "tracker/sensor/calibration_data/update"
    await world.call(calibrate, tracker_id=made["id"], sensor_id=level, data=table)
    told: list[dict[str, Any]] = [
        {"analog_1": 0.25, "board_voltage": 12.0},
        {"analog_2": 7.0, "board_voltage": 14.0},
        {"analog_1": 5.0},
        {"analog_1": 0.5},
    ]
    await world.report(
        made,
        *(
            Message(time=NOON - 60_000 + n * 1000, digest_of=bytes([n]), values=values)
            for n, values in enumerate(told)
        ),
    )

    path = "tracker/sensor/data/read"
    span = {"from": "2024-03-09 06:00:00", "to": "2024-03-09 07:00:00"}

    async def values(sensor_id: int, **more: Any) -> list[tuple[Any, str]]:
        params = {"tracker_id": made["id"], "sensor_id": sensor_id, **span, **more}
        reply = await world.call(path, **params)
        assert reply["success"], reply
        return [(one["value"], one["get_time"][-8:]) for one in reply["list"]]

    assert await values(level) == [(25.0, "06:59:00"), (50.0, "06:59:03")]
    assert await values(level, raw_data=True) == [
        (0.25, "06:59:00"),
        (5.0, "06:59:02"),
        (0.5, "06:59:03"),
    ]
    assert await values(tank) == [(32.0, "06:59:01"), (57.0, "06:59:03")]
    assert await values(ignition) == [("Off", "06:59:00"), ("On", "06:59:01")]
    who = {"tracker_id": made["id"]}
    assert await world.code(path, **who, sensor_id=door, **span) == 228
    assert await world.code(path, **who, sensor_id=99_999, **span) == 201
    wide = {"from": "2024-02-01 00:00:00", "to": "2024-03-09 00:00:00"}
    assert await world.code(path, **who, sensor_id=level, **wide) == 211
    assert await world.code(path, **who, sensor_id=door, **wide) == 228
    turned = {"from": span["to"], "to": span["from"]}
    assert await world.code(path, **who, sensor_id=level, **turned) == 7
    assert await world.code(path, **who, sensor_id=level, **{**span, "to": "soon"}) == 7


async def test_the_names_of_inputs(world: World) -> None:
    reply = await world.call("tracker/sensor/input_name/list")
    rows = {one["input_name"]: one for one in reply["list"]}
    assert len(rows) == len(reply["list"])
    assert rows["board_voltage"] == {"input_name": "board_voltage", "description": "Board voltage"}
    assert rows["analog"]["description"] == "Analog [N]"
    assert rows["door_state_16"]["value_type"] == "Boolean"
    assert rows["can_hood_state"]["value_titles"] == {"0": "closed", "1": "open"}
    assert rows["obd_dtc_cleared_distance"]["value_type"] == "Double"
    inputs = {row.name.removesuffix("_") for row in catalog.sensors().inputs}
    assert inputs <= set(rows)
