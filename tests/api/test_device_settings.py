"""Tracking modes, special settings and special control of devices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from api_world import World
from fleet_steps import clone, queue
from sqlalchemy import select

from waypost.catalog import models, special_settings
from waypost.protocols.instructions import ElectronicLock
from waypost.store.tables import commands, device_settings

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_instructions")]

#: As the documents print it, for the profile telfm.
MODE: dict[str, Any] = {
    "tracking_angle": 30,
    "tracking_distance": 100,
    "tracking_interval": 60,
    "on_stop_tracking_interval": 180,
    "sleep_mode": "disabled",
    "stop_detection": "ignition",
}
READ = "tracker/settings/tracking/read"
UPDATE = "tracker/settings/tracking/update"


@pytest.fixture
def lock_model() -> Iterator[str]:
    """A model with special control: a lock that has alarms, too."""
    known = models.all_models()
    model = msgspec.structs.replace(
        known["telfmb120"],
        id=999_999,
        code="test_lock",
        special_control="jointech_lock_password,hbm_telfm",
        special_settings=("jointech_lock_password", "hbm_telfm", "sos_key"),
    )
    known["test_lock"] = model
    yield "test_lock"
    del known["test_lock"]


# Tracking modes.


async def test_a_new_device_has_the_first_settings_of_its_profile(world: World) -> None:
    made = await world.register("one")
    reply = await world.call(READ, tracker_id=made["id"])
    assert set(MODE) <= set(reply["value"])


async def test_the_documented_example_is_kept_and_queued_for_the_device(world: World) -> None:
    made = await world.register("one")
    reply = await world.call(UPDATE, tracker_id=made["id"], tracking_settings=MODE)
    assert reply == {"success": True}
    read = await world.call(READ, tracker_id=made["id"])
    assert {name: read["value"][name] for name in MODE} == MODE
    assert await queue(world) == [("gprs", "tracking", None, "queued", MODE)]
    async with world.services.database.read() as connection:
        row = (await connection.execute(select(device_settings))).one()
        command = (await connection.execute(select(commands))).one()
    assert row.command_id == command.id
    count = await world.call("tracker/command/unconfirmed/count", tracker_id=made["id"])
    assert count["count"] == 1


async def test_settings_may_come_as_text(world: World) -> None:
    made = await world.register("one")
    given = msgspec.json.encode({**MODE, "tracking_angle": "45"}).decode()
    reply = await world.client.post(
        f"/v2/{UPDATE}",
        data={"hash": world.hashes["user"], "tracker_id": made["id"], "tracking_settings": given},
    )
    assert world.checked(reply) == {"success": True}
    assert (await world.call(READ, tracker_id=made["id"]))["value"]["tracking_angle"] == 45


async def test_newer_settings_take_the_place_of_those_that_wait(world: World) -> None:
    """Else a repeated attempt of the older ones would undo the newer ones on the device."""
    made = await world.register("one")
    for angle in (10, 20):
        await world.call(
            UPDATE, tracker_id=made["id"], tracking_settings={**MODE, "tracking_angle": angle}
        )
    told = [(state, content["tracking_angle"]) for *_, state, content in await queue(world)]
    assert told == [("cancelled", 10), ("queued", 20)]


async def test_settings_changed_at_once_are_those_of_one_call(world: World) -> None:
    made = await world.register("one")
    codes = await asyncio.gather(
        *(
            world.code(
                UPDATE, tracker_id=made["id"], tracking_settings={**MODE, "tracking_angle": angle}
            )
            for angle in range(10, 60, 10)
        )
    )
    assert codes == [0] * 5
    kept = (await world.call(READ, tracker_id=made["id"]))["value"]
    waiting = [content for *_, state, content in await queue(world) if state == "queued"]
    assert waiting == [{name: kept[name] for name in MODE}]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"tracking_angle": "steep"}, "tracking_angle"),
        ({"tracking_angle": -1}, "tracking_angle"),
        ({"sleep_mode": "deep"}, "sleep_mode"),
        ({"tracking_interval": None}, "tracking_interval"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_field_is_named(world: World, changed: dict[str, Any], name: str) -> None:
    made = await world.register("one")
    before = await world.call(READ, tracker_id=made["id"])
    reply = await world.call(UPDATE, tracker_id=made["id"], tracking_settings={**MODE, **changed})
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"] == f"tracking_settings.{name}"
    assert await world.call(READ, tracker_id=made["id"]) == before
    assert await queue(world) == []


async def test_whose_tracking_settings_cannot_be_read_or_set(world: World) -> None:
    made = await world.register("one")

    async def codes(who: str = "user", tracker_id: int = made["id"]) -> tuple[int, int]:
        return (
            await world.code(READ, who, tracker_id=tracker_id),
            await world.code(UPDATE, who, tracker_id=tracker_id, tracking_settings=MODE),
        )

    assert await codes("sub") == (201, 13)
    assert await codes("stranger") == (201, 201)
    assert await codes(tracker_id=98765) == (201, 201)
    assert await codes("stranger", await clone(world, made["id"])) == (0, 219)
    plain = await world.register("plain", model="navixy_ngp", device_id="Truck_1")
    assert await codes(tracker_id=plain["id"]) == (214, 214)
    for wrong in (None, "", "fast", [MODE], 5):
        given = {"tracker_id": made["id"], "tracking_settings": wrong}
        assert await world.code(UPDATE, **given) == 7
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await codes() == (208, 208)


@pytest.mark.parametrize(
    "profile",
    sorted({model.track_control for model in models.all_models().values() if model.register}),
)
async def test_what_read_shows_update_takes(world: World, profile: str) -> None:
    """For every profile of a model that can be registered: a client may write back what it read."""
    code = next(
        model.code
        for model in models.all_models().values()
        if model.register and model.track_control == profile
    )
    fields: dict[str, Any] = {"model": code}
    if not models.all_models()[code].id_type.startswith("imei"):
        named = models.all_models()[code].id_type.startswith("ascii")
        fields["device_id"] = "Truck_1" if named else None
    if models.all_models()[code].mobile:
        fields["plugin_id"] = 35
    made = await world.register("one", **fields)
    reply = await world.call(READ, tracker_id=made["id"])
    if profile == "none":
        assert reply["status"]["code"] == 214
        return
    again = {"tracker_id": made["id"], "tracking_settings": reply["value"]}
    assert await world.code(UPDATE, **again) == 0
    assert await world.call(READ, tracker_id=made["id"]) == reply


# Special settings.

SPECIAL = "tracker/settings/special"
HARSH = special_settings.all_types()["hbm_telfm"].example


async def test_special_settings_one_by_one_and_all(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)
    lock = {"type": "jointech_lock_password", "password": None}
    read = await world.call(f"{SPECIAL}/read", tracker_id=made["id"], type=lock["type"])
    assert lock.items() <= read["value"].items()
    listed = await world.call(f"{SPECIAL}/read", tracker_id=made["id"])
    assert [one["type"] for one in listed["list"]] == [
        "jointech_lock_password",
        "hbm_telfm",
        "sos_key",
    ]
    assert "value" not in listed
    given = {"type": "hbm_telfm", **HARSH}
    assert await world.call(f"{SPECIAL}/update", tracker_id=made["id"], value=given) == {
        "success": True
    }
    read = await world.call(f"{SPECIAL}/read", tracker_id=made["id"], type="hbm_telfm")
    assert read == {"success": True, "value": given}
    assert await queue(world) == [("gprs", "special_settings", None, "queued", given)]


async def test_a_password_that_is_not_to_be_remembered_is_told_and_not_kept(
    world: World, lock_model: str
) -> None:
    made = await world.register("one", model=lock_model)
    given = {"type": "jointech_lock_password", "password": "d45s6w", "remember_password": False}
    assert await world.code(f"{SPECIAL}/update", tracker_id=made["id"], value=given) == 0
    read = await world.call(f"{SPECIAL}/read", tracker_id=made["id"], type=given["type"])
    assert read["value"] == {**given, "password": None}
    assert (await queue(world))[0][4] == given
    given["remember_password"] = True
    assert await world.code(f"{SPECIAL}/update", tracker_id=made["id"], value=given) == 0
    read = await world.call(f"{SPECIAL}/read", tracker_id=made["id"], type=given["type"])
    assert read["value"] == given


async def test_wrong_special_settings(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)

    async def wrong(value: Any) -> Any:
        reply = await world.call(f"{SPECIAL}/update", tracker_id=made["id"], value=value)
        code = reply["status"]["code"]
        return (code, reply["errors"][0]["parameter"]) if code == 7 else code

    assert await wrong({}) == (7, "value.type")
    assert await wrong({"type": 5}) == (7, "value.type")
    assert await wrong({"type": "no_such"}) == (7, "value.type")
    assert await wrong({"type": "hbm_telfm", **HARSH, "mode": "on"}) == (7, "value.mode")
    assert await wrong({"type": "pwr_off_key", "mode": "enable"}) == 214
    assert await wrong("nothing") == (7, "value")
    assert await world.code(f"{SPECIAL}/read", tracker_id=made["id"], type="pwr_off_key") == 214
    assert await world.code(f"{SPECIAL}/read", tracker_id=made["id"], type="no_such") == 214
    plain = await world.register("plain", model="navixy_ngp", device_id="Truck_1")
    value = {"type": "hbm_telfm", **HARSH}
    assert await world.code(f"{SPECIAL}/read", tracker_id=plain["id"]) == 214
    assert await world.code(f"{SPECIAL}/update", tracker_id=plain["id"], value=value) == 214
    assert await world.code(f"{SPECIAL}/update", "sub", tracker_id=made["id"], value=value) == 13
    cloned = {"tracker_id": await clone(world, made["id"])}
    assert await world.code(f"{SPECIAL}/read", "stranger", **cloned) == 0
    assert await world.code(f"{SPECIAL}/update", "stranger", **cloned, value=value) == 219
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await world.code(f"{SPECIAL}/read", tracker_id=made["id"]) == 208
    assert await world.code(f"{SPECIAL}/update", tracker_id=made["id"], value=value) == 208


# Special control.


async def test_the_documented_command_opens_a_lock(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)
    settings = {
        "type": "electronic_lock_password",
        "password": "345892",
        "remember_password": True,
    }
    command = {
        "name": "electronic_lock_command",
        "command_code": "unseal",
        "special_settings": settings,
    }
    reply = await world.call("tracker/send_command", tracker_id=made["id"], command=command)
    assert reply == {"success": True, "list": [made]}
    assert await queue(world) == [
        ("gprs", "special_settings", None, "queued", settings),
        (
            "gprs",
            "electronic_lock",
            None,
            "queued",
            {"command_code": "unseal", "settings": settings},
        ),
    ]


async def test_a_lock_is_sealed_without_settings(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)
    command = {"name": "electronic_lock_command", "command_code": "seal"}
    assert await world.code("tracker/send_command", tracker_id=made["id"], command=command) == 0
    ((_, kind, _, _, content),) = await queue(world)
    assert kind == "electronic_lock"
    assert msgspec.convert(content, ElectronicLock) == ElectronicLock("seal")


async def test_special_settings_by_command(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)
    settings = {"type": "hbm_telfm", **HARSH}
    command = {"name": "set_special_settings_command", "special_settings": settings}
    assert await world.code("tracker/send_command", tracker_id=made["id"], command=command) == 0
    read = await world.call(f"{SPECIAL}/read", tracker_id=made["id"], type="hbm_telfm")
    assert read["value"] == settings


async def test_wrong_commands(world: World, lock_model: str) -> None:
    made = await world.register("one", model=lock_model)
    seal = {"name": "electronic_lock_command", "command_code": "seal"}

    async def wrong(command: Any, who: str = "user", **fields: Any) -> Any:
        given = {"tracker_id": made["id"], "command": command, **fields}
        reply = await world.call("tracker/send_command", who, **given)
        code = reply["status"]["code"] if not reply["success"] else 0
        return (code, reply["errors"][0]["parameter"]) if code == 7 else code

    assert await wrong(None) == (7, "command")
    assert await wrong("seal") == (7, "command")
    assert await wrong({}) == (7, "command.name")
    assert await wrong({"name": "fly"}) == 214
    assert await wrong({**seal, "command_code": "open"}) == (7, "command.command_code")
    assert await wrong({**seal, "special_settings": 5}) == (7, "command.special_settings")
    assert await wrong({"name": "set_special_settings_command"}) == (
        7,
        "command.special_settings",
    )
    bad = {"type": "jointech_lock_password", "password": "x", "remember_password": True}
    assert await wrong({**seal, "special_settings": bad}) == (
        7,
        "command.special_settings.password",
    )
    assert await queue(world) == []
    assert await wrong(seal) == 0
    assert await wrong(seal, tracker_id=98765) == 201
    assert await wrong(seal, "stranger") == 201
    await world.grant("tracker_configure")
    assert await wrong(seal, "sub") == 13
    await world.grant("tracker_set_output")
    assert await wrong(seal, "sub") == 13
    plain = await world.register("plain", model="navixy_ngp", device_id="Truck_1")
    assert await wrong(seal, tracker_id=plain["id"]) == 214
    assert await wrong(seal, "stranger", tracker_id=await clone(world, made["id"])) == 219
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await wrong(seal) == 208


# What waits for a device.


async def test_what_waits_is_counted_and_taken_back(world: World) -> None:
    made = await world.register("one")

    async def count(who: str = "user", tracker_id: int = made["id"]) -> Any:
        reply = await world.call("tracker/command/unconfirmed/count", who, tracker_id=tracker_id)
        return reply["count"] if reply["success"] else -reply["status"]["code"]

    async def reset(who: str = "user", tracker_id: int = made["id"]) -> int:
        return await world.code("tracker/command/unconfirmed/reset", who, tracker_id=tracker_id)

    assert await count() == 0
    for _ in range(3):
        await world.call("tracker/raw_command/send", tracker_id=made["id"], command="getver")
    assert await count() == 3
    assert await count("stranger") == -204
    assert await reset("stranger") == 204
    assert await reset("sub") == 13
    assert await reset() == 0
    assert await count() == 0
    assert {told[3] for told in await queue(world)} == {"cancelled"}
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await count() == -208
    assert await reset() == 208
