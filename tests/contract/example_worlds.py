"""What there must be for each printed example to mean what its page says: a function of the stage
that gives the values which take the place of the printed ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
from contract_samples import PNG
from contract_stage import ICCID, IMEI, NOTHING, OTHER_IMEI, Stage
from sqlalchemy import insert

from waypost.catalog import models
from waypost.store.tables import activation_codes, active_days
from waypost.telemetry.message import LBS

Names = dict[str, Any]
Make = Callable[[Stage], Awaitable[Names]]

MAKERS: dict[str, Make] = {}

#: A model that takes part in most of what there is.
MODEL = "qlgv55lite"
SENSOR = {
    "type": "metering",
    "divider": 1,
    "accuracy": 3,
    "units_type": "custom",
    "group_type": None,
    "group_id": None,
    "parameters": {},
}


def world_of(*actions: str) -> Callable[[Make], Make]:
    def declare(make: Make) -> Make:
        for action in actions:
            MAKERS[action] = make
        return make

    return declare


async def full_tracker(stage: Stage, **params: Any) -> dict[str, Any]:
    """A tracker that has all that a tracker may have: group, tag, picture, phone, tariff's end."""
    tariff_id = await stage.tariff(name="Paid", price=10)
    await stage.change_user("user", default_tariff_id=tariff_id)
    tracker = await stage.device(**{"phone": "79161234533", "model": MODEL, **params})
    group = await stage.done("tracker/group/create", title="Vans", color="FF6600")
    await stage.done(
        "tracker/settings/update", tracker_id=tracker["id"], group_id=group["id"], label="Courier"
    )
    tag = await stage.done("tag/create", tag={"name": "Hybrid", "color": "22AA55"})
    bindings = [{"tag_id": tag["id"], "ordinal": 4}]
    await stage.done("tracker/tags/set", tracker_id=tracker["id"], tag_bindings=bindings)
    reply = await stage.client.post(
        "/v2/tracker/avatar/upload",
        data={"hash": stage.hashes["user"], "tracker_id": str(tracker["id"])},
        files={"file": ("van.png", PNG, "image/png")},
    )
    assert reply.json()["success"], reply.text
    return tracker


@world_of("tracker/read", "tracker/list")
async def a_tracker(stage: Stage) -> Names:
    return {"tracker": (await full_tracker(stage))["id"]}


@world_of("tracker/corrupt", "tracker/change_phone", "tracker/raw_command/send")
async def a_device(stage: Stage) -> Names:
    return {"tracker": (await stage.device(model=MODEL))["id"]}


@world_of("tracker/delete")
async def a_clone(stage: Stage) -> Names:
    return {"tracker": await stage.clone()}


async def reporting(stage: Stage, *sensors: dict[str, Any], **values: Any) -> Names:
    """A device with sensors that has reported some values."""
    tracker = await stage.active()
    for number, sensor in enumerate(sensors, 1):
        definition = {"name": f"Sensor #{number}", **sensor}
        if sensor.get("type") != "discrete":
            definition = {**SENSOR, **definition}
        await stage.done("tracker/sensor/create", tracker_id=tracker["id"], sensor=definition)
    await stage.position(tracker, values=values)
    return {"tracker": tracker["id"]}


@world_of("tracker/get_diagnostics")
async def a_device_with_obd(stage: Stage) -> Names:
    sensor = {"name": "OBD: RPM", "input_name": "obd_rpm", "sensor_type": "rpm", "units": ""}
    return await reporting(stage, sensor, obd_rpm=889.0, obd_vin="123", obd_mil_status="0")


@world_of("tracker/get_fuel")
async def a_device_with_a_tank(stage: Stage) -> Names:
    sensor = {"input_name": "can_fuel", "sensor_type": "fuel", "units": "litres"}
    return await reporting(stage, {**sensor, "units_type": "litre"}, can_fuel=100.0)


