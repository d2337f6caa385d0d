"""Another device in a tracker's place, another SIM card in a device."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from fleet_steps import APN, ICCID, IMEI, PHONE, add_bundle, add_sim, clone, connect, queue
from sqlalchemy import insert, select, update

from waypost.protocols.meitrack import Meitrack
from waypost.store.tables import (
    dealers,
    device_events,
    inbox,
    sim_cards,
    sources,
    tariffs,
    users,
)
from waypost.telemetry.message import Message

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_instructions")]

NEW = {
    "plugin_id": 37,
    "model": "qlgv55lite",
    "phone": "79123122312",
    "device_id": "123451234512353",
    **APN,
}


@pytest.fixture
async def made(world: World) -> dict[str, Any]:
    """A tracker whose device has connected."""
    made = await world.register("Courier", phone="16156680000", send_register_commands=False)
    await connect(world, made)
    return made


async def test_the_documented_example_replaces_and_keeps_what_the_tracker_is(
    world: World, made: dict[str, Any]
) -> None:
    reply = await world.call("tracker/replace", tracker_id=made["id"], **NEW)
    source = {
        **made["source"],
        "device_id": "123451234512353",
        "model": "qlgv55lite",
        "phone": "79123122312",
    }
    assert reply == {"success": True, "value": {**made, "source": source}}
    assert (await world.call("tracker/list"))["list"] == [reply["value"]]
    (told,) = await queue(world)
    assert told[:4] == ("sms", "registration", None, "failed")
    assert told[4]["apn"]["name"] == APN["apn_name"]


async def test_the_history_stays_and_the_status_says_that_the_device_is_new(
    world: World, made: dict[str, Any]
) -> None:
    fix = Message(
        digest_of=b"1",
        time=world.clock.now,
        latitude=52.5,
        longitude=13.4,
        speed=30.0,
        valid=True,
    )
    await world.report(made, fix)
    world.clock.pass_(60)
    await world.call("tracker/replace", tracker_id=made["id"], **NEW)
    state = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
    assert state["connection_status"] == "just_replaced"
    assert state["gps"]["location"] == {"lat": 52.5, "lng": 13.4}
    point = await world.call("tracker/get_last_gps_point", tracker_id=made["id"])
    assert point["value"]["lat"] == 52.5
    shown = await world.call("panel/tracker/read", tracker_id=made["id"])
    assert shown["value"]["source"]["connection_status"] == "just_replaced"
    assert shown["value"]["last_connection"] is None
    async with world.services.database.read() as connection:
        event = (await connection.execute(select(device_events))).one()
    assert event.kind == "replaced"
    assert event.text.startswith(made["source"]["device_id"])


async def test_the_old_device_and_its_number_are_free(world: World, made: dict[str, Any]) -> None:
    heard: list[str] = []
    await world.services.bus.subscribe("fleet.device.*", lambda subject, _: heard.append(subject))
    waiting = {"protocol": "gl200", "address": "a", "first_seen_at": 1, "last_seen_at": 1}
    async with world.services.database.begin() as connection:
        await connection.execute(
            insert(inbox).values(device_id="123451234512353", count=1, **waiting)
        )
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 0
    old = made["source"]["device_id"]
    assert {bytes.fromhex(one.rpartition(".")[2]).decode() for one in heard} == {
        old,
        "123451234512353",
    }
    async with world.services.database.read() as connection:
        assert (await connection.scalars(select(inbox.c.device_id))).all() == []
    again = await world.register("again", device_id=old, phone="16156680000")
    assert again["id"] != made["id"]


async def test_the_same_sim_card_may_be_in_the_new_device(
    world: World, made: dict[str, Any]
) -> None:
    new = {**NEW, "phone": "+1 615 668 0000"}
    reply = await world.call("tracker/replace", tracker_id=made["id"], **new)
    assert reply["value"]["source"]["phone"] == "16156680000"


async def test_what_the_old_device_was_to_be_told_is_not_told_the_new_one(
    world: World, made: dict[str, Any]
) -> None:
    await world.call("tracker/raw_command/send", tracker_id=made["id"], command="reset")
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 0
    count = await world.call("tracker/command/unconfirmed/count", tracker_id=made["id"])
    assert count == {"success": True, "count": 0}


async def test_settings_go_over_to_a_device_that_has_the_same_ones(
    world: World, made: dict[str, Any]
) -> None:
    path = "tracker/settings/tracking"
    value = (await world.call(f"{path}/read", tracker_id=made["id"]))["value"]
    value["tracking_distance"] = 555
    await world.call(f"{path}/update", tracker_id=made["id"], tracking_settings=value)
    alike = {**NEW, "model": "telfmb920"}
    assert await world.code("tracker/replace", tracker_id=made["id"], **alike) == 0
    assert (await world.call(f"{path}/read", tracker_id=made["id"]))["value"] == value
    told = [(kind, state) for _, kind, _, state, _ in await queue(world)]
    assert told == [
        ("tracking", "cancelled"),
        ("tracking", "queued"),
        ("registration", "failed"),
    ]
    await connect(world, made)
    other = {**NEW, "device_id": "123451234512361"}
    assert await world.code("tracker/replace", tracker_id=made["id"], **other) == 0
    fresh = await world.register("fresh", model="qlgv55lite")
    assert await world.call(f"{path}/read", tracker_id=made["id"]) == await world.call(
        f"{path}/read", tracker_id=fresh["id"]
    )


async def test_what_cannot_be_replaced(world: World, made: dict[str, Any]) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        return await world.code(
            "tracker/replace", who, **{"tracker_id": made["id"], **NEW, **fields}
        )

    assert await code("sub") == 13
    assert await code(tracker_id=98765) == 201
    assert await code("stranger") == 201
    fresh = await world.register("fresh")
    assert await code(tracker_id=fresh["id"]) == 266
    clone_id = await clone(world, made["id"])
    assert await code("stranger", tracker_id=clone_id) == 219
    assert await code(model=None) == 7
    assert await code(device_id="12") == 7
    assert await code(phone="nobody") == 7
    assert await code(model="mobile_unknown_xgps", plugin_id=35) == 7
    assert await code(group_id=98765) == 204
    assert await code(model="no_such_model") == 220
    assert await code(plugin_id=35) == 222
    assert await code(plugin_id=99) == 222
    await world.register("other", phone="79123122312")
    assert await code() == 223
    assert await code(phone=None, device_id=fresh["source"]["device_id"]) == 224
    assert await code(phone=None, device_id=made["source"]["device_id"]) == 224
    assert await code(phone=None, iccid=ICCID) == 226
    assert await code(phone=None, plugin_id=1) == 258
    app = await world.register("app", plugin_id=35, model="mobile_unknown_xgps", device_id=None)
    await connect(world, app)
    assert await code(tracker_id=app["id"]) == 7
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 208
    await world.call("panel/tracker/corrupt", tracker_id=made["id"], corrupt_clones=True)
    assert await code() == 201


async def test_limits_and_tariffs_hold_for_replacements(world: World, made: dict[str, Any]) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(dealers).values(device_limit=0))
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 221
    async with world.services.database.begin() as connection:
        await connection.execute(update(dealers).values(device_limit=1))
        await connection.execute(update(tariffs).values(doc_type=2))
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 225
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(legal_type="legal_entity"))
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 0


async def test_no_activation_code_is_asked_for(world: World, made: dict[str, Any]) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers).values(settings={"activation_code_required": True})
        )
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 0


async def test_a_replaced_device_must_connect_before_it_is_replaced_and_cannot_be_given_up(
    world: World, made: dict[str, Any]
) -> None:
    assert await world.code("tracker/replace", tracker_id=made["id"], **NEW) == 0
    other = {**NEW, "device_id": "123451234512361"}
    assert await world.code("tracker/replace", tracker_id=made["id"], **other) == 266
    assert await world.code("tracker/corrupt", tracker_id=made["id"]) == 243


async def test_two_replacements_at_once_are_one(world: World, made: dict[str, Any]) -> None:
    news = [{**NEW, "phone": None, "device_id": str(123451234512353 + n)} for n in range(4)]
    codes = await asyncio.gather(
        *(world.code("tracker/replace", tracker_id=made["id"], **new) for new in news)
    )
    assert sorted(codes) == [0] + [266] * 3


async def test_replacing_while_it_is_given_up(world: World, made: dict[str, Any]) -> None:
    replaced, corrupted = await asyncio.gather(
        world.code("tracker/replace", tracker_id=made["id"], **NEW),
        world.code("panel/tracker/corrupt", tracker_id=made["id"]),
    )
    assert corrupted == 0
    assert replaced in (0, 201)
    assert await world.code("tracker/read", tracker_id=made["id"]) == 201
    again = await world.register("again", device_id=made["source"]["device_id"])
    assert again["source"]["id"] != made["source"]["id"]


async def test_replacing_quickly(world: World, made: dict[str, Any]) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        given = {"tracker_id": made["id"], "imei": IMEI, **fields}
        return await world.code("tracker/replace_quick", who, **given)

    assert await code() == 201
    await add_bundle(world, iccid=ICCID)
    assert await code("sub") == 13
    assert await code(tracker_id=98765) == 201
    assert await code(imei=None) == 7
    assert await code(iccid="8988303000000614228") == 226
    fresh = await world.register("fresh")
    assert await code(tracker_id=fresh["id"]) == 266
    reply = await world.call("tracker/replace_quick", tracker_id=made["id"], imei=IMEI)
    assert reply["value"]["id"] == made["id"]
    assert reply["value"]["source"]["device_id"] == IMEI
    assert reply["value"]["source"]["phone"] is None
    shown = await world.call("panel/tracker/read", tracker_id=made["id"])
    assert shown["value"]["source"]["phone"] == PHONE
    assert await queue(world) == []


async def test_replacing_once_more(world: World, made: dict[str, Any]) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        given = {"tracker_id": made["id"], **APN, **fields}
        return await world.code("tracker/replace_retry", who, **given)

    assert await code("sub") == 13
    assert await code(tracker_id=98765) == 204
    assert await code("stranger") == 204
    assert await code(apn_name=None) == 7
    assert await code() == 242
    fresh = await world.register("fresh", phone="79123122313")
    assert await code(tracker_id=fresh["id"]) == 266
    plain = await world.register("plain", model="navixy_ngp", device_id="Truck_1")
    assert await code(tracker_id=plain["id"]) == 214
    new = {**NEW, "send_register_commands": False}
    replaced = await world.call("tracker/replace", tracker_id=made["id"], **new)
    retried = await world.call("tracker/replace_retry", tracker_id=made["id"], **APN)
    assert retried == replaced
    assert len(await queue(world)) == 2
    await connect(world, made)
    assert await code() == 242
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 208


# Another SIM card.


async def apn_of(world: World, made: dict[str, Any]) -> Any:
    reply = await world.call("tracker/apn_settings/read", tracker_id=made["id"])
    return reply.get("value", reply["success"])


async def test_another_sim_card(world: World, made: dict[str, Any]) -> None:
    change = {"tracker_id": made["id"], "phone": "6156680000"}
    full = {"apn_name": "fast.tmobile.com", "apn_user": "tmobile", "apn_password": "secret"}
    assert await world.call("tracker/change_phone", **change, **full) == {"success": True}
    read = await world.call("tracker/read", tracker_id=made["id"])
    assert read["value"]["source"]["phone"] == "6156680000"
    told = {"name": "fast.tmobile.com", "user": "tmobile", "password": "secret"}
    assert await queue(world) == [
        ("sms", "apn", None, "failed", {"apn": told}),
        ("gprs", "apn", None, "queued", {"apn": told}),  # it is connected
    ]
    assert await apn_of(world, made) == told
    assert await world.code("tracker/change_phone", **change) == 0
    assert await apn_of(world, made) == told
    part = {"apn_name": "internet", "apn_user": "", "apn_password": ""}
    assert await world.code("tracker/change_phone", **change, **part) == 0
    assert await apn_of(world, made) == {"name": "internet", "user": "", "password": ""}
    freed = await world.register("other", phone="16156680000")
    assert freed["source"]["phone"] == "16156680000"


@pytest.mark.parametrize(
    "wrong", [{"phone": None}, {"phone": ""}, {"phone": "123456789"}, {"phone": "1" * 16}]
)
async def test_what_is_no_phone_number(
    world: World, made: dict[str, Any], wrong: dict[str, Any]
) -> None:
    reply = await world.call("tracker/change_phone", tracker_id=made["id"], **wrong)
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"] == "phone"


async def test_whose_number_cannot_be_changed(world: World, made: dict[str, Any]) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        given = {"tracker_id": made["id"], "phone": "6156680000", **fields}
        return await world.code("tracker/change_phone", who, **given)

    assert await code("sub") == 13
    assert await code(tracker_id=98765) == 201
    assert await code("stranger") == 201
    assert await code(apn_password="x" * 41) == 7
    other = await world.register("other", "foreigner", phone="6156680000")
    assert await code() == 223
    assert await code("foreigner", tracker_id=other["id"]) == 0
    await add_bundle(world, iccid=ICCID)
    assert await code(phone=PHONE) == 241
    free = await add_sim(world, "8988303000000614228", "882360012345679")
    assert await code(phone="882360012345679") == 0
    plain = await world.register("plain", model="navixy_ngp", device_id="Truck_1")
    assert await code(tracker_id=plain["id"]) == 214
    clone_id = await clone(world, made["id"])
    assert await code("stranger", tracker_id=clone_id) == 219
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 208
    async with world.services.database.read() as connection:
        assert await connection.scalar(select(sim_cards.c.id).where(sim_cards.c.id == free))


async def test_an_own_sim_card_takes_the_place_of_the_dealers(world: World) -> None:
    await add_bundle(world, iccid=ICCID)
    made = (await world.call("tracker/register_quick", label="Courier", group_id=0, imei=IMEI))[
        "value"
    ]
    assert await world.code("tracker/apn_settings/read", tracker_id=made["id"]) == 214
    change = {"tracker_id": made["id"], "phone": "6156680000"}
    assert await world.code("tracker/change_phone", **change) == 0
    read = await world.call("tracker/read", tracker_id=made["id"])
    assert read["value"]["source"]["phone"] == "6156680000"
    async with world.services.database.read() as connection:
        assert await connection.scalar(select(sources.c.sim_card_id)) is None


async def test_two_devices_cannot_get_one_number_at_once(world: World) -> None:
    made = [await world.register(str(n)) for n in range(4)]
    codes = await asyncio.gather(
        *(
            world.code("tracker/change_phone", tracker_id=one["id"], phone="6156680000")
            for one in made
        )
    )
    assert sorted(codes) == [0] + [223] * 3


async def test_a_maker_whose_command_names_access_point_and_server_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meitrack, "can_tell", classmethod(lambda cls, kind, device: kind != "apn"))
    made = await world.register("asset", model="meitrack_t1")
    change = {"tracker_id": made["id"], "phone": "6156680000", **APN}
    assert await world.call("tracker/change_phone", **change) == {"success": True}
    told = (await queue(world))[-1]
    assert told[:2] == ("sms", "registration")
    assert told[4]["apn"]["name"] == APN["apn_name"]
