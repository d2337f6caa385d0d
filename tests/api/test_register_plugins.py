"""Every way of registering a device, and what is queued to set it up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import NOON, World
from fleet_steps import (
    APN,
    ICCID,
    IMEI,
    PHONE,
    add_bundle,
    add_sim,
    clone,
    connect,
    queue,
    set_dealer,
)
from sqlalchemy import select, update

from waypost.store.tables import bundles, commands, sim_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_instructions")]

# What sets a device up.


async def test_registering_queues_what_sets_the_device_up_and_says_why_it_cannot_go(
    world: World,
) -> None:
    made = await world.register("one", phone="79123122312", **APN)
    content = {"apn": {"name": "fast.tmobile.com", "user": "tmobile"}, "interval": 60}
    assert await queue(world) == [("sms", "registration", None, "failed", content)]
    async with world.services.database.read() as connection:
        row = (await connection.execute(select(commands))).one()
    assert row.error == "no SMS provider is set up"
    assert row.finished_at == NOON
    assert row.user_id == world.ids["user"]
    assert row.tracker_id == made["id"]


@pytest.mark.parametrize(
    ("asked", "dealer", "sent"),
    [
        (None, {}, 1),
        (True, {}, 1),
        (False, {}, 0),
        (None, {"send_register_commands": False}, 0),
        (True, {"send_register_commands": False}, 1),
    ],
)
async def test_the_call_or_the_dealer_says_whether_commands_go_out(
    world: World, asked: bool | None, dealer: dict[str, Any], sent: int
) -> None:
    await set_dealer(world, **dealer)
    await world.register("one", phone="79123122312", send_register_commands=asked)
    assert len(await queue(world)) == sent


async def test_a_device_without_a_number_is_told_nothing(world: World) -> None:
    await world.register("one")
    await world.register("two", model="navixy_ngp", device_id="Truck_1", phone="79123122312")
    assert await queue(world) == []


# Apps on phones.


async def test_an_app_is_registered_with_an_id_of_the_platforms_and_people_are_told(
    world: World,
) -> None:
    fields = {
        "label": "Courier",
        "group_id": 0,
        "model": "mobile_unknown_xgps",
        "notification_email": "courier@example.org",
        "notification_phone": "+1 615 668 0000",
    }
    reply = await world.call("tracker/register", plugin_id=35, **fields)
    device_id = reply["value"]["source"]["device_id"]
    assert len(device_id) == 12
    content = {"label": "Courier", "device_id": device_id}
    assert await queue(world) == [
        ("email", "invitation", "courier@example.org", "failed", content),
        ("sms", "invitation", "16156680000", "failed", content),
    ]
    assert await world.code("tracker/register", plugin_id=68, **fields) == 0
    assert await world.code("tracker/register", plugin_id=44, **fields) == 222
    for wrong in ({"notification_email": "nobody"}, {"notification_phone": "12"}):
        reply = await world.call("tracker/register", plugin_id=35, **{**fields, **wrong})
        assert reply["status"]["code"] == 7
        assert reply["errors"][0]["parameter"] == next(iter(wrong))
    await set_dealer(world, activation_code_required=True)
    assert await world.code("tracker/register", plugin_id=68, **fields) == 227
    assert await world.code("tracker/register", plugin_id=35, **fields) == 0


# Bundles and their SIM cards.

BUNDLED = {
    "label": "Truck",
    "group_id": 0,
    "plugin_id": 1,
    "model": "telfmb120",
    "device_id": IMEI,
}


async def test_a_bundle_comes_with_its_sim_card_whose_number_its_user_does_not_see(
    world: World,
) -> None:
    await add_bundle(world, iccid=ICCID)
    reply = await world.call("tracker/register", **BUNDLED, iccid=ICCID)
    assert reply["value"]["source"]["phone"] is None
    assert await queue(world) == []  # set up at the factory
    shown = await world.call("panel/tracker/read", tracker_id=reply["value"]["id"])
    assert shown["value"]["source"]["phone"] == PHONE
    other = {**BUNDLED, "plugin_id": 44, "device_id": "123451234512353", "phone": PHONE}
    assert await world.code("tracker/register", **other) == 223
    assert await world.code("tracker/register", **BUNDLED, iccid=ICCID) == 224


async def test_a_sim_card_named_at_registration_is_put_into_the_bundle(world: World) -> None:
    bundle_id = await add_bundle(world, factory_preset=False)
    sim = await add_sim(world)
    assert await world.code("tracker/register", **BUNDLED) == 226
    assert await world.code("tracker/register", **BUNDLED, iccid=ICCID) == 0
    async with world.services.database.read() as connection:
        assert sim == await connection.scalar(
            select(bundles.c.sim_card_id).where(bundles.c.id == bundle_id)
        )
    (told,) = await queue(world)
    assert told[4]["apn"] == {"name": "iot.example"}


async def test_what_a_bundle_cannot_be_registered_with(world: World) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        return await world.code("tracker/register", who, **{**BUNDLED, **fields})

    assert await code() == 258
    assert await code(plugin_id=44, iccid=ICCID) == 226
    await add_bundle(world, iccid=ICCID)
    assert await code("foreigner") == 258
    assert await code(iccid="8988303000000614228") == 226
    assert await code(iccid="12") == 7
    await add_sim(world, "8988303000000614228", "882360012345679")
    assert await code(iccid="8988303000000614228") == 226
    async with world.services.database.begin() as connection:
        await connection.execute(update(sim_cards).values(blocked=True))
    assert await code() == 226
    assert await code(plugin_id=44) == 0


async def test_a_bundle_registered_as_any_device_has_its_sim_card_unless_another_is_named(
    world: World,
) -> None:
    await add_bundle(world, iccid=ICCID)
    reply = await world.call("tracker/register", **{**BUNDLED, "plugin_id": 44})
    assert reply["value"]["source"]["phone"] is None
    assert await world.code("panel/tracker/corrupt", tracker_id=reply["value"]["id"]) == 0
    own = {**BUNDLED, "plugin_id": 37, "phone": "79123122312"}
    assert (await world.call("tracker/register", **own))["value"]["source"]["phone"] == (
        "79123122312"
    )


async def test_two_who_register_a_bundle_at_once(world: World) -> None:
    await add_bundle(world, iccid=ICCID)
    codes = await asyncio.gather(
        *(world.code("tracker/register", who, **BUNDLED) for who in ("user", "stranger") * 3)
    )
    assert sorted(codes) == [0] + [224] * 5


# Quickly.

QUICK = {"label": "Courier", "group_id": 0, "imei": IMEI}


async def test_registering_quickly(world: World) -> None:
    await add_bundle(world, iccid=ICCID, factory_preset=False)
    reply = await world.call("tracker/register_quick", **QUICK)
    value = reply["value"]
    assert value["source"]["model"] == "telfmb120"
    assert value["source"]["device_id"] == IMEI
    assert value["label"] == "Courier"
    assert await world.call("tracker/read", tracker_id=value["id"]) == reply
    assert await queue(world) == []
    assert await world.code("tracker/register_quick", **QUICK) == 224


async def test_what_cannot_be_registered_quickly(world: World) -> None:
    async def code(who: str = "user", **fields: Any) -> int:
        return await world.code("tracker/register_quick", who, **{**QUICK, **fields})

    assert await code() == 201
    bundle_id = await add_bundle(world)
    assert await code("foreigner") == 201
    assert await code("sub") == 13
    assert await code(imei=None) == 7
    assert await code(label="") == 7
    assert await code(group_id=77) == 204
    assert await code(iccid=ICCID) == 226

    async def become(model: str) -> None:
        async with world.services.database.begin() as connection:
            await connection.execute(
                update(bundles).where(bundles.c.id == bundle_id).values(model_code=model)
            )

    await become("no_such_model")
    assert await code() == 220
    await become("mobile_unknown")
    assert await code() == 222
    await become("telfmb120")
    await world.register("one", phone=PHONE)
    await add_sim(world)
    assert await code(iccid=ICCID) == 223
    await set_dealer(world, activation_code_required=True)
    assert await code(activation_code="123") == 0  # no plugin asks for one


# Once more.


async def test_registration_commands_go_out_again_until_the_device_connects(world: World) -> None:
    made = await world.register("one", phone="79123122312", send_register_commands=False)
    retry = {"tracker_id": made["id"], **APN}
    assert await world.call("tracker/register_retry", **retry) == {"success": True, "value": made}
    (told,) = await queue(world)
    assert told[:4] == ("sms", "registration", None, "failed")
    assert told[4]["apn"] == {"name": "fast.tmobile.com", "user": "tmobile"}
    assert await world.code("tracker/register_retry", **retry, send_register_commands=False) == 0
    assert len(await queue(world)) == 1
    await connect(world, made)
    assert await world.code("tracker/register_retry", **retry) == 242


async def test_a_retry_may_name_the_device(world: World) -> None:
    made = await world.register("one", phone="79123122312")
    device_id = made["source"]["device_id"]
    assert await world.code("tracker/register_retry", device_id=device_id, **APN) == 0
    assert await world.code("tracker/register_retry", device_id=int(device_id), **APN) == 0
    assert await world.code("tracker/register_retry", "stranger", device_id=device_id, **APN) == 201
    assert await world.code("tracker/register_retry", device_id="356938035643809", **APN) == 201
    reply = await world.call("tracker/register_retry", **APN)
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"] == "tracker_id"


async def test_which_devices_cannot_be_asked_again(world: World) -> None:
    made = await world.register("one", phone="79123122312")

    async def code(who: str = "user", **fields: Any) -> int:
        given = {"tracker_id": made["id"], **APN, **fields}
        return await world.code("tracker/register_retry", who, **given)

    assert await code("sub") == 13
    assert await code("stranger") == 201
    assert await code(apn_name=None) == 7
    assert await code(apn_user="x" * 41) == 7
    clone_id = await clone(world, made["id"])
    assert await code("stranger", tracker_id=clone_id) == 219
    plain = await world.register("two", model="navixy_ngp", device_id="Truck_1")
    assert await code(tracker_id=plain["id"]) == 214
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 208


async def test_the_panels_retry_waits_two_minutes_and_resets_the_tracking_settings(
    world: World,
) -> None:
    made = await world.register("one", phone="79123122312", **APN)
    first = await world.call("tracker/settings/tracking/read", tracker_id=made["id"])
    changed = {**first["value"], "tracking_distance": 555}
    update_ = {"tracker_id": made["id"], "tracking_settings": changed}
    assert await world.code("tracker/settings/tracking/update", **update_) == 0
    await connect(world, made)
    for path in ("register_entry", "register_retry"):
        url = f"panel/tracker/{path}"
        assert await world.code(url, tracker_id=made["id"]) == 0
        read = await world.call("tracker/settings/tracking/read", tracker_id=made["id"])
        assert read == first
        world.clock.pass_(29.5)
        assert await world.call("panel/tracker/register_entry", tracker_id=made["id"]) == {
            "success": False,
            "status": {"code": 264, "description": "Timeout not reached"},
            "timeout": "PT2M",
            "remainder": "PT1M30.5S",
        }
        world.clock.pass_(91)
    told = [(channel, kind, state) for channel, kind, _, state, _ in await queue(world)]
    by_sms, connected = ("sms", "registration", "failed"), ("gprs", "registration", "failed")
    assert told == [
        by_sms,
        ("gprs", "tracking", "cancelled"),
        ("gprs", "tracking", "cancelled"),  # what was told once is told anew
        *(by_sms, connected),
        ("gprs", "tracking", "queued"),
        *(by_sms, connected),
    ]


async def test_whom_the_panels_retry_is_not_for(world: World) -> None:
    made = await world.register("one", phone="79123122312")

    async def code(tracker_id: int = made["id"], who: str = "panel") -> int:
        return await world.code("panel/tracker/register_entry", who, tracker_id=tracker_id)

    assert await code(98765) == 201
    assert await code(who="other_panel") == 201
    app = await world.register("app", plugin_id=35, model="mobile_unknown_xgps", device_id=None)
    assert await code(app["id"]) == 214
    plain = await world.register("two", model="navixy_ngp", device_id="Truck_1")
    assert await code(plain["id"]) == 214
    clone_id = await clone(world, made["id"])
    assert await code(clone_id) == 219
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 208
    await world.call("panel/tracker/corrupt", tracker_id=plain["id"])
    assert await code(plain["id"]) == 252


async def test_two_retries_at_once_in_the_panel_are_one(world: World) -> None:
    made = await world.register("one", phone="79123122312", send_register_commands=False)
    codes = await asyncio.gather(
        *(world.code("panel/tracker/register_entry", tracker_id=made["id"]) for _ in range(4))
    )
    assert sorted(codes) == [0] + [264] * 3
    assert len(await queue(world)) == 1
