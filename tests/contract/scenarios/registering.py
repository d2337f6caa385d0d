"""Devices that cannot be registered, replaced or given up."""

from __future__ import annotations

from typing import Any

from contract_stage import APP, ICCID, IMEI, MODEL, NOTHING, OTHER_IMEI, Stage
from sqlalchemy import update

from scenarios import Play, Reply, scenario
from waypost.store.tables import bundles, dealers

PHONE = "79123122312"
APN = {"apn_name": "fast.example", "apn_user": "me", "apn_password": "secret"}


async def limit(stage: Stage, devices: int) -> None:
    """So many devices may the dealer have."""
    async with stage.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == stage.dealer_id).values(device_limit=devices)
        )


async def for_companies_only(stage: Stage) -> None:
    """The tariff that the user's devices start with is for legal entities."""
    tariff_id = await stage.tariff(doc_type=2)
    await stage.change_user("user", default_tariff_id=tariff_id)


async def bundle_of_model(stage: Stage, model: str) -> None:
    """A bundle, sold when its model was another."""
    bundle_id = await stage.bundle()
    async with stage.services.database.begin() as connection:
        await connection.execute(
            update(bundles).where(bundles.c.id == bundle_id).values(model_code=model)
        )


# -- tracker/register


async def register(stage: Stage, **params: Any) -> Reply:
    return await stage.call(
        "tracker/register",
        **{
            "label": "Courier",
            "group_id": 0,
            "plugin_id": 37,
            "model": MODEL,
            "device_id": OTHER_IMEI,
            "phone": PHONE,
            **APN,
            **params,
        },
    )


@scenario("tracker/register", 204)
async def a_group_that_is_not_there(stage: Stage) -> Reply:
    return await register(stage, group_id=NOTHING)


@scenario("tracker/register", 204)
async def a_group_of_another_user(stage: Stage) -> Reply:
    made = await stage.done("tracker/group/create", "stranger", title="Theirs", color="FF0000")
    return await register(stage, group_id=made["id"])


@scenario("tracker/register", 220)
async def an_unknown_model(stage: Stage) -> Reply:
    return await register(stage, model="frobnicator")


@scenario("tracker/register", 221)
async def the_dealer_has_no_place_left(stage: Stage) -> Reply:
    await stage.device()
    await limit(stage, 1)
    return await register(stage)


@scenario("tracker/register", 222)
async def an_unknown_plugin(stage: Stage) -> Reply:
    return await register(stage, plugin_id=999)


@scenario("tracker/register", 222)
async def a_plugin_for_other_models(stage: Stage) -> Reply:
    return await register(stage, plugin_id=35)


@scenario("tracker/register", 223)
async def a_phone_of_another_device(stage: Stage) -> Reply:
    await stage.device("foreigner", phone=PHONE)
    return await register(stage)


@scenario("tracker/register", 224)
async def a_device_of_somebody_else(stage: Stage) -> Reply:
    await stage.device("foreigner", device_id=OTHER_IMEI)
    return await register(stage)


@scenario("tracker/register", 225)
async def a_tariff_for_other_legal_types(stage: Stage) -> Reply:
    await for_companies_only(stage)
    return await register(stage)


@scenario("tracker/register", 226)
async def a_sim_card_that_is_not_there(stage: Stage) -> Reply:
    await stage.bundle()
    return await register(stage, plugin_id=1, device_id=IMEI, phone=None, iccid="897010")


@scenario("tracker/register", 227)
async def a_code_where_one_is_needed(stage: Stage) -> Reply:
    async with stage.services.database.begin() as connection:
        await connection.execute(
            update(dealers)
            .where(dealers.c.id == stage.dealer_id)
            .values(settings={"activation_code_required": True})
        )
    missing = await register(stage)
    assert await register(stage, activation_code="123123123") == missing
    return missing


@scenario("tracker/register", 227)
async def a_code_that_was_used(stage: Stage) -> Reply:
    (code,) = await stage.codes()
    assert (await register(stage, activation_code=code))["success"]
    return await register(stage, activation_code=code, device_id=IMEI, phone=None)


@scenario("tracker/register", 258)
async def a_device_that_is_no_bundle(stage: Stage) -> Reply:
    return await register(stage, plugin_id=1, phone=None)


# -- tracker/register_quick and tracker/replace_quick


async def quick(stage: Stage, action: str, **params: Any) -> Reply:
    """One of both, with the bundle of ``IMEI``."""
    if action == "tracker/replace_quick":
        tracker = await stage.active()
        params["tracker_id"] = tracker["id"]
    else:
        params = {"label": "Courier", "group_id": 0, **params}
    return await stage.call(action, **{"imei": IMEI, **params})


