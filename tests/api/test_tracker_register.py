"""``tracker/register``, ``corrupt``, ``delete``, and the panel's clones: devices come and go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from sqlalchemy import insert, select, update

from waypost.store.tables import dealers, inbox, sources, tariffs, users

pytestmark = pytest.mark.anyio

FIELDS: dict[str, Any] = {
    "label": "Courier",
    "group_id": 0,
    "plugin_id": 37,
    "model": "qlgv55lite",
    "phone": "79123122312",
    "activation_code": "123123123",
    "device_id": "123451234512346",
    "apn_name": "fast.tmobile.com",
    "apn_user": "tmobile",
    "apn_password": "tmobile",
}


async def test_the_documented_example_registers(world: World) -> None:
    reply = await world.call("tracker/register", **FIELDS)
    value = reply["value"]
    assert value["label"] == "Courier"
    assert value["source"]["device_id"] == "123451234512346"
    assert value["source"]["phone"] == "79123122312"
    assert value["clone"] is False
    assert await world.call("tracker/read", tracker_id=value["id"]) == reply


@pytest.mark.parametrize(
    ("changed", "code", "parameter"),
    [
        ({"label": ""}, 7, "label"),
        ({"label": "x" * 61}, 7, "label"),
        ({"label": "tab\there"}, 7, "label"),
        ({"label": None}, 7, "label"),
        ({"group_id": -1}, 7, "group_id"),
        ({"group_id": "none"}, 7, "group_id"),
        ({"group_id": 99}, 204, None),
        ({"model": "no_such"}, 220, None),
        ({"plugin_id": 99}, 222, None),
        ({"plugin_id": 1}, 258, None),
        ({"iccid": "8988303000000614227"}, 226, None),
        ({"plugin_id": 35}, 222, None),
        ({"model": "mobile_unknown_xgps"}, 222, None),
        ({"device_id": None}, 7, "device_id"),
        ({"device_id": "12345"}, 7, "device_id"),
        ({"device_id": "12345123451234X"}, 7, "device_id"),
        ({"device_id": "1234512345123467"}, 7, "device_id"),
        ({"device_id": "12345\u0661234512346"}, 7, "device_id"),
        ({"phone": "nobody"}, 7, "phone"),
        ({"phone": "1" * 16}, 7, "phone"),
        ({"apn_name": "x" * 41}, 7, "apn_name"),
    ],
)
async def test_what_is_wrong_is_said(
    world: World, changed: dict[str, Any], code: int, parameter: str | None
) -> None:
    reply = await world.call("tracker/register", **{**FIELDS, **changed})
    assert reply["status"]["code"] == code, reply
    if parameter is not None:
        assert reply["errors"][0]["parameter"] == parameter
    assert (await world.call("tracker/list"))["list"] == []


async def test_numbers_may_be_ids_and_phones(world: World) -> None:
    changed = {"device_id": 123451234512346, "phone": 79123122312}
    reply = await world.call("tracker/register", **{**FIELDS, **changed})
    assert reply["value"]["source"]["device_id"] == "123451234512346"


async def test_device_id_and_phone_belong_to_one_device_on_the_whole_server(world: World) -> None:
    assert await world.code("tracker/register", **FIELDS) == 0
    for who in ("user", "stranger", "foreigner"):
        assert await world.code("tracker/register", who, **FIELDS) == 223
        other_phone = {**FIELDS, "phone": "+7 912 312-23-13"}
        assert await world.code("tracker/register", who, **other_phone) == 224
        same_phone = {**FIELDS, "device_id": "123451234512353", "phone": "+7 (912) 312 23 12"}
        assert await world.code("tracker/register", who, **same_phone) == 223


async def test_registering_at_once_registers_once(world: World) -> None:
    replies = await asyncio.gather(
        *(world.code("tracker/register", **{**FIELDS, "phone": None}) for _ in range(8))
    )
    assert sorted(replies) == [0] + [224] * 7


async def test_generated_ids(world: World) -> None:
    fields = {**FIELDS, "model": "tt1_wp", "phone": None, "device_id": None}
    ids = {
        (await world.call("tracker/register", **fields))["value"]["source"]["device_id"]
        for _ in range(3)
    }
    assert len(ids) == 3
    assert all(len(one) == 10 and one.startswith("2") for one in ids)
    given = await world.call("tracker/register", **{**fields, "device_id": "1234567890"})
    assert given["value"]["source"]["device_id"] == "1234567890"
    part = await world.call("tracker/register", **{**fields, "device_id": "87654321"})
    assert part["value"]["source"]["device_id"][:8] == "87654321"
    assert len(part["value"]["source"]["device_id"]) == 10
    ngp = {**fields, "model": "navixy_ngp"}
    assert await world.code("tracker/register", **{**ngp, "device_id": "short"}) == 7
    assert await world.code("tracker/register", **{**ngp, "device_id": "no spaces!"}) == 7
    assert await world.code("tracker/register", **{**ngp, "device_id": "Truck_1.a:b-c"}) == 0


async def test_a_cdma_device_is_registered_by_its_meid(world: World) -> None:
    fields = {**FIELDS, "model": "qlgl300vc", "phone": None}
    assert await world.code("tracker/register", **fields) == 7
    made = await world.call("tracker/register", **{**fields, "device_id": "a1000043d20139"})
    assert made["value"]["source"]["device_id"] == "A1000043D20139"


async def test_the_dealers_limit_holds(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == world.dealer_id).values(device_limit=1)
        )
    first = await world.register("one")
    assert await world.code("tracker/register", **FIELDS) == 221
    assert await world.code("tracker/register", "stranger", **FIELDS) == 221
    assert await world.code("tracker/register", "foreigner", **FIELDS) == 0
    assert await world.code("tracker/corrupt", tracker_id=first["id"]) == 0
    assert await world.code("tracker/register", **{**FIELDS, **OTHER}) == 0


OTHER = {"device_id": "123451234512353", "phone": "79123122399"}


async def test_the_tariff_must_be_for_such_owners(world: World) -> None:
    async with world.services.database.begin() as connection:
        tariff_id = await connection.scalar(
            insert(tariffs)
            .values(dealer_id=world.dealer_id, name="Firms", doc_type=2, store_period="3m")
            .returning(tariffs.c.id)
        )
        await connection.execute(
            update(users).where(users.c.id == world.ids["user"]).values(default_tariff_id=tariff_id)
        )
    assert await world.code("tracker/register", **FIELDS) == 225
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(users).where(users.c.id == world.ids["user"]).values(legal_type="legal_entity")
        )
    reply = await world.call("tracker/register", **FIELDS)
    assert reply["value"]["source"]["tariff_id"] == tariff_id
    async with world.services.database.read() as connection:
        days = await connection.scalar(select(sources.c.retention_days))
    assert days == 93


async def test_a_code_is_asked_for_only_where_the_dealer_wants_it(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers)
            .where(dealers.c.id == world.dealer_id)
            .values(settings={"activation_code_required": True})
        )
    assert await world.code("tracker/register", **FIELDS) == 227
    assert await world.code("tracker/register", **{**FIELDS, "plugin_id": 44}) == 0


async def test_registering_takes_a_device_out_of_the_inbox_and_tells_of_it(world: World) -> None:
    waiting = {"protocol": "gl200", "address": "192.0.2.1", "first_seen_at": 1, "last_seen_at": 1}
    async with world.services.database.begin() as connection:
        for told in ("0123451234512346", "123451234512346", "999999999999999"):
            await connection.execute(insert(inbox).values(device_id=told, count=1, **waiting))
    heard: list[str] = []
    await world.services.bus.subscribe("fleet.device.*", lambda subject, _: heard.append(subject))
    assert await world.code("tracker/register", **FIELDS) == 0
    async with world.services.database.read() as connection:
        left = (await connection.scalars(select(inbox.c.device_id))).all()
    assert left == ["999999999999999"]
    assert heard == ["fleet.device." + b"123451234512346".hex()]


async def test_corrupting_frees_id_and_phone(world: World) -> None:
    made = (await world.call("tracker/register", **FIELDS))["value"]
    assert await world.code("tracker/corrupt", tracker_id=made["id"]) == 0
    assert await world.code("tracker/corrupt", tracker_id=made["id"]) == 252
    assert await world.code("tracker/read", tracker_id=made["id"]) == 201
    assert await world.code("tracker/get_state", tracker_id=made["id"]) == 201
    assert (await world.call("tracker/list"))["list"] == []
    again = (await world.call("tracker/register", **FIELDS))["value"]
    assert again["source"]["id"] != made["source"]["id"]


async def test_corrupting_needs_a_device_that_never_connected(world: World) -> None:
    made = await world.register("one")
    async with world.services.database.begin() as connection:
        await connection.execute(update(sources).values(connected_at=1))
    assert await world.code("tracker/corrupt", tracker_id=made["id"]) == 243
    assert await world.code("panel/tracker/corrupt", tracker_id=made["id"]) == 0


async def test_corrupting_another_accounts_tracker_answers_like_a_missing_one(
    world: World,
) -> None:
    made = await world.register("one")
    missing = await world.call("tracker/corrupt", tracker_id=98765)
    assert missing["status"]["code"] == 201
    assert await world.call("tracker/corrupt", "stranger", tracker_id=made["id"]) == missing
    assert await world.call("panel/tracker/corrupt", "other_panel", tracker_id=made["id"]) == (
        await world.call("panel/tracker/corrupt", tracker_id=98765)
    )
    assert await world.code("tracker/corrupt", "sub", tracker_id=made["id"]) == 13


async def test_corrupting_at_once_corrupts_once(world: World) -> None:
    made = await world.register("one")
    codes = await asyncio.gather(
        *(world.code("tracker/corrupt", tracker_id=made["id"]) for _ in range(5))
    )
    assert sorted(codes) == [0] + [252] * 4


async def clone(world: World, tracker_id: int, who: str = "stranger") -> int:
    reply = await world.call(
        "panel/tracker/clone", tracker_id=tracker_id, label="Clone", user_id=world.ids[who]
    )
    assert reply["success"], reply
    return int(reply["id"])


async def test_a_clone_shows_the_same_device_to_another_user(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    (shown,) = (await world.call("tracker/list", "stranger"))["list"]
    assert shown == {**made, "id": clone_id, "label": "Clone", "clone": True}
    for action in ("corrupt",):
        assert await world.code(f"tracker/{action}", "stranger", tracker_id=clone_id) == 219
    assert await world.code("tracker/get_state", "stranger", tracker_id=clone_id) == 0


async def test_what_cannot_be_cloned(world: World) -> None:
    made = await world.register("one")

    async def code(who: str = "panel", **params: Any) -> int:
        fields = {"tracker_id": made["id"], "label": "c", "user_id": world.ids["stranger"]}
        return await world.code("panel/tracker/clone", who, **{**fields, **params})

    assert await code(tracker_id=98765) == 201
    assert await code("other_panel") == 201
    assert await code(label="") == 7
    assert await code(user_id=world.ids["user"]) == 246
    assert await code(user_id=world.ids["foreigner"]) == 246
    assert await code(user_id=world.ids["sub"]) == 246
    assert await code(user_id=98765) == 246
    clone_id = await clone(world, made["id"])
    assert await code() == 247
    assert await code(tracker_id=clone_id, user_id=world.ids["user"]) == 219
    assert await world.code("panel/tracker/corrupt", tracker_id=made["id"]) == 253
    both = {"tracker_id": made["id"], "corrupt_clones": True}
    assert await world.code("panel/tracker/corrupt", **both) == 0
    assert await code() == 252


async def test_cloning_at_once_clones_once(world: World) -> None:
    made = await world.register("one")
    fields = {"tracker_id": made["id"], "label": "c", "user_id": world.ids["stranger"]}
    codes = await asyncio.gather(*(world.code("panel/tracker/clone", **fields) for _ in range(5)))
    assert sorted(codes) == [0] + [247] * 4


async def test_corrupting_names_the_clones_that_are_in_its_way(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    reply = await world.call("panel/tracker/corrupt", tracker_id=made["id"])
    assert reply["status"]["code"] == 253
    assert reply["list"] == [clone_id]
    reply = await world.call("panel/tracker/corrupt", tracker_id=made["id"], corrupt_clones=True)
    assert reply == {"success": True}
    assert (await world.call("tracker/list", "stranger"))["list"] == []
    assert await world.code("tracker/read", "stranger", tracker_id=clone_id) == 201


async def test_a_user_deletes_clones_only(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    assert await world.code("tracker/delete", tracker_id=made["id"]) == 249
    assert await world.code("tracker/delete", tracker_id=clone_id) == 201
    assert await world.code("tracker/delete", "sub", tracker_id=clone_id) == 13
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await world.code("tracker/delete", "stranger", tracker_id=clone_id) == 0
    assert await world.code("tracker/delete", "stranger", tracker_id=clone_id) == 201
    assert (await world.call("tracker/list", "stranger"))["list"] == []
    again = await clone(world, made["id"])
    assert again != clone_id
    assert await world.code("panel/tracker/delete_clone", tracker_id=made["id"]) == 249
    assert await world.code("panel/tracker/delete_clone", "other_panel", tracker_id=again) == 201
    assert await world.code("panel/tracker/delete_clone", tracker_id=again) == 0
    assert await world.code("panel/tracker/delete_clone", tracker_id=again) == 201


async def test_many_clones_are_deleted_at_once_and_failures_named(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    gone = await clone(world, (await world.register("two"))["id"])
    await world.call("panel/tracker/delete_clone", tracker_id=gone)
    ids = [clone_id, made["id"], 98765, gone]
    assert await world.call("panel/tracker/batch_delete_clones", trackers=ids) == {
        "success": True,
        "deleted_count": 1,
        "not_deleted_count": 3,
        "not_deleted_trackers": [
            {"id": made["id"], "error": "Not a clone"},
            {"id": 98765, "error": "Entity not found"},
            {"id": gone, "error": "Already deleted"},
        ],
    }
    assert await world.call("panel/tracker/batch_delete_clones", trackers=[]) == {
        "success": True,
        "deleted_count": 0,
        "not_deleted_count": 0,
    }
    too_many = list(range(501))
    assert await world.code("panel/tracker/batch_delete_clones", trackers=too_many) == 7