@world_of("tracker/get_inputs")
async def a_device_with_ignition(stage: Stage) -> Names:
    sensor = {
        "type": "discrete",
        "name": "DIN1",
        "sensor_type": "ignition",
        "input_number": 1,
        "parameters": {},
    }
    return await reporting(stage, sensor, input_status=0b011)


@world_of("tracker/get_readings")
async def a_device_with_voltage(stage: Stage) -> Names:
    sensor = {
        "name": "Board voltage",
        "input_name": "board_voltage",
        "sensor_type": "power",
        "units": "V",
    }
    return await reporting(stage, sensor, board_voltage=13.562)


STATE = {
    "gsm_level": 70,
    "gsm_network": "T-MOBILE",
    "gsm_roaming": False,
    "battery_level": 97,
    "input_status": 0b011,
    "output_status": 0b01,
    "hardware_key": "20910998202956382057",
}


@world_of("tracker/get_last_gps_point")
async def a_device_with_a_fix(stage: Stage) -> Names:
    tracker = await stage.active()
    await stage.position(tracker, precision=100)
    return {"tracker": tracker["id"]}


@world_of("tracker/get_state")
async def a_device_with_a_state(stage: Stage) -> Names:
    tracker = await stage.active()
    await moved(stage, tracker)
    await stage.position(tracker, values=STATE)
    return {"tracker": tracker["id"]}


async def moved(stage: Stage, tracker: dict[str, Any]) -> None:
    """The device has driven a little, a while ago."""
    stage.clock.pass_(-600)
    for minute in range(5):
        await stage.position(tracker, latitude=42.8 + minute / 100, speed=60.0)
        stage.clock.pass_(60)
    stage.clock.pass_(300)


@world_of("tracker/get_states")
async def devices_with_states(stage: Stage) -> Names:
    tracker = await stage.active()
    blocked = await stage.device()
    await stage.block(blocked["id"])
    await stage.position(tracker, speed=64.0)
    stage.clock.pass_(5)
    await stage.position(tracker, precision=50, source=LBS, values=STATE)
    return {"tracker": tracker["id"], "blocked": blocked["id"], "nobody": NOTHING}


@world_of("tracker/list_models")
async def nothing(stage: Stage) -> Names:
    return {}


@world_of("tracker/tags/set")
async def two_tags(stage: Stage) -> Names:
    for name, color in (("One", "1122AA"), ("Two", "AA2211")):
        await stage.done("tag/create", tag={"name": name, "color": color})
    return {"tracker": (await stage.device())["id"]}


@world_of("tracker/location_request")
async def a_device_that_says_where_it_is(stage: Stage) -> Names:
    services = stage.services
    services.settings = msgspec.structs.replace(services.settings, sms_provider="log")
    tracker = await stage.device(model="tt1_wp", device_id=None, phone="79161234533")
    return {"tracker": tracker["id"]}


@world_of("tracker/register")
async def an_activation_code(stage: Stage) -> Names:
    tariff_id = await stage.tariff(name="Paid", price=10)
    async with stage.services.database.begin() as connection:
        await connection.execute(
            insert(activation_codes).values(
                code="123123123",
                dealer_id=stage.dealer_id,
                tariff_id=tariff_id,
                bonus_amount=0,
                free_days=14,
                created_at=stage.clock.now,
            )
        )
    return {}


@world_of("tracker/register_retry")
async def a_device_that_has_not_connected(stage: Stage) -> Names:
    return {"tracker": (await full_tracker(stage))["id"]}


@world_of("tracker/register_quick")
async def a_bundle_for_sale(stage: Stage) -> Names:
    tariff_id = await stage.tariff(name="Paid", price=10)
    await stage.change_user("user", default_tariff_id=tariff_id)
    await stage.bundle(iccid=await stage.sim())
    return {"imei": IMEI}


@world_of("tracker/replace")
async def a_device_in_use(stage: Stage) -> Names:
    tracker = await full_tracker(stage)
    await stage.connect(tracker)
    return {"tracker": tracker["id"]}