def both(code: int) -> Any:
    """The scenario of what registers and what replaces; the function is told which."""

    def declare(play: Any) -> Any:
        for action in ("tracker/register_quick", "tracker/replace_quick"):
            scenario(action, code)(_for(action, play))
        return play

    return declare


def _for(action: str, play: Any) -> Play:
    async def one(stage: Stage) -> Reply:
        reply: Reply = await play(stage, action)
        return reply

    one.__name__ = play.__name__
    return one


@both(201)
async def no_bundle_with_that_imei(stage: Stage, action: str) -> Reply:
    await stage.done(
        "panel/tracker/bundle/import",
        "other_panel",
        imeis=[IMEI],
        equip_id=await stage.equipment(),
        factory_preset=True,
    )
    return await quick(stage, action)


@both(204)
async def a_group_that_is_not_there_with_a_bundle(stage: Stage, action: str) -> Reply:
    await stage.bundle()
    return await quick(stage, action, group_id=NOTHING)


@both(220)
async def a_bundle_whose_model_is_no_longer_known(stage: Stage, action: str) -> Reply:
    await bundle_of_model(stage, "frobnicator")
    return await quick(stage, action)


@both(221)
async def no_place_left_for_a_bundle(stage: Stage, action: str) -> Reply:
    await stage.bundle()
    replaced = {}
    if action == "tracker/replace_quick":
        # As many as the dealer may have is no hindrance: one goes, one comes.
        replaced = {"tracker_id": (await stage.active())["id"]}
        await stage.device()
    await limit(stage, len(replaced))
    if replaced:
        return await stage.call(action, imei=IMEI, **replaced)
    return await quick(stage, action)


@scenario("tracker/register_quick", 222)
async def a_bundle_whose_model_registers_otherwise(stage: Stage) -> Reply:
    await bundle_of_model(stage, APP)
    return await quick(stage, "tracker/register_quick")


@both(223)
async def a_bundle_whose_number_another_device_has(stage: Stage, action: str) -> Reply:
    await stage.bundle(iccid=await stage.sim(phone=PHONE))
    await stage.device("foreigner", phone=PHONE)
    return await quick(stage, action)


@both(224)
async def a_bundle_that_is_registered_already(stage: Stage, action: str) -> Reply:
    await stage.bundle()
    await stage.device("stranger", model=MODEL, device_id=IMEI)
    return await quick(stage, action)


@both(225)
async def a_bundle_on_a_tariff_for_others(stage: Stage, action: str) -> Reply:
    await stage.bundle()
    if action == "tracker/register_quick":
        await for_companies_only(stage)
        return await quick(stage, action)
    tracker = await stage.active()
    await become_company(stage, tracker)
    return await stage.call(action, tracker_id=tracker["id"], imei=IMEI)


async def become_company(stage: Stage, tracker: dict[str, Any]) -> None:
    """The owner of a tracker is no longer one of those whom its tariff is for."""
    tariff_id = await stage.tariff(doc_type=1)
    await stage.done(
        "panel/tracker/tariff/change",
        tracker_id=tracker["id"],
        tariff_id=tariff_id,
        repay=False,
        charge=False,
    )
    await stage.change_user("user", legal_type="legal_entity")


@both(226)
async def a_bundle_with_a_sim_card_that_is_not_there(stage: Stage, action: str) -> Reply:
    await stage.bundle()
    return await quick(stage, action, iccid="897010")


@scenario("tracker/register_quick", 227)
async def a_bundle_with_a_wrong_code(stage: Stage) -> Reply:
    await stage.bundle()
    await stage.codes()
    return await quick(stage, "tracker/register_quick", activation_code="123123123")


# -- tracker/replace


async def replace(stage: Stage, tracker: dict[str, Any], **params: Any) -> Reply:
    return await stage.call(
        "tracker/replace",
        **{
            "tracker_id": tracker["id"],
            "plugin_id": 37,
            "model": MODEL,
            "device_id": OTHER_IMEI,
            "phone": PHONE,
            **APN,
            **params,
        },
    )


@scenario("tracker/replace", 7)
async def an_app_in_place_of_a_device(stage: Stage) -> Reply:
    return await replace(stage, await stage.active(), model=APP, plugin_id=35)


@scenario("tracker/replace", 7)
async def a_device_in_place_of_an_app(stage: Stage) -> Reply:
    app = await stage.active(model=APP, plugin_id=35, device_id=None)
    return await replace(stage, app)


@scenario("tracker/replace_quick", 7)
async def a_bundle_in_place_of_an_app(stage: Stage) -> Reply:
    await stage.bundle()
    app = await stage.active(model=APP, plugin_id=35, device_id=None)
    return await stage.call("tracker/replace_quick", tracker_id=app["id"], imei=IMEI)


