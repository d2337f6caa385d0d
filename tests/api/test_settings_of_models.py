"""Settings through the API, of every tracking profile and of every type of special settings, each
for a model that has it."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World

from waypost.catalog import models, profiles, special_settings
from waypost.catalog.fields import Field
from waypost.catalog.models import Model

pytestmark = pytest.mark.anyio

READ, UPDATE = "tracker/settings/tracking/read", "tracker/settings/tracking/update"
SPECIAL, SET_SPECIAL = "tracker/settings/special/read", "tracker/settings/special/update"
CONFIRMED = "tracker/settings/confirmation/list"
Registered = dict[str, dict[str, int]]


async def registered(world: World, having: dict[str, Model]) -> Registered:
    """A tracker for each name, of the model that has it."""
    ids: dict[str, dict[str, int]] = {}
    found: Registered = {}
    for number, (name, model) in enumerate(having.items()):
        if model.code not in ids:
            device_id = f"{10**14 + number}" if model.id_type == "imei" else f"{10**9 + number}"
            made = await world.register(model.code, model=model.code, device_id=device_id)
            ids[model.code] = {"tracker_id": made["id"]}
        found[name] = ids[model.code]
    return found


def wrong_values(fields: dict[str, Field], right: dict[str, Any]) -> dict[str, Any]:
    """Wrong values of the fields that count among the right ones; those that others depend on
    stay right, unless there is nothing else."""
    counting = {
        name: {"no": "such value"} if field.type != "object" else 5
        for name, field in fields.items()
        if name in right and all(right.get(on) in of for on, of in field.when.items())
    }
    deciding = {on for field in fields.values() for on in (*field.when, *field.not_null_when)}
    return {name: value for name, value in counting.items() if name not in deciding} or counting


@pytest.mark.parametrize("part", range(3))
async def test_every_tracking_profile(world: World, part: int) -> None:
    """Its first settings and the documents' are taken, kept and read back; wrong fields are all
    named and change nothing; what is not sent to the device is said."""
    having: dict[str, Model] = {}
    for model in models.all_models().values():
        if model.profile is not None:
            having.setdefault(model.profile, model)
    assert len(having) == len(profiles.all_profiles()) == 139
    having = dict(list(having.items())[part::3])
    codes = [model.code for model in having.values()]
    entries = (await world.call("tracker/list_models", codes=codes))["list"]
    told = {entry["code"]: "tracking" in entry["instructions"] for entry in entries}
    for name, ids in (await registered(world, having)).items():
        first = (await world.call(READ, **ids))["value"]
        assert first == profiles.defaults(name), name
        printed = {**first, **profiles.all_profiles()[name].example}
        for settings in [first, printed] if first != printed else [first]:
            reply = await world.call(UPDATE, **ids, tracking_settings=settings)
            assert reply["success"], (name, settings, reply)
            assert ("not_sent" in reply) != told[having[name].code]
            assert (await world.call(READ, **ids))["value"] == settings, name
        wrong = wrong_values(profiles.all_profiles()[name].fields, settings)
        reply = await world.call(UPDATE, **ids, tracking_settings={**settings, **wrong})
        assert reply["status"]["code"] == 7, (name, reply)
        faults = {one["parameter"] for one in reply["errors"]}
        assert {f"tracking_settings.{field}" for field in wrong} == faults, name
        (found, *_) = (await world.call(CONFIRMED, **ids))["list"]
        assert (found["name"], found["wanted"], found["confirmed"]) == ("tracking", settings, None)


async def test_every_type_of_special_settings(world: World) -> None:
    """Likewise."""
    having = {
        name: next(
            model for model in models.all_models().values() if name in model.special_settings
        )
        for name in special_settings.all_types()
    }
    assert len(having) == 53
    for name, ids in (await registered(world, having)).items():
        row = special_settings.all_types()[name]
        first = (await world.call(SPECIAL, **ids, type=name))["value"]
        assert first == {"type": name, **special_settings.defaults(name)}
        listed = (await world.call(SPECIAL, **ids))["list"]
        assert [one["type"] for one in listed] == list(having[name].special_settings)
        right = {**first, **row.example}
        # Nobody has chosen a password or a number yet: only the documents' values are whole.
        wanted = [right] if first != right and empty(first) else [first, right]
        for settings in wanted:
            reply = await world.call(SET_SPECIAL, **ids, value=settings)
            assert reply["success"], (name, settings, reply)
            kept = remembered(settings)
            assert (await world.call(SPECIAL, **ids, type=name))["value"] == kept
            assert kept in (await world.call(SPECIAL, **ids))["list"]
        wrong = wrong_values(row.fields, right)
        if wrong:
            reply = await world.call(SET_SPECIAL, **ids, value={**right, **wrong})
            assert reply["status"]["code"] == 7, (name, reply)
            assert {f"value.{field}" for field in wrong} == {
                one["parameter"] for one in reply["errors"]
            }, name
        assert (await world.call(SPECIAL, **ids, type=name))["value"] == remembered(right)


def empty(values: dict[str, Any]) -> bool:
    return "" in values.values()


def remembered(values: dict[str, Any]) -> dict[str, Any]:
    """What is read back: a password that is not to be remembered is not there."""
    if values.get("remember_password") is False:
        return {**values, "password": None}
    return values


async def test_nothing_pretends_that_an_unread_device_is_told_anything(world: World) -> None:
    """No protocol reads it: its settings are kept, and what the API says of it says so."""
    (entry,) = (await world.call("tracker/list_models", codes=["albatross_s6"]))["list"]
    assert (entry["register"], entry["protocol"], entry["instructions"]) == (True, None, [])
    made = await world.register("one", model="albatross_s6", device_id="356938035643809")
    ids = {"tracker_id": made["id"]}
    mode = {"tracking_interval": 30, "tracking_distance": 100}
    reply = await world.call(UPDATE, **ids, tracking_settings=mode)
    assert "no instructions" in reply["not_sent"]
    (found,) = (await world.call("tracker/settings/confirmation/list", **ids))["list"]
    assert (found["state"], found["wanted"], found["confirmed"]) == ("kept", mode, None)


async def test_any_lock_has_the_password_of_a_lock_in_general(world: World) -> None:
    made = await world.register("one", model="hhd_g600", device_id="356938035643809")
    ids = {"tracker_id": made["id"]}
    (own,) = (await world.call(SPECIAL, **ids))["list"]
    assert own["type"] == "hhd_lock_password"
    general = {"type": "electronic_lock_password", "password": None, "remember_password": False}
    asked = await world.call(SPECIAL, **ids, type="electronic_lock_password")
    assert asked["value"]["type"] == general["type"]
    assert asked["value"]["password"] is None
    wanted = {**general, "password": "4567879", "remember_password": True}
    assert (await world.call(SET_SPECIAL, **ids, value=wanted))["success"]
    assert (await world.call(SPECIAL, **ids))["list"] == [own, wanted]
    plain = await world.register("two", model="albatross_s6", device_id="356938035643817")
    code = await world.code(SPECIAL, tracker_id=plain["id"], type="electronic_lock_password")
    assert code == 214
