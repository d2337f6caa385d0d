"""What people want of a device beside what it confirmed; lights; the engine; what it was told."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World
from fleet_steps import clone, connect, queue

from waypost.catalog import models
from waypost.protocols import find_protocol
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

READ, UPDATE = "tracker/settings/tracking/read", "tracker/settings/tracking/update"
#: A model whose devices can be told all of this.
TOLD = "telfmb120"
#: One with tracking settings of which the maker's lists do not say how they are told.
KEPT = "telfmb630"


async def mode(world: World, made: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Sets the tracking mode, and returns it whole."""
    value = {**(await world.call(READ, tracker_id=made["id"]))["value"], **changed}
    reply = await world.call(UPDATE, tracker_id=made["id"], tracking_settings=value)
    assert reply["success"], reply
    return value


async def answer(world: World, made: dict[str, Any], *, ok: bool = True) -> None:
    """The device answers the next command."""
    commands = world.services.commands
    attempt, _ = await commands.claim(made["source"]["id"], "g", now=world.clock.now)
    assert attempt is not None
    await commands.answered(attempt, "well", ok=ok, now=world.clock.now)


async def confirmation(world: World, made: dict[str, Any], name: str) -> dict[str, Any]:
    listed = await world.call("tracker/settings/confirmation/list", tracker_id=made["id"])
    (found,) = [one for one in listed["list"] if one["name"] == name]
    return dict(found)


async def test_what_is_wanted_and_what_was_confirmed_are_two_things(world: World) -> None:
    made = await world.register("one", model=TOLD)
    first = await confirmation(world, made, "tracking")
    assert (first["state"], first["confirmed"], first["changed"]) == ("default", None, None)
    older = await mode(world, made, tracking_distance=555)
    waiting = await confirmation(world, made, "tracking")
    assert (waiting["state"], waiting["confirmed"]) == ("queued", None)
    assert set(waiting["different"]) == set(older)
    await answer(world, made)
    done = await confirmation(world, made, "tracking")
    assert (done["state"], done["wanted"], done["confirmed"]) == ("acknowledged", older, older)
    assert done["different"] == []
    assert done["confirmed_time"] == "2024-03-09 07:00:00"
    newer = await mode(world, made, tracking_distance=777)
    await answer(world, made, ok=False)
    failed = await confirmation(world, made, "tracking")
    assert (failed["wanted"], failed["confirmed"]) == (newer, older)
    assert failed["different"] == ["tracking_distance"]
    assert (failed["state"], failed["error"]) == ("failed", "the device refused it")
    read = await world.call(READ, tracker_id=made["id"])
    assert read == {"success": True, "value": newer}


async def test_a_setting_that_was_replaced_on_its_way_is_what_the_device_has(world: World) -> None:
    made = await world.register("one", model=TOLD)
    older = await mode(world, made, tracking_distance=555)
    commands = world.services.commands
    attempt, _ = await commands.claim(made["source"]["id"], "g", now=world.clock.now)
    assert attempt is not None
    await mode(world, made, tracking_distance=777)
    await commands.answered(attempt, "well", ok=True, now=world.clock.now)
    found = await confirmation(world, made, "tracking")
    assert (found["state"], found["confirmed"]) == ("queued", older)
    assert found["different"] == ["tracking_distance"]


async def test_a_password_that_is_not_to_be_remembered_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await world.register("one", model=TOLD)
    monkeypatch.setattr(
        find_protocol(models.all_models()[TOLD].protocol or ""),
        "can_tell",
        classmethod(lambda *_: True),
    )
    monkeypatch.setattr(
        "waypost.fleet.device_settings.types_of", lambda model: ("jointech_lock_password",)
    )
    given = {"type": "jointech_lock_password", "password": "d45s6w", "remember_password": False}
    update = {"tracker_id": made["id"], "value": given}
    assert await world.code("tracker/settings/special/update", **update) == 0
    await answer(world, made)
    found = await confirmation(world, made, "jointech_lock_password")
    assert found["confirmed"] == {"password": None, "remember_password": False}