@scenario("tracker/replace", 204)
async def replaced_into_a_group_that_is_not_there(stage: Stage) -> Reply:
    return await replace(stage, await stage.active(), group_id=NOTHING)


@scenario("tracker/replace", 220)
async def replaced_by_an_unknown_model(stage: Stage) -> Reply:
    return await replace(stage, await stage.active(), model="frobnicator")


@scenario("tracker/replace", 221)
async def replaced_where_the_dealer_has_too_many(stage: Stage) -> Reply:
    tracker = await stage.active()
    await stage.device()
    await limit(stage, 1)
    return await replace(stage, tracker)


@scenario("tracker/replace", 222)
async def replaced_by_an_unknown_plugin(stage: Stage) -> Reply:
    return await replace(stage, await stage.active(), plugin_id=999)


@scenario("tracker/replace", 223)
async def replaced_by_one_with_anothers_number(stage: Stage) -> Reply:
    await stage.device("foreigner", phone=PHONE)
    return await replace(stage, await stage.active())


@scenario("tracker/replace", 224)
async def replaced_by_one_that_is_registered(stage: Stage) -> Reply:
    await stage.device("foreigner", device_id=OTHER_IMEI)
    return await replace(stage, await stage.active())


@scenario("tracker/replace", 225)
async def replaced_where_the_tariff_is_for_others(stage: Stage) -> Reply:
    tracker = await stage.active()
    await become_company(stage, tracker)
    return await replace(stage, tracker)


@scenario("tracker/replace", 226)
async def replaced_with_a_sim_card_that_is_not_there(stage: Stage) -> Reply:
    await stage.bundle()
    tracker = await stage.active()
    return await replace(stage, tracker, plugin_id=1, device_id=IMEI, phone=None, iccid="897010")


@scenario("tracker/replace", 258)
async def replaced_by_one_that_is_no_bundle(stage: Stage) -> Reply:
    return await replace(stage, await stage.active(), plugin_id=1, phone=None)


@scenario("tracker/replace", 266)
async def replaced_before_it_was_active(stage: Stage) -> Reply:
    return await replace(stage, await stage.device())


@scenario("tracker/replace_quick", 222)
async def replaced_by_a_bundle_that_registers_otherwise(stage: Stage) -> Reply:
    await bundle_of_model(stage, APP)
    return await quick(stage, "tracker/replace_quick")


@scenario("tracker/replace_quick", 266)
async def replaced_by_a_bundle_before_it_was_active(stage: Stage) -> Reply:
    await stage.bundle()
    tracker = await stage.device()
    return await stage.call("tracker/replace_quick", tracker_id=tracker["id"], imei=IMEI)


# -- retries


@scenario("tracker/register_retry", 242)
async def it_has_connected_already(stage: Stage) -> Reply:
    tracker = await stage.active()
    return await stage.call("tracker/register_retry", tracker_id=tracker["id"], **APN)


@scenario("tracker/replace_retry", 204)
async def nothing_to_set_up(stage: Stage) -> Reply:
    other = await stage.device("foreigner")
    reply = await stage.call("tracker/replace_retry", tracker_id=other["id"], **APN)
    assert reply == await stage.call("tracker/replace_retry", tracker_id=NOTHING, **APN)
    return reply


@scenario("tracker/replace_retry", 242)
async def the_new_one_has_connected_already(stage: Stage) -> Reply:
    tracker = await stage.active()
    assert (await replace(stage, tracker))["success"]
    await stage.connect(tracker)
    return await stage.call("tracker/replace_retry", tracker_id=tracker["id"], **APN)


@scenario("tracker/replace_retry", 266)
async def the_old_one_was_never_active(stage: Stage) -> Reply:
    tracker = await stage.device()
    return await stage.call("tracker/replace_retry", tracker_id=tracker["id"], **APN)


# -- the panel's retry


@scenario("panel/tracker/register_entry", 264)
async def again_within_two_minutes(stage: Stage) -> Reply:
    tracker = await stage.device(phone=PHONE)
    action = "panel/tracker/register_entry"
    await stage.done(action, tracker_id=tracker["id"])
    stage.clock.pass_(119)
    reply = await stage.call(action, tracker_id=tracker["id"])
    stage.clock.pass_(1)
    await stage.done(action, tracker_id=tracker["id"])
    return reply


@scenario("panel/tracker/register_entry", 214)
async def an_app_gets_no_commands(stage: Stage) -> Reply:
    app = await stage.device(model=APP, plugin_id=35, device_id=None)
    return await stage.call("panel/tracker/register_entry", tracker_id=app["id"])


# -- other numbers


