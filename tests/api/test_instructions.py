"""What is asked of devices that are connected, and commands that people keep."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from api_world import World
from fleet_steps import clone, queue
from sqlalchemy import select

from waypost.catalog import models
from waypost.protocols import find_protocol
from waypost.store.tables import commands
from waypost.telemetry.message import Message

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_instructions")]

#: A model that says where it is when it is asked over its connection.
ASKABLE = "qlgv55lite"


async def hear(world: World, made: dict[str, Any], **fields: Any) -> None:
    """The device reports now, from somewhere."""
    fix = {"latitude": 52.5, "longitude": 13.4, "speed": 30.0, "valid": True, **fields}
    message = Message(time=world.clock.now, digest_of=str(world.clock.now).encode(), **fix)
    await world.report(made, message)


# Where are you?


async def test_asking_a_device_where_it_is(world: World) -> None:
    made = await world.register("one", model=ASKABLE)

    async def ask(**params: Any) -> int:
        return await world.code("tracker/location_request", tracker_id=made["id"], **params)

    assert await ask(type="gprs") == 213
    await hear(world, made)
    assert await ask(type="gprs") == 256
    world.clock.pass_(61)
    assert await ask(type="gprs") == 0
    assert await queue(world) == [("gprs", "location_request", None, "queued", {"type": "gprs"})]
    world.clock.pass_(6 * 60)
    assert await ask(type="gprs") == 0  # the position is old, the device is there
    world.clock.pass_(10 * 60)
    assert await ask(type="gprs") == 213
    async with world.services.database.read() as connection:
        row = (await connection.execute(select(commands))).first()
    assert row is not None
    assert row.expires_at - row.created_at == 5 * 60_000


async def test_who_cannot_be_asked(world: World) -> None:
    made = await world.register("one", model=ASKABLE)
    await hear(world, made)
    world.clock.pass_(61)

    async def code(who: str = "user", **params: Any) -> int:
        return await world.code(
            "tracker/location_request", who, **{"tracker_id": made["id"], **params}
        )

    assert await code() == 214  # by SMS
    assert await code(type="gsm") == 214
    assert await code(type="pigeon") == 7
    assert await code(tracker_id=98765) == 201
    assert await code("stranger") == 201
    clone_id = await clone(world, made["id"])
    assert await code("stranger", tracker_id=clone_id, type="gprs") == 0
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code(type="gprs") == 208


async def test_by_sms_only_where_sms_can_be_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await world.register("one", model="tt1_wp", device_id=None, phone="79123122312")
    assert models.all_models()["tt1_wp"].has_location_request
    ask = {"tracker_id": made["id"]}
    assert await world.code("tracker/location_request", **ask) == 214
    assert await world.code("tracker/location_request", **ask, type="gsm") == 213
    monkeypatch.setattr(world.services.settings, "sms_provider", "log")
    assert await world.code("tracker/location_request", **ask) == 0
    assert (await queue(world))[-1] == (
        "sms",
        "location_request",
        None,
        "queued",
        {"type": "sms"},
    )
    await hear(world, made)
    assert await world.code("tracker/location_request", **ask) == 256


# Outputs.


async def test_switching_outputs(world: World) -> None:
    made = await world.register("one", model="telfmb120")
    assert models.all_models()["telfmb120"].digital_outputs == 2
    one = {"tracker_id": made["id"], "output": 1, "enable": True}
    both = {"tracker_id": made["id"], "outputs": [True, False]}
    assert await world.code("tracker/output/set", **one) == 213
    assert await world.code("tracker/output/set_all", **both) == 213
    await hear(world, made)
    assert await world.call("tracker/output/set", **one) == {"success": True}
    assert await world.call("tracker/output/set_all", **both) == {"success": True}
    assert await queue(world) == [
        ("gprs", "output", None, "queued", {"output": 1, "enable": True}),
        ("gprs", "outputs", None, "queued", {"outputs": [True, False]}),
    ]


async def test_outputs_that_cannot_be_switched(world: World) -> None:
    made = await world.register("one", model="telfmb120")
    await hear(world, made)

    async def codes(who: str = "user", **params: Any) -> tuple[int, int]:
        given = {"tracker_id": made["id"], "output": 1, "outputs": [True] * 2, "enable": True}
        given |= params
        return (
            await world.code("tracker/output/set", who, **given),
            await world.code("tracker/output/set_all", who, **given),
        )

    assert await codes("sub") == (13, 13)
    assert await codes(tracker_id=98765) == (204, 204)
    assert await codes("stranger") == (204, 204)
    assert await codes(output=0, outputs=[]) == (214, 214)
    assert await codes(output=3, outputs=[True] * 3) == (214, 214)
    assert await codes(output="first", outputs="all") == (7, 7)
    assert await codes("stranger", tracker_id=await clone(world, made["id"])) == (219, 219)
    without = next(
        model.code
        for model in models.all_models().values()
        if model.register and model.output_control == "none" and model.id_type == "imei"
    )
    plain = await world.register("plain", model=without)
    assert await codes(tracker_id=plain["id"]) == (214, 214)
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await codes() == (208, 208)


async def test_outputs_that_the_platform_cannot_switch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that an output was switched which cannot be."""
    made = await world.register("one", model="telfmb120")
    await hear(world, made)
    protocol = find_protocol("teltonika")
    monkeypatch.setattr(protocol, "can_tell", classmethod(lambda *_: False))
    one = {"tracker_id": made["id"], "output": 1, "enable": True}
    assert await world.code("tracker/output/set", **one) == 214
    both = {"tracker_id": made["id"], "outputs": [True, False]}
    assert await world.code("tracker/output/set_all", **both) == 214
    assert await queue(world) == []


