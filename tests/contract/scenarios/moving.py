"""Clones, moves, tariffs: what the panel does with trackers that are there."""

from __future__ import annotations

from typing import Any

from contract_stage import NOTHING, Stage
from sqlalchemy import insert

from scenarios import Reply, scenario
from waypost.store.tables import tariffs

# -- clones


@scenario("tracker/delete", 203)
async def rules_use_the_clone(stage: Stage) -> Reply:
    return await tied_by_rules(stage, "tracker/delete")


@scenario("panel/tracker/delete_clone", 203)
async def rules_use_the_clone_of_a_user(stage: Stage) -> Reply:
    return await tied_by_rules(stage, "panel/tracker/delete_clone")


async def tied_by_rules(stage: Stage, action: str) -> Reply:
    clone = await stage.clone()
    rules = [await stage.rule(clone), await stage.rule(clone)]
    reply = await stage.call(action, tracker_id=clone)
    assert reply["rules"] == rules
    for rule_id in rules:
        await stage.done("tracker/rule/delete", rule_id=rule_id)
    await stage.done(action, tracker_id=clone)
    return reply


@scenario("tracker/delete", 203)
async def a_vehicle_uses_the_clone(stage: Stage) -> Reply:
    return await tied_by_vehicle(stage, "tracker/delete")


@scenario("panel/tracker/delete_clone", 203)
async def a_vehicle_uses_the_clone_of_a_user(stage: Stage) -> Reply:
    return await tied_by_vehicle(stage, "panel/tracker/delete_clone")


async def tied_by_vehicle(stage: Stage, action: str) -> Reply:
    clone = await stage.clone()
    vehicle = await stage.vehicle(clone)
    reply = await stage.call(action, tracker_id=clone)
    assert reply["vehicles"] == [vehicle]
    await stage.done("vehicle/delete", vehicle_id=vehicle)
    await stage.done(action, tracker_id=clone)
    return reply


# -- panel lists


@scenario("panel/tracker/list", 201)
async def a_user_that_is_not_the_dealers(stage: Stage) -> Reply:
    unknown = await stage.call("panel/tracker/list", user_id=NOTHING)
    foreign = await stage.call("panel/tracker/list", user_id=stage.ids["foreigner"])
    assert foreign == unknown
    return unknown


@scenario("panel/tracker/list", 201)
async def a_tariff_that_is_not_the_dealers(stage: Stage) -> Reply:
    other = await stage.tariff("other_panel")
    foreign = await stage.call("panel/tracker/list", tariff_id=other)
    assert await stage.call("panel/tracker/list", tariff_id=NOTHING) == foreign
    return foreign


@scenario("panel/tracker/bundle/list", 201)
async def a_user_without_bundles_of_the_dealers(stage: Stage) -> Reply:
    unknown = await stage.call("panel/tracker/bundle/list", user_id=NOTHING)
    foreign = await stage.call("panel/tracker/bundle/list", user_id=stage.ids["foreigner"])
    assert foreign == unknown
    return unknown


@scenario("panel/tracker/bundle/list", 201)
async def bundles_of_a_tariff_that_is_not_the_dealers(stage: Stage) -> Reply:
    other = await stage.tariff("other_panel")
    foreign = await stage.call("panel/tracker/bundle/list", tariff_id=other)
    assert await stage.call("panel/tracker/bundle/list", tariff_id=NOTHING) == foreign
    return foreign


@scenario("panel/tracker/active/history/list", 211)
async def more_than_two_years(stage: Stage) -> Reply:
    action = "panel/tracker/active/history/list"
    await stage.done(action, **{"from": "2022-03", "to": "2024-02"})
    return await stage.call(action, **{"from": "2022-02", "to": "2024-02"})


# -- clone, move


async def hand_over(stage: Stage, action: str, tracker: dict[str, Any], user_id: int) -> Reply:
    more = {"label": "Copy"} if action == "panel/tracker/clone" else {}
    return await stage.call(action, tracker_id=tracker["id"], user_id=user_id, **more)


@scenario("panel/tracker/clone", 246)
async def cloned_for_nobody(stage: Stage) -> Reply:
    return await to_nobody(stage, "panel/tracker/clone")


