"""States, requests and commands that are refused."""

from __future__ import annotations

from typing import Any

from contract_stage import NO_GSM, NOTHING, Stage

from scenarios import Reply, scenario

#: A model that can be asked for its place, by SMS and over its connection.
LOCATABLE = "qlgl300"


# -- states


@scenario("tracker/get_states", 201)
async def one_of_them_was_given_up(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.corrupt(tracker["id"])
    ids = [tracker["id"]]
    reply = await stage.call("tracker/get_states", trackers=ids)
    listed = await stage.done("tracker/get_states", trackers=ids, allow_not_exist=True)
    assert (listed["states"], listed["not_exist"]) == ({}, ids)
    return reply


@scenario("tracker/get_states", 208)
async def one_of_them_is_blocked(stage: Stage) -> Reply:
    ids = [(await stage.device())["id"] for _ in range(2)]
    await stage.block(ids[1])
    reply = await stage.call("tracker/get_states", trackers=ids)
    listed = await stage.done("tracker/get_states", trackers=ids, list_blocked=True)
    assert (list(listed["states"]), listed["blocked"]) == ([str(ids[0])], ids[1:])
    return reply


@scenario("tracker/get_states", 217)
async def one_of_them_is_another_users(stage: Stage) -> Reply:
    ids = [(await stage.device(who))["id"] for who in ("user", "stranger")]
    reply = await stage.call("tracker/get_states", trackers=ids)
    assert await stage.call("tracker/get_states", trackers=[ids[0], NOTHING]) == reply
    listed = await stage.done("tracker/get_states", trackers=ids, allow_not_exist=True)
    assert (list(listed["states"]), listed["not_exist"]) == ([str(ids[0])], ids[1:])
    return reply


@scenario("tracker/get_states", 7)
async def too_many_at_once(stage: Stage) -> Reply:
    assert await stage.code("tracker/get_states", trackers=list(range(1, 2001))) == 217
    return await stage.call("tracker/get_states", trackers=list(range(1, 2002)))


@scenario("panel/tracker/batch_delete_clones", 7)
async def too_many_clones_at_once(stage: Stage) -> Reply:
    action = "panel/tracker/batch_delete_clones"
    await stage.done(action, trackers=list(range(1000, 1500)))
    return await stage.call(action, trackers=list(range(1000, 1501)))


# -- tags


@scenario("tracker/tags/set", 217)
async def a_tag_of_another_user(stage: Stage) -> Reply:
    tracker = await stage.device()
    tag = await stage.done("tag/create", "stranger", tag={"name": "Theirs", "color": "FF0000"})

    async def give(tag_id: int) -> Reply:
        bindings = [{"tag_id": tag_id, "ordinal": 1}]
        return await stage.call("tracker/tags/set", tracker_id=tracker["id"], tag_bindings=bindings)

    reply = await give(tag["id"])
    assert await give(NOTHING) == reply
    return reply


# -- requests for a location


async def locate(stage: Stage, tracker: dict[str, Any], type_: str) -> Reply:
    return await stage.call("tracker/location_request", tracker_id=tracker["id"], type=type_)


@scenario("tracker/location_request", 213)
async def it_is_offline(stage: Stage) -> Reply:
    return await locate(stage, await stage.device(model=LOCATABLE), "gprs")


@scenario("tracker/location_request", 214)
async def its_model_cannot(stage: Stage) -> Reply:
    return await locate(stage, await stage.device(model=NO_GSM, device_id="ngp-0001"), "gprs")


@scenario("tracker/location_request", 214)
async def nothing_sends_sms(stage: Stage) -> Reply:
    return await locate(stage, await stage.device(model=LOCATABLE, phone="79123122312"), "sms")


@scenario("tracker/location_request", 256)
async def its_place_is_known(stage: Stage) -> Reply:
    tracker = await stage.active(model=LOCATABLE)
    await stage.position(tracker)
    return await locate(stage, tracker, "gprs")


# -- commands


async def send(stage: Stage, action: str, **params: Any) -> Reply:
    tracker = await stage.device()
    name = {"tracker_id": tracker["id"]}
    if action.startswith("panel/"):
        name = {"device_id": tracker["source"]["device_id"]}
    return await stage.call(action, **name, **params)


@scenario("tracker/raw_command/send", 7)
async def no_hexadecimal(stage: Stage) -> Reply:
    reply = await send(stage, "tracker/raw_command/send", command="xyz", type="hex")
    assert reply["errors"] == [{"parameter": "command", "error": "Non-hex string"}]
    return reply


@scenario("panel/tracker/raw_command/send", 7)
async def no_hexadecimal_by_the_panel(stage: Stage) -> Reply:
    reply = await send(stage, "panel/tracker/raw_command/send", command="xyz", type="hex")
    assert reply["errors"] == [{"parameter": "command", "error": "Non-hex string"}]
    return reply


@scenario("panel/tracker/raw_command/send", 201)
async def no_such_device(stage: Stage) -> Reply:
    other = await stage.device("foreigner")
    action = "panel/tracker/raw_command/send"
    unknown = await stage.call(action, device_id="356938035643809", command="x")
    device_id = other["source"]["device_id"]
    assert await stage.call(action, device_id=device_id, command="x") == unknown
    return unknown


@scenario("panel/tracker/raw_command/send", 252)
async def a_device_that_was_given_up(stage: Stage) -> Reply:
    tracker = await stage.device()
    await stage.corrupt(tracker["id"])
    device_id = tracker["source"]["device_id"]
    return await stage.call("panel/tracker/raw_command/send", device_id=device_id, command="x")


@scenario("tracker/send_command", 214)
async def a_command_that_its_model_does_not_take(stage: Stage) -> Reply:
    tracker = await stage.device()
    command = {
        "name": "electronic_lock_command",
        "command_code": "unseal",
        "special_settings": {
            "type": "electronic_lock_password",
            "password": "345892",
            "remember_password": True,
        },
    }
    return await stage.call("tracker/send_command", tracker_id=tracker["id"], command=command)