@pytest.mark.parametrize(
    ("control", "expected"),
    [("batch", (214, 213)), ("async_offline", (0, 0)), ("stateless", (213, 213))],
)
async def test_how_a_model_switches_its_outputs(
    world: World, monkeypatch: pytest.MonkeyPatch, control: Any, expected: tuple[int, int]
) -> None:
    known = models.all_models()
    other = msgspec.structs.replace(known["telfmb120"], output_control=control)
    monkeypatch.setitem(known, "telfmb120", other)
    made = await world.register("one")
    one = {"tracker_id": made["id"], "output": 1, "enable": True}
    both = {"tracker_id": made["id"], "outputs": [True, False]}
    assert await world.code("tracker/output/set", **one) == expected[0]
    assert await world.code("tracker/output/set_all", **both) == expected[1]


# Commands that people keep.

REBOOT = {
    "name": "Reboot",
    "type": "hardware",
    "config": {"command": "cpureset", "reliable": True},
}
HOOK = {
    "name": "Notify",
    "type": "http",
    "config": {
        "url": "https://hooks.example/services/T0",
        "headers": [{"key": "Authorization", "value": "Bearer X"}],
        "body": '{"text": "{{ label }}: {{speed}} at {{latitude}}", "fuel": {{can_fuel}}}',
    },
}


async def test_a_kept_command_is_sent_to_the_device(world: World) -> None:
    made = await world.register("one")
    ids = {"tracker_id": made["id"]}
    reply = await world.call("tracker/command/create", **ids, command=REBOOT)
    assert reply["value"] == {**REBOOT, "id": reply["id"]}
    listed = await world.call("tracker/batch_get_commands")
    assert listed["result"] == {str(made["id"]): [reply["value"]]}
    execute = {**ids, "command_id": reply["id"]}
    assert await world.call("tracker/command/execute", **execute) == {"success": True}
    assert await queue(world) == [("gprs", "text", None, "queued", b"cpureset")]
    changed = {"id": reply["id"], **REBOOT, "config": {"command": "getver", "reliable": "false"}}
    reply = await world.call("tracker/command/update", **ids, command=changed)
    assert reply["value"]["config"] == {"command": "getver", "reliable": False}
    assert await world.code("tracker/command/execute", **execute) == 0
    async with world.services.database.read() as connection:
        rows = (await connection.execute(select(commands).order_by(commands.c.id))).all()
    assert [(row.payload, row.reliable) for row in rows] == [
        (b"cpureset", True),
        (b"getver", False),
    ]
    assert await world.code("tracker/command/delete", **execute) == 0
    for action in ("delete", "execute"):
        assert await world.code(f"tracker/command/{action}", **execute) == 201
    assert await world.code("tracker/command/update", **ids, command=changed) == 201


async def test_a_kept_request_has_what_is_known_in_it(world: World) -> None:
    made = await world.register('The "one"')
    await hear(world, made, speed=31.5)
    ids = {"tracker_id": made["id"]}
    reply = await world.call("tracker/command/create", **ids, command=HOOK)
    execute = {**ids, "command_id": reply["id"]}
    assert await world.code("tracker/command/execute", **execute) == 0
    (sent,) = await queue(world)
    assert sent[:4] == ("http", "webhook", HOOK["config"]["url"], "failed")
    assert sent[4]["headers"] == HOOK["config"]["headers"]
    assert msgspec.json.decode(sent[4]["body"]) == {
        "text": 'The "one": 31.5 at 52.5',
        "fuel": None,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"type": "smoke"},
        {"config": {}},
        {"config": {"command": ""}},
        {"config": None},
        {"type": "http"},
        {"type": "http", "config": {"url": "file:///etc/passwd"}},
        {"type": "http", "config": {"url": "http://a", "headers": [{"key": "a b", "value": ""}]}},
    ],
)
async def test_what_is_no_command_to_keep(world: World, changed: dict[str, Any]) -> None:
    made = await world.register("one")
    ids = {"tracker_id": made["id"]}
    reply = await world.call("tracker/command/create", **ids, command={**REBOOT, **changed})
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"].startswith("command.")
    assert await world.code("tracker/command/update", **ids, command=REBOOT) == 7


async def test_whose_commands_can_be_kept(world: World) -> None:
    made = await world.register("one")
    ids = {"tracker_id": made["id"]}
    kept = await world.call("tracker/command/create", **ids, command=REBOOT)
    for path in ("create", "update", "execute", "delete"):
        url = f"tracker/command/{path}"
        more = {"command": {**REBOOT, "id": kept["id"]}, "command_id": kept["id"]}
        assert await world.code(url, "sub", **ids, **more) == 13
        assert await world.code(url, "stranger", **ids, **more) == 201
        await world.call("panel/tracker/source/update", **ids, blocked=True)
        assert await world.code(url, **ids, **more) == 208
        await world.call("panel/tracker/source/update", **ids, blocked=False)
    other = await world.register("other")
    many = [made["id"], other["id"]]
    reply = await world.call("tracker/batch_get_commands", trackers=many)
    assert reply["result"] == {str(made["id"]): [kept["value"]], str(other["id"]): []}
    assert await world.code("tracker/batch_get_commands", "stranger", trackers=many) == 217
    assert await world.code("tracker/batch_get_commands", "sub") == 13
    codes = await asyncio.gather(
        *(world.code("tracker/command/create", **ids, command=REBOOT) for _ in range(101))
    )
    assert sorted(codes) == [0] * 99 + [268] * 2
