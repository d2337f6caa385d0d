"""``get_state``, ``get_states``, ``get_last_gps_point``, ``get_inputs``, ``get_diagnostics``: what
users see of what devices said."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import update

from waypost.store.tables import users
from waypost.telemetry.message import LBS, Message

pytestmark = pytest.mark.anyio

HOUR = 3_600_000


def message(time: int = NOON - 4000, **fields: Any) -> Message:
    """A report from Berlin, four seconds ago."""
    known: dict[str, Any] = {
        "latitude": 52.520008,
        "longitude": 13.404954,
        "altitude": 34.4,
        "speed": 20.4,
        "heading": 45.0,
        "satellites": 7,
        "digest_of": str((time, sorted(fields.items(), key=str))).encode(),
    }
    return Message(time=time, **{**known, **fields})


async def test_a_new_tracker_has_a_state_without_nulls_that_break_clients(world: World) -> None:
    made = await world.register("one")
    assert await world.call("tracker/get_state", tracker_id=made["id"]) == {
        "success": True,
        "user_time": "2024-03-09 07:00:00",
        "state": {
            "source_id": made["source"]["id"],
            "gps": {
                "updated": None,
                "signal_level": None,
                "location": {"lat": 0.0, "lng": 0.0},
                "heading": 0,
                "speed": 0,
                "alt": 0,
            },
            "connection_status": "just_registered",
            "movement_status": "parked",
            "movement_status_update": None,
            "gsm": {"updated": None, "signal_level": None, "network_name": None, "roaming": None},
            "last_update": None,
            "battery_level": None,
            "battery_update": None,
            "inputs": [False, False, False],
            "inputs_update": None,
            "outputs": [False, False],
            "outputs_update": None,
            "additional": {},
            "actual_track_update": None,
        },
    }
    assert await world.call("tracker/get_last_gps_point", tracker_id=made["id"]) == {
        "success": True,
        "value": None,
    }


async def test_a_state_shows_what_the_device_said_in_the_users_zone(world: World) -> None:
    made = await world.register("one")
    values = {
        "gsm_level": 70,
        "gsm_network": "T-MOBILE",
        "gsm_roaming": False,
        "battery_level": 97,
        "input_status": 0b10001,
        "output_status": 0b01,
        "ignition": True,
        "is_moving": True,
        "hardware_key": "20910998202956382057",
        "board_voltage": 12.5,
        "avl_io_78": 5,
    }
    await world.report(made, message(precision=50, values=values))
    reply = await world.call("tracker/get_state", tracker_id=made["id"])
    then = "2024-03-09 06:59:56"
    assert reply["state"] == {
        "source_id": made["source"]["id"],
        "gps": {
            "updated": then,
            "signal_level": 70,
            "location": {"lat": 52.520008, "lng": 13.404954},
            "heading": 45,
            "speed": 20,
            "alt": 34,
            "precision": 50,
        },
        "connection_status": "active",
        "movement_status": "moving",
        "movement_status_update": then,
        "gsm": {
            "updated": then,
            "signal_level": 70,
            "network_name": "T-MOBILE",
            "roaming": False,
        },
        "last_update": then,
        "battery_level": 97,
        "battery_update": then,
        "inputs": [True, False, False, False, True],
        "inputs_update": then,
        "outputs": [True, False],
        "outputs_update": then,
        "additional": {
            "moving": {"value": "1", "updated": then},
            "hardware_key": {"value": "20910998202956382057", "updated": then},
        },
        "actual_track_update": then,
        "ignition": True,
        "ignition_update": then,
    }
    iso = await world.call("tracker/get_state", tracker_id=made["id"], iso_datetime=True)
    assert iso["user_time"] == "2024-03-09T07:00:00-05:00"
    assert iso["state"]["gps"]["updated"] == "2024-03-09T06:59:56-05:00"


async def test_statuses_change_as_time_passes(world: World) -> None:
    made = await world.register("one")

    async def statuses() -> tuple[str, str]:
        state = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
        many = await world.call("tracker/get_states", trackers=[made["id"]])
        assert many["states"][str(made["id"])] == state
        return state["connection_status"], state["movement_status"]

    assert await statuses() == ("just_registered", "parked")
    world.clock.pass_(3600)
    assert await statuses() == ("offline", "parked")
    now = world.clock.now
    await world.report(made, message(now - 1000))
    assert await statuses() == ("active", "moving")
    await world.report(made, message(now, speed=0.0))
    assert await statuses() == ("active", "stopped")
    world.clock.pass_(299)
    assert await statuses() == ("active", "stopped")
    world.clock.pass_(2)
    assert await statuses() == ("idle", "parked")
    world.clock.pass_(300)
    assert await statuses() == ("signal_lost", "parked")


async def test_the_users_new_zone_counts_at_once(world: World) -> None:
    made = await world.register("one")
    await world.report(made, message())
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(time_zone="Asia/Tokyo"))
    world.services.accounts.sessions.forget_user(world.ids["user"])
    reply = await world.call("tracker/get_states", trackers=[made["id"]])
    assert reply["states"][str(made["id"])]["gps"]["updated"] == "2024-03-09 20:59:56"


async def test_positions_by_the_network_are_marked_and_are_no_gps_point(world: World) -> None:
    made = await world.register("one")
    await world.report(made, message(NOON - 60_000))
    await world.report(made, message(source=LBS, precision=800, latitude=52.0, satellites=None))
    gps = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]["gps"]
    assert gps["gsm_lbs"] is True
    assert gps["location"]["lat"] == 52.0
    point = (await world.call("tracker/get_last_gps_point", tracker_id=made["id"]))["value"]
    assert point == {
        "get_time": "2024-03-09 06:59:00",
        "heading": 45,
        "lat": 52.520008,
        "lng": 13.404954,
        "satellites": 7,
        "speed": 20,
    }


async def test_states_of_several_trackers(world: World) -> None:
    one, two = await world.register("one"), await world.register("two")
    await world.report(one, message())
    reply = await world.call("tracker/get_states", trackers=[two["id"], one["id"], one["id"]])
    assert set(reply) == {"success", "user_time", "states"}
    assert set(reply["states"]) == {str(one["id"]), str(two["id"])}
    again = await world.call("tracker/get_states", trackers=f"[{one['id']}]")
    assert again["states"][str(one["id"])] == reply["states"][str(one["id"])]
    assert (await world.call("tracker/get_states", trackers=[]))["states"] == {}


async def test_blocked_and_missing_ones_are_refused_or_listed(world: World) -> None:
    one, two = await world.register("one"), await world.register("two")
    gone = await world.register("gone")
    foreign = await world.register("foreign", "foreigner")
    await world.call("panel/tracker/corrupt", tracker_id=gone["id"])

    async def states(*ids: int, **flags: bool) -> Any:
        reply = await world.call("tracker/get_states", trackers=list(ids), **flags)
        if not reply["success"]:
            return reply["status"]["code"]
        return set(reply["states"]), reply.get("blocked"), reply.get("not_exist")

    blocked, fine = one["id"], two["id"]
    assert await states(blocked, fine) == ({str(blocked), str(fine)}, None, None)
    await world.call("panel/tracker/source/update", tracker_id=blocked, blocked=True)
    assert await states(blocked, fine) == 208
    assert await states(blocked, fine, list_blocked=True) == ({str(fine)}, [blocked], None)
    assert await states(fine, 98765) == 217
    assert await states(fine, foreign["id"]) == 217
    assert await states(fine, gone["id"]) == 201
    assert await states(blocked, gone["id"], 98765) == 201
    assert await states(blocked, 98765) == 208
    allowed = {"allow_not_exist": True}
    assert await states(fine, 98765, gone["id"], foreign["id"], **allowed) == (
        {str(fine)},
        None,
        [98765, gone["id"], foreign["id"]],
    )
    assert await states(blocked, 98765, **allowed) == 208
    await world.call("panel/tracker/source/update", tracker_id=blocked, blocked=False)
    assert await states(blocked) == ({str(blocked)}, None, None)


@pytest.mark.parametrize(
    "trackers", [None, "x", [1.5], ["x"], {"a": 1}, list(range(2001)), [2**70]]
)
async def test_wrong_lists_of_ids(world: World, trackers: Any) -> None:
    reply = await world.call("tracker/get_states", trackers=trackers)
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"].startswith("trackers")


@pytest.mark.parametrize(
    "action", ["get_state", "get_last_gps_point", "get_inputs", "get_diagnostics"]
)
async def test_a_blocked_tracker_tells_nothing(world: World, action: str) -> None:
    made = await world.register("one")
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await world.code(f"tracker/{action}", tracker_id=made["id"]) == 208
    assert (await world.call("tracker/read", tracker_id=made["id"]))["value"]["source"]["blocked"]


async def test_inputs_have_their_own_time(world: World) -> None:
    made = await world.register("one")
    reply = await world.call("tracker/get_inputs", tracker_id=made["id"])
    assert reply["inputs"] == [False, False, False]
    assert reply["update_time"] is None
    await world.report(made, message(NOON - HOUR, values={"input_status": 2}))
    await world.report(made, message())
    assert await world.call("tracker/get_inputs", tracker_id=made["id"]) == {
        "success": True,
        "user_time": "2024-03-09 07:00:00",
        "inputs": [False, True, False],
        "states": [],
        "update_time": "2024-03-09 06:00:00",
    }


async def test_diagnostics_show_the_vehicles_buses(world: World) -> None:
    made = await world.register("one")
    empty = await world.call("tracker/get_diagnostics", tracker_id=made["id"])
    assert (empty["inputs"], empty["states"], empty["update_time"]) == ([], None, None)
    values = {
        "obd_rpm": 889,
        "can_coolant_t": 88.5,
        "raw_can_3": 7,
        "board_voltage": 12.5,
        "vin": "123",
        "obd_mil_status": False,
        "obd_dtc_number": 2,
        "external_power_state": True,
        "can_hood_state": True,
        "avl_io_78": 1,
    }
    await world.report(made, message(values=values))
    reply = await world.call("tracker/get_diagnostics", tracker_id=made["id"])
    assert reply["update_time"] == "2024-03-09 06:59:56"
    assert reply["states"] == {
        "obd_vin": "123",
        "obd_mil_status": "0",
        "obd_dtc_number": 2,
        "external_power_state": "connected",
        "can_hood_state": "1",
    }
    assert [one["name"] for one in reply["inputs"]] == ["can_coolant_t", "obd_rpm", "raw_can_3"]
    assert reply["inputs"][1] == {
        "label": "OBD RPM",
        "name": "obd_rpm",
        "type": "rpm",
        "value": 889.0,
        "units_type": "custom",
        "units": "rpm",
        "converted_units_type": None,
        "converted_value": None,
    }
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(measurement_system="us"))
    world.services.accounts.sessions.forget_user(world.ids["user"])
    reply = await world.call("tracker/get_diagnostics", tracker_id=made["id"])
    assert reply["inputs"][0]["units_type"] == "celsius"
    assert reply["inputs"][0]["converted_units_type"] == "fahrenheit"
    assert reply["inputs"][0]["converted_value"] == 191.3


async def test_models_can_be_chosen_and_shortened(world: World) -> None:
    codes = ["tt1_wp", "no_such", "telfmb120", "tt1_wp"]
    tt1, fmb = (await world.call("tracker/list_models", codes=codes))["list"]
    assert (tt1["id"], tt1["code"], tt1["id_type"]) == (166, "tt1_wp", "10,2")
    assert tt1["inputs"] == ["analog_1", "analog_2"]
    assert fmb["digital_inputs"] == 3
    compact = await world.call("tracker/list_models", codes=["tt1_wp"], compact_index=True)
    assert compact["list"][0]["inputs"] == ["analog_2"]
    short = await world.call("tracker/list_models", codes=["tt1_wp"], compact_view=True)
    assert set(short["list"][0]) < set(tt1)
    every = (await world.call("tracker/list_models", compact_view=True))["list"]
    assert len(every) > 100
    assert len({model["code"] for model in every}) == len(every)