@world_of("tracker/replace_quick")
async def a_device_in_use_and_a_bundle(stage: Stage) -> Names:
    await stage.bundle(iccid=await stage.sim())
    return {**await a_device_in_use(stage), "imei": IMEI}


@world_of("tracker/replace_retry")
async def a_device_that_was_replaced(stage: Stage) -> Names:
    tracker = await full_tracker(stage)
    await stage.connect(tracker)
    await stage.done(
        "tracker/replace",
        tracker_id=tracker["id"],
        model=MODEL,
        plugin_id=44,
        device_id=OTHER_IMEI,
        phone="79161234534",
    )
    return {"tracker": tracker["id"]}


@world_of("tracker/send_command")
async def a_lock(stage: Stage) -> Names:
    tracker = await full_tracker(stage)
    await stage.become(tracker, "jointech_jt701")
    return {"tracker": tracker["id"]}


@world_of("tracker/settings/tracking/read", "tracker/settings/tracking/update")
async def a_device_with_that_profile(stage: Stage) -> Names:
    profile = "telfm"
    code = next(
        model.code
        for model in models.all_models().values()
        if model.track_control == profile and model.register
    )
    return {"tracker": (await stage.device(model=code))["id"]}


# -- panel


@world_of(
    "panel/tracker/corrupt",
    "panel/tracker/register_entry",
    "panel/tracker/settings/update",
    "panel/tracker/source/update",
    "panel/tracker/console/connect",
)
async def a_device_of_a_user(stage: Stage) -> Names:
    return {"tracker": (await stage.device(phone="79161234533", model=MODEL))["id"]}


@world_of("panel/tracker/clone", "panel/tracker/move")
async def a_device_and_another_user(stage: Stage) -> Names:
    return {**await a_device_of_a_user(stage), "user": stage.ids["stranger"]}


@world_of("panel/tracker/read", "panel/tracker/list")
async def a_tracker_of_a_user(stage: Stage) -> Names:
    return {"tracker": (await full_tracker(stage))["id"]}


@world_of("panel/tracker/delete_clone")
async def a_clone_of_a_user(stage: Stage) -> Names:
    return {"tracker": await stage.clone()}


@world_of("panel/tracker/batch_delete_clones")
async def clones_and_others(stage: Stage) -> Names:
    clones = [await stage.clone() for _ in range(3)]
    await stage.done("panel/tracker/delete_clone", tracker_id=clones[2])
    original = await stage.device()
    return {"trackers": [*clones, original["id"], NOTHING]}


@world_of("panel/tracker/raw_command/send")
async def a_device_by_its_id(stage: Stage) -> Names:
    return {"device": (await stage.device(model="qlgv200"))["source"]["device_id"]}


@world_of("panel/tracker/tariff/change")
async def another_tariff(stage: Stage) -> Names:
    return {"tracker": (await stage.device())["id"], "tariff": await stage.tariff()}


@world_of("panel/tracker/active/history/list")
async def a_device_that_was_active(stage: Stage) -> Names:
    source_id = (await stage.active())["source"]["id"]
    days = [{"source_id": source_id, "day": date(2016, month, 9)} for month in range(2, 6)]
    async with stage.services.database.begin() as connection:
        await connection.execute(insert(active_days), days)
    return {}


@world_of("panel/tracker/bundle/list", "panel/tracker/bundle/read")
async def a_sold_bundle(stage: Stage) -> Names:
    bundle_id = await stage.bundle(iccid=await stage.sim())
    order_id = await stage.order()
    await stage.done("panel/tracker/bundle/order/assign", bundle_id=bundle_id, order_id=order_id)
    return {"imei": int(IMEI)}


@world_of(
    "panel/tracker/bundle/assign",
    "panel/tracker/bundle/order/assign",
    "panel/tracker/bundle/update",
    "panel/tracker/bundle/import",
)
async def a_bundle(stage: Stage) -> Names:
    return {
        "bundle": await stage.bundle(),
        "iccid": await stage.sim(ICCID),
        "order": await stage.order(),
        "equipment": await stage.equipment(),
        "imeis": [OTHER_IMEI],
    }
