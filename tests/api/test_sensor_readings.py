"""``get_readings``, ``get_fuel``, ``get_diagnostics``, ``get_inputs``, ``get_outputs``,
``readings/*``: what people see of what devices measure."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import event, update
from test_sensor_objects import DISCRETE, VIRTUAL, block, clone_of, make

from waypost.store.tables import users
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

READINGS = ("tracker/get_readings", "tracker/get_fuel", "tracker/get_diagnostics")


def message(time: int = NOON - 4000, **values: Any) -> Message:
    return Message(time=time, digest_of=str((time, sorted(values))).encode(), values=values)


def reading(**fields: Any) -> dict[str, Any]:
    known = {"units_type": "custom", "converted_units_type": None, "converted_value": None}
    return {**known, **fields}


async def measures_in(world: World, system: str) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(measurement_system=system))
    world.services.accounts.sessions.forget_user(world.ids["user"])


async def test_a_new_tracker_measures_nothing(world: World) -> None:
    made = await world.register("one")
    for path in READINGS:
        reply = await world.call(path, tracker_id=made["id"])
        assert reply.pop("states", None) is None
        assert reply == {
            "success": True,
            "user_time": "2024-03-09 07:00:00",
            "inputs": [],
            "update_time": None,
        }


async def test_what_a_device_reports_is_shown_before_anybody_made_a_sensor(world: World) -> None:
    made = await world.register("one")
    await world.report(
        made,
        message(
            NOON - 9000,
            board_voltage=13.562,
            temperature_1=21.5,
            battery_level=80,
            fuel_level=100.0,
            can_fuel=40,
            lls_level_1=7,
            obd_rpm=889,
            can_coolant_t=90.0,
            hardware_mileage=12.5,
            avl_io_78=5,
            custom_param_1=3,
            obd_vin="123",
            can_hood_state=True,
            hardware_key="A1",
            rs232_1=3,
        ),
        message(NOON - 4000, board_voltage=13.6),
    )
    reply = await world.call("tracker/get_readings", tracker_id=made["id"])
    assert (reply["user_time"], reply["update_time"]) == (
        "2024-03-09 07:00:00",
        "2024-03-09 06:59:56",
    )
    assert reply["inputs"] == [
        reading(label="Battery level", name="battery_level", type="custom", value=80.0, units="%"),
        reading(label="Board voltage", name="board_voltage", type="power", value=13.6, units="V"),
        reading(
            label="External temperature sensor 1",
            name="ext_temp_sensor_1",
            type="temperature",
            value=21.5,
            units="°C",
            units_type="celsius",
        ),
        reading(label="Hardware mileage", name="hw_mileage", type="custom", value=12.5, units="km"),
        reading(label="Rs232 1", name="rs232_1", type="custom", value=3.0, units=""),
    ]
    fuel = await world.call("tracker/get_fuel", tracker_id=made["id"])
    assert [one["name"] for one in fuel["inputs"]] == ["can_fuel", "fuel_level", "lls_level_1"]
    assert fuel["inputs"][1] == reading(
        label="Fuel level",
        name="fuel_level",
        type="fuel",
        value=100.0,
        units="L",
        units_type="litre",
    )
    assert fuel["update_time"] == "2024-03-09 06:59:51"
    diagnostics = await world.call("tracker/get_diagnostics", tracker_id=made["id"])
    assert [one["name"] for one in diagnostics["inputs"]] == ["can_coolant_t", "obd_rpm"]
    assert diagnostics["states"] == {"can_hood_state": "1", "hardware_key": "A1", "obd_vin": "123"}
    assert diagnostics["update_time"] == "2024-03-09 06:59:51"


async def test_sensors_measure_in_the_order_they_were_made(world: World) -> None:
    made = await world.register("one")
    tank = await make(
        world,
        made,
        sensor_type="fuel",
        name="Tank",
        input_name="analog_1",
        units_type="litre",
        units="litres",
    )
    table = [{"in": 0, "out": 0}, {"in": 0.7, "out": 60}]
    calibrate = "tracker/sensor/calibration_data/update"
    await world.call(calibrate, tracker_id=made["id"], sensor_id=tank, data=table)
    await make(world, made, name="Axle", input_name="can_axle_load_1", divider=1000, units="t")
    await make(world, made, name="Register", input_name="avl_io_78", divider=0.5, units="x")
    await make(
        world,
        made,
        name="Voltage",
        input_name="board_voltage",
        sensor_type="power",
        units="V",
        parameters={"min": 5, "max": 30},
    )
    await make(world, made, name="Nothing yet", input_name="analog_2")
    await world.report(
        made, message(analog_1=0.35, can_axle_load_1=7500, avl_io_78=4, board_voltage=31.0)
    )
    fuel = await world.call("tracker/get_fuel", tracker_id=made["id"])
    assert fuel["inputs"] == [
        reading(
            label="Tank",
            name="analog_1",
            type="fuel",
            value=30.0,
            units="litres",
            units_type="litre",
        )
    ]
    diagnostics = await world.call("tracker/get_diagnostics", tracker_id=made["id"])
    assert diagnostics["inputs"] == [
        reading(label="Axle", name="can_axle_load_1", type="custom", value=7.5, units="t")
    ]
    reply = await world.call("tracker/get_readings", tracker_id=made["id"])
    assert reply["inputs"] == [
        reading(label="Register", name="avl_io_78", type="custom", value=8.0, units="x")
    ], "31 V are not acceptable, and the input has a sensor"


@pytest.mark.parametrize(
    ("system", "litres", "degrees", "speed"),
    [
        ("metric", (None, None), (None, None), (None, None)),
        ("us", ("gallon_us", 26.417205), ("fahrenheit", 77.0), ("mph", 55.923407)),
        ("imperial", ("gallon", 21.996925), ("fahrenheit", 77.0), ("mph", 55.923407)),
        ("metric_gal_us", ("gallon_us", 26.417205), (None, None), (None, None)),
        ("nautical", (None, None), (None, None), ("knot", 48.596112)),
    ],
)
async def test_readings_are_converted_for_the_user(
    world: World, system: str, litres: Any, degrees: Any, speed: Any
) -> None:
    made = await world.register("one")
    await make(world, made, sensor_type="fuel", input_name="can_fuel_litres", units_type="litre")
    await world.report(made, message(can_fuel_litres=100, temperature_internal=25, can_speed=90))
    await measures_in(world, system)
    found = []
    for path in READINGS:
        (one,) = (await world.call(path, tracker_id=made["id"]))["inputs"]
        found.append((one["converted_units_type"], one["converted_value"]))
    assert found == [degrees, litres, speed]


async def test_errors_of_readings(world: World) -> None:
    made = await world.register("one")
    clone = await clone_of(world, made)
    paths = (*READINGS, "tracker/get_inputs", "tracker/get_outputs")
    for path in paths:
        assert await world.code(path, tracker_id=99_999) == 201
        assert await world.code(path) == 7
        assert await world.code(path, "foreigner", tracker_id=made["id"]) == 201
        assert await world.code(path, "stranger", tracker_id=clone) == 0
        assert await world.code(path, None, tracker_id=made["id"]) == 3
    batches = ("batch_get_inputs", "batch_get_outputs", "readings/batch_list")
    for name in batches:
        path = f"tracker/{name}"
        assert await world.code(path, trackers=[made["id"]]) == 0
        assert await world.code(path, trackers=[made["id"], 99_999]) == 217
        assert await world.code(path, "foreigner", trackers=[made["id"]]) == 217
        assert await world.code(path) == 7
    for name in batches[:2]:
        assert await world.code(f"tracker/{name}", trackers=list(range(501))) == 221
    assert await world.code("tracker/readings/list", tracker_id=99_999) == 204
    await block(world, made)
    for path in (*paths, "tracker/readings/list"):
        assert await world.code(path, tracker_id=made["id"]) == 208
    for name in batches:
        assert await world.code(f"tracker/{name}", trackers=[made["id"]]) == 217


async def test_inputs_have_the_meaning_that_sensors_give_them(world: World) -> None:
    made = await world.register("one")
    await make(world, made, type="discrete", sensor_type="charge", name="Plug", input_number=3)
    await make(world, made, type="discrete", sensor_type="hood", name="", input_number=2)
    await make(world, made, **{**DISCRETE, "name": "DIN1", "input_number": 1})
    reply = await world.call("tracker/get_inputs", tracker_id=made["id"])
    assert [one["status"] for one in reply["states"]] == [False, False, False]
    assert reply["update_time"] is None
    await world.report(made, message(input_status=0b011))
    reply = await world.call("tracker/get_inputs", tracker_id=made["id"])
    expected = {
        "inputs": [True, True, False],
        "states": [
            {"type": "ignition", "name": "DIN1", "status": True, "input_number": 1},
            {"type": "hood", "name": None, "status": True, "input_number": 2},
            {"type": "custom", "name": "Plug", "status": False, "input_number": 3},
        ],
        "update_time": "2024-03-09 06:59:56",
    }
    assert reply == {"success": True, "user_time": "2024-03-09 07:00:00", **expected}
    many = await world.call("tracker/batch_get_inputs", trackers=[made["id"]])
    assert many == {
        "success": True,
        "user_time": "2024-03-09 07:00:00",
        "data": {str(made["id"]): expected},
    }


async def test_outputs(world: World) -> None:
    made = await world.register("one")
    outputs = [{"number": 1, "title": "OUT1"}, {"number": 2, "title": "OUT2"}]
    reply = await world.call("tracker/get_outputs", tracker_id=made["id"])
    assert reply == {"success": True, "result": outputs}
    many = await world.call("tracker/batch_get_outputs", trackers=[made["id"]])
    assert many == {"success": True, "result": {str(made["id"]): outputs}}
    update = "tracker/output/update"
    who = {"tracker_id": made["id"]}
    siren = {"number": 2, "title": "Siren"}
    assert await world.call(update, **who, tracker_output=siren) == {"success": True}
    reply = await world.call("tracker/get_outputs", **who)
    assert reply["result"] == [outputs[0], siren]
    wrong: list[Any] = [
        {"number": 3, "title": "x"},
        {"number": 0, "title": "x"},
        {"number": 1, "title": ""},
        {"number": 1},
    ]
    for output in wrong:
        assert await world.code(update, **who, tracker_output=output) == 7
    assert await world.code(update, "sub", **who, tracker_output=siren) == 13
    assert await world.code(update, tracker_id=99_999, tracker_output=siren) == 201
    await block(world, made)
    assert await world.code(update, **who, tracker_output=siren) == 208


async def test_the_ignition_of_a_state_is_that_of_its_sensor(world: World) -> None:
    made = await world.register("one")

    async def ignition() -> tuple[Any, Any]:
        one = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
        many = await world.call("tracker/get_states", trackers=[made["id"]])
        assert many["states"][str(made["id"])] == one
        return one.get("ignition"), one.get("ignition_update")

    assert await ignition() == (None, None)
    await world.report(
        made,
        message(NOON - 9000, ignition=True, input_status=0b1000, board_voltage=14.0),
        message(NOON - 8000, ignition=True, input_status=0, board_voltage=14.0),
    )
    assert await ignition() == (True, "2024-03-09 06:59:51"), "the device's own word"
    virtual = await make(world, made, **VIRTUAL)
    assert await ignition() == (True, "2024-03-09 06:59:52"), "since it was told, at least"
    discrete = await make(world, made, **DISCRETE)
    assert await ignition() == (False, "2024-03-09 06:59:52"), "the input before all others"
    await world.report(made, message(NOON - 7000, input_status=0b1000, ignition=False))
    await world.report(made, message(NOON - 6000, input_status=0b1001, ignition=False))
    assert await ignition() == (True, "2024-03-09 06:59:53"), "since when, not heard last"
    await world.call("tracker/sensor/delete", tracker_id=made["id"], sensor_id=discrete)
    await world.call("tracker/sensor/delete", tracker_id=made["id"], sensor_id=virtual)
    on, _ = await ignition()
    assert on is False


async def test_everything_that_a_tracker_reads(world: World) -> None:
    made = await world.register("one")
    left = await make(
        world, made, sensor_type="fuel", name="Left", input_name="lls_level_1", units_type="litre"
    )
    right = await make(
        world, made, sensor_type="fuel", name="Right", input_name="lls_level_2", units_type="litre"
    )
    for tank, most in ((left, 480), (right, 300)):
        table = [{"in": 0, "out": 0}, {"in": 1000, "out": most}]
        calibrate = "tracker/sensor/calibration_data/update"
        await world.call(calibrate, tracker_id=made["id"], sensor_id=tank, data=table)
    parts = {"parent_ids": [left, right], "volume": 700}
    both = await make(
        world,
        made,
        sensor_type="fuel",
        name="Fuel",
        input_name="composite",
        units_type="litre",
        parameters=parts,
    )
    ignition = await make(world, made, **VIRTUAL)
    await world.call("tracker/counter/value/set", tracker_id=made["id"], type="odometer", value=7.5)
    await world.report(
        made,
        message(NOON - 9000, lls_level_1=470, lls_level_2=500, board_voltage=14.0),
        message(NOON - 4000, lls_level_2=400, input_status=1, obd_mil_status=False, can_rpm=9),
    )
    reply = await world.call("tracker/readings/list", tracker_id=made["id"])
    tank_1 = {
        "sensor_id": left,
        "label": "Left",
        "units": "x",
        "name": "lls_level_1",
        "type": "fuel",
        "min_value": 0.0,
        "max_value": 480.0,
        "value": 225.6,
        "units_type": "litre",
        "converted_units_type": None,
        "converted_value": None,
        "update_time": "2024-03-09 06:59:51",
        "composite_sensor_ids": [both],
    }
    assert reply["inputs"][0] == tank_1
    whole = reply["inputs"][2]
    assert (whole["sensor_id"], whole["value"], whole["max_value"]) == (both, 345.6, 700.0)
    assert whole["update_time"] == "2024-03-09 06:59:56"
    assert "composite_sensor_ids" not in whole
    rest = reply["inputs"][3:]
    assert [one["name"] for one in rest] == ["board_voltage", "can_rpm"]
    assert all("sensor_id" not in one for one in rest)
    assert reply["states"] == [
        {"field": "input_status", "value": 1, "update_time": "2024-03-09 06:59:56"},
        {"field": "obd_mil_status", "value": False, "update_time": "2024-03-09 06:59:56"},
    ]
    assert reply["virtual_sensors"] == [
        {
            "sensor_id": ignition,
            "label": "Virtual Ignition",
            "value": "On",
            "type": "virtual_ignition",
            "update_time": "2024-03-09 06:59:51",
        }
    ]
    assert reply["counters"] == [
        {"type": "odometer", "value": 7.5, "update_time": "2024-03-09 07:00:00"}
    ]
    many = await world.call("tracker/readings/batch_list", trackers=[made["id"]])
    assert many["result"] == {
        str(made["id"]): {name: reply[name] for name in reply if name != "success"}
    }
    whole_only = await world.call(
        "tracker/readings/list", tracker_id=made["id"], include_components=False
    )
    assert [one.get("sensor_id") for one in whole_only["inputs"]] == [both, None, None]
    fuel = await world.call("tracker/readings/list", tracker_id=made["id"], sensor_type="fuel")
    assert [one["sensor_id"] for one in fuel["inputs"]] == [left, right, both]
    assert (fuel["states"], fuel["virtual_sensors"], fuel["counters"]) == ([], [], [])
    state = await world.call(
        "tracker/readings/list", tracker_id=made["id"], sensor_type="virtual_ignition"
    )
    assert [one["sensor_id"] for one in state["virtual_sensors"]] == [ignition]
    for path, who in (("list", {"tracker_id": made["id"]}), ("batch_list", {"trackers": []})):
        assert await world.code(f"tracker/readings/{path}", **who, sensor_type="magic") == 7


async def test_readings_of_many_trackers_take_no_query_each(world: World) -> None:
    ids: list[int] = []
    for number in range(4):
        made = await world.register(str(number))
        await make(world, made, input_name="analog_1")
        await make(world, made, **DISCRETE)
        await world.call(
            "tracker/counter/value/set", tracker_id=made["id"], type="odometer", value=1
        )
        await world.report(made, message(analog_1=number))
        ids.append(made["id"])
    queries: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        queries.append(statement)

    calls: list[tuple[str, dict[str, Any]]] = [
        ("tracker/readings/batch_list", {}),
        ("tracker/batch_get_inputs", {}),
        ("tracker/sensor/batch_list", {}),
        ("tracker/counter/value/list", {"type": "odometer"}),
    ]
    for path, params in calls:
        counts = []
        for some in (ids[:1], ids):
            await world.call(path, trackers=some, **params)
            queries.clear()
            engine = world.services.database.engine.sync_engine
            event.listen(engine, "before_cursor_execute", note)
            await world.call(path, trackers=some, **params)
            event.remove(engine, "before_cursor_execute", note)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 2, path
