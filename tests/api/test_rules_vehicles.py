"""Rules and vehicles: kept for an account, in the way of a clone that is to go."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from api_world import World
from fleet_steps import clone

from waypost.catalog.rules import rule_types
from waypost.catalog.vehicles import vehicle_types

pytestmark = pytest.mark.anyio

#: As the documents print it, its zones and statuses aside.
RULE: dict[str, Any] = {
    "description": "",
    "type": "work_status_change",
    "primary_text": "status changed",
    "secondary_text": "",
    "alerts": {
        "push_enabled": True,
        "emails": ["example@example.org"],
        "emergency": False,
        "sms_phones": ["745494878945"],
        "phones": [],
    },
    "suspended": "",
    "name": "Status changing",
    "trackers": [],
    "extended_params": {
        "emergency": False,
        "zone_limit_inverted": False,
        "append_zone_title": "",
        "status_ids": [319281, 319282, 319283],
    },
    "param": "",
    "schedule": [
        {
            "from": {"weekday": 1, "time": "00:00:00"},
            "to": {"weekday": 7, "time": "23:59:59"},
            "type": "weekly",
        }
    ],
    "zone_ids": [],
    "group_id": 1,
}
PLAIN: dict[str, Any] = {
    "name": "SOS",
    "description": "",
    "type": "sos",
    "param": 0,
    "zone_ids": [],
    "trackers": [],
    "alerts": {},
    "suspended": False,
}


async def rules(world: World, who: str = "user", **params: Any) -> list[Any]:
    reply = await world.call("tracker/rule/list", who, **params)
    found: list[Any] = reply["list"]
    return found


async def make_rule(world: World, who: str = "user", **fields: Any) -> int:
    reply = await world.call("tracker/rule/create", who, rule={**PLAIN, **fields})
    assert reply["success"], reply
    return int(reply["id"])


async def test_the_documented_example(world: World) -> None:
    made = await world.register("one")
    rule = {**RULE, "trackers": [made["id"]]}
    reply = await world.call("tracker/rule/create", rule=rule)
    (interval,) = RULE["schedule"]
    shown = {
        **rule,
        "id": reply["id"],
        "suspended": False,
        "param": 0,
        "schedule": [{**interval, "interval_id": 1}],
    }
    assert await rules(world) == [shown]
    assert await rules(world, tracker_id=made["id"]) == [shown]
    assert await rules(world, tracker_id=98765) == []


async def test_fields_may_be_parameters_of_their_own(world: World) -> None:
    made = await world.register("one")
    fields = {
        "name": "Fast",
        "description": "d",
        "trackers": [made["id"]],
        "zone_ids": [],
        "type": "speedup",
        "param": 120,
        "alerts": {"push_enabled": True},
        "suspended": True,
        "schedule": {"type": "fixed", "from": "2024-01-01 00:00:00", "to": "2024-02-01 00:00:00"},
    }
    flat = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
    }
    reply = world.checked(
        await world.client.post(
            "/v2/tracker/rule/create", data={"hash": world.hashes["user"], **flat}
        )
    )
    (rule,) = await rules(world)
    assert rule["param"] == 120
    assert rule["suspended"] is True
    assert rule["schedule"] == [{**fields["schedule"], "interval_id": 1}]
    changed = {"id": reply["id"], **fields, "param": 90, "trackers": []}
    assert await world.call("tracker/rule/update", **changed) == {"success": True}
    (rule,) = await rules(world)
    assert (rule["param"], rule["trackers"]) == (90, [])


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"name": None}, "rule.name"),
        ({"name": ""}, "rule.name"),
        ({"type": "no_such"}, "rule.type"),
        ({"param": "many"}, "rule.param"),
        ({"alerts": {"emails": "all"}}, "rule.alerts.emails"),
        ({"schedule": [{"type": "daily"}]}, "rule.schedule[].type"),
        ({"trackers": ["first"]}, "rule.trackers[]"),
        ({"type": "offline", "zone_ids": [1]}, "rule.zone_ids"),
        ({"type": "inoutzone"}, "rule.zone_ids"),
    ],
)
async def test_what_is_no_rule(world: World, changed: dict[str, Any], name: str) -> None:
    reply = await world.call("tracker/rule/create", rule={**PLAIN, **changed})
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"].replace("[0]", "[]") == name
    assert await rules(world) == []


@pytest.mark.parametrize("name", PLAIN)
async def test_what_a_rule_must_have(world: World, name: str) -> None:
    fields = {key: value for key, value in PLAIN.items() if key != name}
    reply = await world.call("tracker/rule/create", rule=fields)
    assert reply["errors"] == [{"parameter": f"rule.{name}", "error": "is required"}]
    reply = await world.call("tracker/rule/create", **fields)
    assert reply["errors"] == [{"parameter": name, "error": "is required"}]
    assert await world.code("tracker/rule/create", **PLAIN) == 0


async def test_every_type_of_rule_can_be_made_but_those_of_zones(world: World) -> None:
    for kind in rule_types():
        code = await world.code("tracker/rule/create", rule={**PLAIN, "type": kind})
        assert code == (7 if kind in ("inoutzone", "route") else 0), kind
    assert await world.code("tracker/rule/create", rule={**PLAIN, "zone_ids": [5]}) == 204


async def test_binding_passes_over_what_is_not_ones_own(world: World) -> None:
    one, two = [await world.register(name) for name in ("one", "two")]
    foreign = await world.register("foreign", "stranger")
    rule_id = await make_rule(world, trackers=[one["id"], foreign["id"], 98765])
    given = {"rule_id": rule_id, "trackers": [one["id"], two["id"], foreign["id"], 98765]}
    assert (await rules(world))[0]["trackers"] == [one["id"]]
    assert await world.call("tracker/rule/bind", **given) == {"success": True}
    assert (await rules(world))[0]["trackers"] == [one["id"], two["id"]]
    assert await world.code("tracker/rule/unbind", rule_id=rule_id, trackers=[one["id"], 5]) == 0
    assert (await rules(world))[0]["trackers"] == [two["id"]]


async def test_rules_of_others_are_not_there(world: World) -> None:
    rule_id = await make_rule(world)
    ids = {"rule_id": rule_id, "trackers": []}
    for who in ("stranger", "foreigner"):
        assert await rules(world, who) == []
        assert await world.code("tracker/rule/bind", who, **ids) == 201
        assert await world.code("tracker/rule/unbind", who, **ids) == 201
        assert await world.code("tracker/rule/update", who, rule={**PLAIN, "id": rule_id}) == 201
        assert await world.code("tracker/rule/delete", who, rule_id=rule_id) == 201
    assert await world.code("tracker/rule/update", rule=PLAIN) == 7
    assert await world.code("tracker/rule/delete", rule_id=rule_id) == 0
    assert await world.code("tracker/rule/delete", rule_id=rule_id) == 201
    assert await rules(world) == []


async def test_a_sub_user_works_with_rules_of_its_trackers(world: World) -> None:
    seen, unseen = [await world.register(name) for name in ("seen", "unseen")]
    await world.call("subuser/tracker/bind", subuser_id=world.ids["sub"], trackers=[seen["id"]])
    both = await make_rule(world, trackers=[seen["id"], unseen["id"]])
    hidden = await make_rule(world, trackers=[unseen["id"]])
    assert await world.code("tracker/rule/create", "sub", rule=PLAIN) == 13
    await world.grant("tracker_rule_update")
    (shown,) = await rules(world, "sub")
    assert (shown["id"], shown["trackers"]) == (both, [seen["id"]])
    assert await world.code("tracker/rule/delete", "sub", rule_id=hidden) == 201
    changed = {**PLAIN, "id": both, "trackers": []}
    assert await world.code("tracker/rule/update", "sub", rule=changed) == 0
    assert [rule["trackers"] for rule in await rules(world)] == [[unseen["id"]]] * 2


# Vehicles.

VEHICLE: dict[str, Any] = {
    "additional_info": None,
    "avatar_file_name": None,
    "chassis_number": "",
    "color": None,
    "frame_number": "",
    "free_insurance_policy_number": "",
    "free_insurance_valid_till": None,
    "fuel_cost": None,
    "fuel_grade": "",
    "fuel_tank_volume": None,
    "fuel_type": None,
    "garage_id": None,
    "gross_weight": None,
    "icon_color": "1E96DC",
    "icon_id": None,
    "label": "Vehicle",
    "liability_insurance_policy_number": "",
    "liability_insurance_valid_till": "2020-10-15",
    "manufacture_year": 2020,
    "max_speed": 160,
    "model": "",
    "norm_avg_fuel_consumption": 9.5,
    "passengers": 1,
    "payload_height": 1868.0,
    "payload_length": 2820.0,
    "payload_weight": None,
    "payload_width": 1972.0,
    "reg_number": "AB234D",
    "subtype": "sedan",
    "tags": [],
    "tracker_id": None,
    "trailer": None,
    "type": "car",
    "tyre_size": "",
    "tyres_number": None,
    "vin": "45468743418579751",
    "wheel_arrangement": None,
}


async def make_vehicle(world: World, who: str = "user", **fields: Any) -> int:
    reply = await world.call("vehicle/create", who, vehicle={**VEHICLE, **fields})
    assert reply["success"], reply
    return int(reply["id"])


async def test_the_documented_vehicle(world: World) -> None:
    made = await world.register("Jimi")
    tag = (await world.call("tag/create", tag={"name": "hop", "color": "FF0000"}))["id"]
    vehicle_id = await make_vehicle(world, tracker_id=made["id"], tags=[tag])
    read = await world.call("vehicle/read", vehicle_id=vehicle_id)
    assert read["value"] == {
        **VEHICLE,
        "id": vehicle_id,
        "tracker_id": made["id"],
        "tracker_label": "Jimi",
        "tags": [tag],
    }
    assert (await world.call("vehicle/list"))["list"] == [read["value"]]
    changed = {**VEHICLE, "id": vehicle_id, "label": "Other", "tags": [], "tracker_id": None}
    assert await world.call("vehicle/update", vehicle=changed) == {"success": True}
    read = await world.call("vehicle/read", vehicle_id=vehicle_id)
    assert read["value"] == changed


async def test_what_is_no_vehicle(world: World) -> None:
    tag = (await world.call("tag/create", "stranger", tag={"name": "hop", "color": "FF0000"}))["id"]
    foreign = await world.register("foreign", "stranger")

    async def code(**changed: Any) -> int:
        return await world.code("vehicle/create", vehicle={**VEHICLE, **changed})

    assert await code(type="plane") == 7
    assert await code(subtype="tanker") == 7
    assert await code(label="") == 7
    assert await code(passengers=-1) == 7
    assert await code(liability_insurance_valid_till="soon") == 7
    assert await code(garage_id=5) == 204
    assert await code(tags=[tag]) == 217
    assert await code(tracker_id=foreign["id"]) == 201
    assert await world.code("vehicle/create", vehicle=None) == 7
    assert await world.code("vehicle/update", vehicle=VEHICLE) == 7
    assert await world.code("vehicle/update", vehicle={**VEHICLE, "id": 98765}) == 201
    assert await world.code("vehicle/create", "sub", vehicle=VEHICLE) == 13
    assert (await world.call("vehicle/list"))["list"] == []


async def test_every_subtype(world: World) -> None:
    for kind, subtypes in vehicle_types().items():
        for subtype in subtypes:
            await make_vehicle(world, type=kind, subtype=subtype)


async def test_a_tracker_is_in_one_vehicle(world: World) -> None:
    made = await world.register("one")
    first = await make_vehicle(world, tracker_id=made["id"])
    second = {**VEHICLE, "tracker_id": made["id"]}
    assert await world.code("vehicle/create", vehicle=second, force_reassign=False) == 247
    second_id = await make_vehicle(world, tracker_id=made["id"])
    assert (await world.call("vehicle/read", vehicle_id=first))["value"]["tracker_id"] is None
    back = {**second, "id": first}
    assert await world.code("vehicle/update", vehicle=back, force_reassign=False) == 247
    codes = await asyncio.gather(
        *(
            world.code("vehicle/update", vehicle={**second, "id": one})
            for one in (first, second_id) * 3
        )
    )
    assert codes == [0] * 6
    shown = (await world.call("vehicle/list"))["list"]
    assert sorted(one["tracker_id"] or 0 for one in shown) == [0, made["id"]]


async def test_vehicles_are_found_sorted_and_paged(world: World) -> None:
    for label, kind, reg in (("b", "car", "X1"), ("A", "bus", "Y2"), ("c", "car", "Z%3")):
        await make_vehicle(world, label=label, type=kind, subtype=None, reg_number=reg)

    async def labels(**params: Any) -> list[str]:
        reply = await world.call("vehicle/list", **params)
        return [one["label"] for one in reply["list"]]

    assert await labels() == ["b", "A", "c"]
    assert await labels(sort=["label=asc"]) == ["A", "b", "c"]
    assert await labels(sort=["type=desc", "label=desc"]) == ["c", "b", "A"]
    assert await labels(sort=["tyres_size=asc"]) == ["b", "A", "c"]
    assert await labels(filter="y2") == ["A"]
    assert await labels(filter="%") == ["c"]
    assert await labels(offset=1, limit=1) == ["A"]
    assert await labels(limit=0) == []
    assert await world.code("vehicle/list", sort=["wings=asc"]) == 7
    assert await world.code("vehicle/list", sort=["id", "type", "vin"]) == 7
    assert await world.code("vehicle/list", offset=-1) == 7


async def test_vehicles_of_others_are_not_there(world: World) -> None:
    vehicle_id = await make_vehicle(world)
    for who in ("stranger", "foreigner"):
        assert (await world.call("vehicle/list", who))["list"] == []
        assert await world.code("vehicle/read", who, vehicle_id=vehicle_id) == 201
        assert await world.code("vehicle/delete", who, vehicle_id=vehicle_id) == 201
        assert await world.code("vehicle/delete", who, vehicle_ids=[vehicle_id]) == 0
        changed = {**VEHICLE, "id": vehicle_id}
        assert await world.code("vehicle/update", who, vehicle=changed) == 201
    assert await world.code("vehicle/delete") == 7
    assert await world.code("vehicle/delete", vehicle_id=1, vehicle_ids=[1]) == 7
    assert await world.code("vehicle/delete", vehicle_ids=[vehicle_id, 98765]) == 0
    assert await world.code("vehicle/delete", vehicle_id=vehicle_id) == 201


async def test_a_pasted_table_is_checked_and_not_stored(world: World) -> None:
    lines = "Van\tSprinter\tAB 1\tdiesel\n\n\tno label\nBus\tx\ty\tz\ttoo many"
    reply = await world.call("vehicle/batch_convert", batch=lines)
    van, nameless, crowded = reply["list"]
    assert van["label"] == "Van"
    assert van["reg_number"] == "AB 1"
    assert "errors" not in van
    assert nameless["errors"][0]["parameter"] == "vehicle"
    assert crowded["errors"][0]["parameter"] == "batch"
    assert reply["limit_exceeded"] is False
    given = {"fields": ["label", "type", "subtype", "max_speed"], "batch": "a\tbus\tsedan\t80"}
    (wrong,) = (await world.call("vehicle/batch_convert", **given))["list"]
    assert wrong["errors"][0]["parameter"] == "vehicle.subtype"
    many = await world.call("vehicle/batch_convert", batch="v\n" * 1001)
    assert (len(many["list"]), many["limit_exceeded"]) == (1000, True)
    assert (await world.call("vehicle/list"))["list"] == []
    assert await world.code("vehicle/batch_convert") == 7
    assert await world.code("vehicle/batch_convert", batch="x", fields=["wings"]) == 7
    assert await world.code("vehicle/batch_convert", "sub", batch="x") == 13
    form = {"files": {"file": ("v.tsv", b"\xff\xfe", "text/plain")}}
    sent = await world.client.post(
        "/v2/vehicle/batch_convert", data={"hash": world.hashes["user"]}, **form
    )
    assert world.checked(sent)["status"]["code"] == 234


# In the way of clones.


async def test_rules_and_vehicles_keep_a_clone_from_being_deleted(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    rule_id = await make_rule(world, "stranger", trackers=[clone_id])
    vehicle_id = await make_vehicle(world, "stranger", tracker_id=clone_id)
    status = {"code": 203, "description": "Delete entity associated with"}
    calls = (("tracker/delete", "stranger"), ("panel/tracker/delete_clone", "panel"))
    for path, who in calls:
        assert await world.call(path, who, tracker_id=clone_id) == {
            "success": False,
            "status": status,
            "rules": [rule_id],
        }
    reply = await world.call("panel/tracker/batch_delete_clones", trackers=[clone_id])
    assert reply["not_deleted_trackers"] == [
        {"id": clone_id, "error": "Delete entity associated with"}
    ]
    assert await world.code("tracker/rule/delete", "stranger", rule_id=rule_id) == 0
    for path, who in calls:
        assert await world.call(path, who, tracker_id=clone_id) == {
            "success": False,
            "status": status,
            "vehicles": [vehicle_id],
        }
    assert await world.code("vehicle/delete", "stranger", vehicle_id=vehicle_id) == 0
    assert await world.code("tracker/delete", "stranger", tracker_id=clone_id) == 0


async def test_binding_a_rule_while_the_clone_is_deleted(world: World) -> None:
    for _ in range(3):
        made = await world.register("one")
        clone_id = await clone(world, made["id"])
        rule_id = await make_rule(world, "stranger")
        bound, deleted = await asyncio.gather(
            world.code("tracker/rule/bind", "stranger", rule_id=rule_id, trackers=[clone_id]),
            world.code("tracker/delete", "stranger", tracker_id=clone_id),
        )
        assert bound == 0
        assert deleted in (0, 203)
        shown = {rule["id"]: rule["trackers"] for rule in await rules(world, "stranger")}
        assert shown[rule_id] == ([clone_id] if deleted else [])


async def test_giving_a_device_up_takes_its_trackers_out_of_rules_and_vehicles(
    world: World,
) -> None:
    made = await world.register("one")
    await make_rule(world, trackers=[made["id"]])
    vehicle_id = await make_vehicle(world, tracker_id=made["id"])
    assert await world.code("tracker/corrupt", tracker_id=made["id"]) == 0
    assert (await rules(world))[0]["trackers"] == []
    assert (await world.call("vehicle/read", vehicle_id=vehicle_id))["value"]["tracker_id"] is None


# Tags.


async def test_what_has_all_of_some_tags(world: World) -> None:
    one, two = [
        (await world.call("tag/create", tag={"name": name, "color": "FF0000"}))["id"]
        for name in ("one", "two")
    ]
    made = await world.register("Courier")
    bindings = [{"tag_id": one, "ordinal": 1}, {"tag_id": two, "ordinal": 2}]
    await world.call("tracker/tags/set", tracker_id=made["id"], tag_bindings=bindings)
    vehicle_id = await make_vehicle(world, tags=[one])
    reply = await world.call("tag/search", tag_ids=[one])
    assert [entry["id"] for entry in reply["result"]["tracker"]] == [made["id"]]
    assert [entry["id"] for entry in reply["result"]["vehicle"]] == [vehicle_id]
    assert reply["result"]["zone"] == []
    reply = await world.call("tag/search", tag_ids=[one, two], entity_types=["tracker"])
    assert [entry["label"] for entry in reply["result"]["tracker"]] == ["Courier"]
    assert set(reply["result"]) == {"tracker"}
    reply = await world.call("tag/search", tag_ids=[one, two], entity_types=["vehicle"])
    assert reply["result"] == {"vehicle": []}
    reply = await world.call("tag/search", "stranger", tag_ids=[one])
    assert not any(reply["result"].values())
    assert await world.code("tag/search", tag_ids=[]) == 7
    assert await world.code("tag/search", tag_ids=[one], entity_types=["moon"]) == 7
    assert await world.code("tag/delete", tag_id=one) == 0
    assert (await world.call("vehicle/read", vehicle_id=vehicle_id))["value"]["tags"] == []