@scenario("tracker/change_phone", 223)
async def a_number_of_another_device(stage: Stage) -> Reply:
    await stage.device("foreigner", phone=PHONE)
    tracker = await stage.device()
    return await stage.call("tracker/change_phone", tracker_id=tracker["id"], phone=PHONE)


@scenario("tracker/change_phone", 241)
async def a_number_of_a_bundled_sim_card(stage: Stage) -> Reply:
    await stage.bundle(iccid=await stage.sim(phone=PHONE))
    tracker = await stage.device()
    return await stage.call("tracker/change_phone", tracker_id=tracker["id"], phone=PHONE)


# -- giving up


@scenario("tracker/corrupt", 13)
async def a_sub_user_who_may_not(stage: Stage) -> Reply:
    await stage.grant("tracker_configure")
    return await stage.call("tracker/corrupt", "sub", tracker_id=NOTHING)


@scenario("tracker/corrupt", 243)
async def it_has_connected(stage: Stage) -> Reply:
    tracker = await stage.active()
    return await stage.call("tracker/corrupt", tracker_id=tracker["id"])


@scenario("panel/tracker/corrupt", 253)
async def it_has_clones(stage: Stage) -> Reply:
    tracker = await stage.device()
    clones = [await stage.clone(tracker, "stranger")]
    reply = await stage.call("panel/tracker/corrupt", tracker_id=tracker["id"])
    assert reply["list"] == clones
    return reply


# -- bundles


@scenario("panel/tracker/bundle/import", 247)
async def an_imei_that_is_there(stage: Stage) -> Reply:
    await stage.bundle()
    return await stage.call(
        "panel/tracker/bundle/import",
        imeis=[OTHER_IMEI, IMEI],
        equip_id=await stage.equipment(),
        factory_preset=False,
    )


@scenario("panel/tracker/bundle/import", 204)
async def equipment_that_is_not_there(stage: Stage) -> Reply:
    return await stage.call(
        "panel/tracker/bundle/import", imeis=[IMEI], equip_id=NOTHING, factory_preset=False
    )


@scenario("panel/tracker/bundle/read", 201)
async def no_bundle(stage: Stage) -> Reply:
    await stage.bundle()
    unknown = await stage.call("panel/tracker/bundle/read", imei=OTHER_IMEI)
    assert await stage.call("panel/tracker/bundle/read", "other_panel", imei=IMEI) == unknown
    return unknown


@scenario("panel/tracker/bundle/update", 201)
async def no_bundle_to_change(stage: Stage) -> Reply:
    equip_id = await stage.equipment()
    return await stage.call("panel/tracker/bundle/update", bundle_id=NOTHING, equip_id=equip_id)


@scenario("panel/tracker/bundle/update", 204)
async def no_such_equipment(stage: Stage) -> Reply:
    bundle_id = await stage.bundle()
    return await stage.call("panel/tracker/bundle/update", bundle_id=bundle_id, equip_id=NOTHING)


@scenario("panel/tracker/bundle/order/assign", 201)
async def no_bundle_to_order(stage: Stage) -> Reply:
    order_id = await stage.order()
    return await stage.call(
        "panel/tracker/bundle/order/assign", bundle_id=NOTHING, order_id=order_id
    )


async def put_in(stage: Stage, iccid: str = ICCID) -> Reply:
    """A SIM card into a bundle."""
    bundle_id = await stage.bundle()
    return await stage.call("panel/tracker/bundle/assign", bundle_id=bundle_id, iccid=iccid)


@scenario("panel/tracker/bundle/assign", 201)
async def no_bundle_for_a_sim_card(stage: Stage) -> Reply:
    iccid = await stage.sim()
    return await stage.call("panel/tracker/bundle/assign", bundle_id=NOTHING, iccid=iccid)


@scenario("panel/tracker/bundle/assign", 208)
async def a_blocked_sim_card(stage: Stage) -> Reply:
    return await put_in(stage, await stage.sim(blocked=True))


@scenario("panel/tracker/bundle/assign", 223)
async def a_sim_card_in_use(stage: Stage) -> Reply:
    await stage.device(phone=PHONE)
    return await put_in(stage, await stage.sim(phone=PHONE))


@scenario("panel/tracker/bundle/assign", 226)
async def an_unknown_sim_card(stage: Stage) -> Reply:
    return await put_in(stage)


@scenario("panel/tracker/bundle/assign", 247)
async def a_sim_card_in_another_bundle(stage: Stage) -> Reply:
    await stage.bundle(OTHER_IMEI, iccid=await stage.sim())
    return await put_in(stage)


@scenario("panel/tracker/bundle/assign", 250)
async def a_deleted_sim_card(stage: Stage) -> Reply:
    return await put_in(stage, await stage.sim(deleted=True))