async def test_what_a_device_cannot_be_told_is_kept_and_said_to_be(world: World) -> None:
    made = await world.register("one", model=KEPT)
    reason = f"there are no instructions for devices of model {KEPT}: tracking"
    read = await world.call(READ, tracker_id=made["id"])
    assert read["not_sent"] == reason
    wanted = {**read["value"], "tracking_distance": 555}
    reply = await world.call(UPDATE, tracker_id=made["id"], tracking_settings=wanted)
    assert reply == {"success": True, "not_sent": reason}
    assert await world.call(READ, tracker_id=made["id"]) == {
        "success": True,
        "value": wanted,
        "not_sent": reason,
    }
    assert await queue(world) == []
    found = await confirmation(world, made, "tracking")
    assert (found["state"], found["error"], found["wanted"]) == ("kept", reason, wanted)


async def test_the_models_entry_says_what_such_a_device_can_be_told(world: World) -> None:
    async def entry(code: str) -> dict[str, Any]:
        (found,) = (await world.call("tracker/list_models", codes=[code]))["list"]
        return dict(found)

    assert {"registration", "tracking", "output", "led"} <= set((await entry(TOLD))["instructions"])
    assert (await entry(TOLD))["has_led_control"] is True
    without = next(model.code for model in models.all_models().values() if model.protocol is None)
    assert (await entry(without))["instructions"] == []


# Lights.


async def test_lights(world: World) -> None:
    made = await world.register("one", model=TOLD)
    ids = {"tracker_id": made["id"]}
    assert await world.call("tracker/led/read", **ids) == {"success": True, "value": True}
    assert await world.call("tracker/led/update", **ids, value=False) == {"success": True}
    assert await world.call("tracker/led/read", **ids) == {"success": True, "value": False}
    assert await queue(world) == [("gprs", "led", None, "queued", {"enable": False})]
    await answer(world, made)
    assert (await confirmation(world, made, "led"))["confirmed"] == {"enable": False}
    plain = await world.register("two", model="navixy_ngp", device_id="Truck_1")
    assert await world.code("tracker/led/read", tracker_id=plain["id"]) == 214
    assert await world.code("tracker/led/update", tracker_id=plain["id"], value=True) == 214
    assert await world.code("tracker/led/update", **ids) == 7
    assert await world.code("tracker/led/read", "stranger", **ids) == 201
    assert await world.code("tracker/led/update", "sub", **ids, value=True) == 13


async def test_a_new_device_in_its_place_has_confirmed_nothing_yet(world: World) -> None:
    made = await world.register("one", model=TOLD)
    await connect(world, made)
    wanted = await mode(world, made, tracking_distance=555)
    await answer(world, made)
    led = {"tracker_id": made["id"], "value": False}
    assert await world.code("tracker/led/update", **led) == 0
    new = {"model": "telfmb920", "device_id": "356938035643809", "plugin_id": 44}
    reply = await world.call("tracker/replace", tracker_id=made["id"], label="one", **new)
    assert reply["success"], reply
    for name, value in (("tracking", wanted), ("led", {"enable": False})):
        found = await confirmation(world, made, name)
        assert (found["wanted"], found["confirmed"]) == (value, None)
        assert found["state"] == "queued"


# The engine.


async def drive(world: World, made: dict[str, Any], **values: Any) -> None:
    """The device reports."""
    message = Message(
        time=world.clock.now,
        digest_of=str(world.clock.now).encode(),
        latitude=52.5,
        longitude=13.4,
        valid=True,
        values=values,
    )
    await world.report(made, message)


async def test_the_engine_is_blocked_by_the_first_output(world: World) -> None:
    made = await world.register("one", model=TOLD)
    ids = {"tracker_id": made["id"]}
    path = "tracker/engine_immobilizer"

    async def blocked() -> bool:
        reply = await world.call(f"{path}/read", **ids)
        assert set(reply) == {"success", "enabled"}
        return bool(reply["enabled"])

    assert await blocked() is False
    assert await world.code(f"{path}/set", **ids, enabled=True) == 213
    await drive(world, made)
    assert await world.call(f"{path}/set", **ids, enabled=True) == {"success": True}
    assert await queue(world) == [("gprs", "output", None, "queued", {"output": 1, "enable": True})]
    assert await blocked() is False, "nobody has confirmed it"
    world.clock.pass_(1)
    await answer(world, made)
    assert await blocked() is True
    world.clock.pass_(30)
    await drive(world, made, output_status=0)
    assert await blocked() is False, "what the device reports later counts"
    world.clock.pass_(30)
    await drive(world, made, output_status=1)
    assert await blocked() is True