@scenario("panel/tracker/move", 246)
async def moved_to_nobody(stage: Stage) -> Reply:
    return await to_nobody(stage, "panel/tracker/move")


async def to_nobody(stage: Stage, action: str) -> Reply:
    """The owner, another dealer's user, a sub-user, nobody: all are wrong alike."""
    tracker = await stage.device()
    reply = await hand_over(stage, action, tracker, NOTHING)
    for who in ("user", "foreigner", "sub"):
        assert await hand_over(stage, action, tracker, stage.ids[who]) == reply, who
    return reply


@scenario("panel/tracker/clone", 247)
async def cloned_twice(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.clone(tracker, "stranger")
    return await hand_over(stage, "panel/tracker/clone", tracker, stage.ids["stranger"])


@scenario("panel/tracker/move", 247)
async def moved_to_one_who_has_a_clone(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.clone(tracker, "stranger")
    return await hand_over(stage, "panel/tracker/move", tracker, stage.ids["stranger"])


@scenario("panel/tracker/console/connect", 230)
async def a_console_of_a_blocked_device(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.block(tracker["id"])
    return await stage.call("panel/tracker/console/connect", tracker_id=tracker["id"])


@scenario("panel/tracker/console/connect", 230)
async def a_console_of_a_deleted_tracker(stage: Stage) -> Reply:
    tracker = await stage.device()
    await hide(stage, tracker)
    return await stage.call("panel/tracker/console/connect", tracker_id=tracker["id"])


async def hide(stage: Stage, tracker: dict[str, Any]) -> None:
    """The dealer takes a tracker out of its user's sight."""
    await stage.done(
        "panel/tracker/settings/update",
        tracker_id=tracker["id"],
        label="Gone",
        deleted=True,
        comment="",
    )


# -- tariffs


async def change(stage: Stage, tracker: dict[str, Any], tariff_id: int) -> Reply:
    return await stage.call(
        "panel/tracker/tariff/change",
        tracker_id=tracker["id"],
        tariff_id=tariff_id,
        repay=False,
        charge=False,
    )


@scenario("panel/tracker/tariff/change", 221)
async def a_tariff_for_fewer_devices(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.device(label="Second")
    small = await stage.tariff(device_limit=1)
    return await change(stage, tracker, small)


@scenario("panel/tracker/tariff/change", 237)
async def the_present_tariff_is_another_dealers(stage: Stage) -> Reply:
    tracker = await stage.device()
    other = await stage.tariff("other_panel")
    await stage.change_source(tracker, tariff_id=other)
    return await change(stage, tracker, stage.tariff_id)


@scenario("panel/tracker/tariff/change", 238)
async def the_tariff_that_it_has(stage: Stage) -> Reply:
    tracker = await stage.device()
    return await change(stage, tracker, stage.tariff_id)


@scenario("panel/tracker/tariff/change", 238)
async def a_tariff_for_another_legal_type(stage: Stage) -> Reply:
    tracker = await stage.device()
    return await change(stage, tracker, await stage.tariff(doc_type=2))


@scenario("panel/tracker/tariff/change", 238)
async def a_tariff_for_cameras(stage: Stage) -> Reply:
    tracker = await stage.device()
    async with stage.services.database.begin() as connection:
        tariff_id = await connection.scalar(
            insert(tariffs)
            .values(dealer_id=stage.dealer_id, name="Cameras", device_type="camera")
            .returning(tariffs.c.id)
        )
    assert tariff_id is not None
    return await change(stage, tracker, tariff_id)


@scenario("panel/tracker/tariff/change", 239)
async def a_tariff_that_is_not_there(stage: Stage) -> Reply:
    tracker = await stage.device()
    unknown = await change(stage, tracker, NOTHING)
    assert await change(stage, tracker, await stage.tariff("other_panel")) == unknown
    return unknown


@scenario("panel/tracker/tariff/change", 250)
async def a_deleted_tracker(stage: Stage) -> Reply:
    tracker = await stage.device()
    await hide(stage, tracker)
    return await change(stage, tracker, await stage.tariff())