async def test_whose_engine_cannot_be_blocked(world: World) -> None:
    made = await world.register("one", model=TOLD)

    async def codes(tracker_id: int = made["id"], who: str = "user") -> tuple[int, int]:
        ids = {"tracker_id": tracker_id}
        return (
            await world.code("tracker/engine_immobilizer/read", who, **ids),
            await world.code("tracker/engine_immobilizer/set", who, **ids, enabled=True),
        )

    assert await codes(98765) == (204, 204)
    assert await codes(who="stranger") == (204, 204)
    assert await codes(who="sub") == (204, 13)
    assert await codes(await clone(world, made["id"]), "stranger") == (0, 219)
    plain = await world.register("two", model="navixy_ngp", device_id="Truck_1")
    assert await codes(plain["id"]) == (214, 214)
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await codes() == (208, 208)


# What a device was told.


async def test_what_became_of_each_command_is_listed(world: World) -> None:
    made = await world.register("one", model=TOLD)
    ids = {"tracker_id": made["id"]}
    for text, reliable in (("getinfo", True), ("cpureset", False)):
        send = {**ids, "command": text, "reliable": reliable}
        assert await world.code("tracker/raw_command/send", **send) == 0
    commands = world.services.commands
    source_id = made["source"]["id"]
    first, _ = await commands.claim(source_id, "g", now=world.clock.now)
    second, _ = await commands.claim(source_id, "g", now=world.clock.now)
    assert first is not None
    assert second is not None
    world.clock.pass_(60)
    await commands.timed_out(first, now=world.clock.now)
    await commands.timed_out(second, now=world.clock.now)
    again, _ = await commands.claim(source_id, "g", now=world.clock.now)
    assert again is not None
    await commands.answered(again, "Hardware 1.2", ok=True, now=world.clock.now)
    listed = await world.call("tracker/command/history/list", **ids)
    assert listed["count"] == 2
    unreliable, reliable_ = listed["list"]
    assert unreliable["command"] == "cpureset"
    assert unreliable["state"] == "failed"
    assert unreliable["error"] == "no answer within 60 s"
    assert [one["outcome"] for one in unreliable["attempts"]] == ["timeout"]
    assert reliable_["state"] == "acknowledged"
    assert reliable_["answer"] == "Hardware 1.2"
    assert reliable_["user_id"] == world.ids["user"]
    assert reliable_["attempts"] == [
        {
            "number": 1,
            "sent": "2024-03-09 07:00:00",
            "finished": "2024-03-09 07:01:00",
            "outcome": "timeout",
        },
        {
            "number": 2,
            "sent": "2024-03-09 07:01:00",
            "finished": "2024-03-09 07:01:00",
            "outcome": "answered",
        },
    ]
    page = await world.call("tracker/command/history/list", **ids, limit=1, offset=1)
    assert (page["list"], page["count"]) == ([reliable_], 2)


async def test_passwords_are_not_listed(world: World) -> None:
    made = await world.register("one", phone="79123122312", model=TOLD, apn_password="s3cret")
    ids = {"tracker_id": made["id"]}
    listed = await world.call("tracker/command/history/list", **ids)
    (told,) = listed["list"]
    assert (told["channel"], told["kind"], told["state"]) == ("sms", "registration", "failed")
    assert '"password":"***"' in told["command"]
    assert "s3cret" not in str(listed)
    for who, code in (("sub", 13), ("stranger", 201)):
        assert await world.code("tracker/command/history/list", who, **ids) == code
    assert await world.code("tracker/command/history/list", **ids, limit=0) == 7
    cloned = {"tracker_id": await clone(world, made["id"])}
    assert await world.code("tracker/command/history/list", "stranger", **cloned) == 219
