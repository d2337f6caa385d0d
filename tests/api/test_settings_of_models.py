"""Settings through the API, for a model of every tracking profile and of every kind of special
settings: those of the catalog that somebody makes a device for."""

from __future__ import annotations

import pytest
from api_world import World

from waypost.catalog import models, profiles
from waypost.catalog.models import Model

pytestmark = pytest.mark.anyio

READ, UPDATE = "tracker/settings/tracking/read", "tracker/settings/tracking/update"
SPECIAL, SET_SPECIAL = "tracker/settings/special/read", "tracker/settings/special/update"


def examples() -> dict[str, Model]:
    """The first model of each profile, and of each set of special settings."""
    found: dict[str, Model] = {}
    for model in models.all_models().values():
        if model.profile is not None:
            found.setdefault(model.profile, model)
        if model.special_control != models.NONE:
            found.setdefault(model.special_control, model)
    return found


async def test_settings_are_read_written_back_and_changed(world: World) -> None:
    chosen = {model.code: model for model in examples().values()}
    assert len(chosen) > 130
    for number, model in enumerate(chosen.values()):
        device_id = f"{10**14 + number}" if model.id_type == "imei" else f"{10**9 + number}"
        made = await world.register(model.code, model=model.code, device_id=device_id)
        ids = {"tracker_id": made["id"]}
        (entry,) = (await world.call("tracker/list_models", codes=[model.code]))["list"]
        if model.profile is not None:
            first = await world.call(READ, **ids)
            wanted = profiles.all_profiles()[model.profile].example
            for settings in (first["value"], {**first["value"], **wanted}):
                reply = await world.call(UPDATE, **ids, tracking_settings=settings)
                assert reply["success"], (model.code, settings, reply)
                assert ("not_sent" in reply) == ("tracking" not in entry["instructions"])
                assert (await world.call(READ, **ids))["value"] == settings, model.code
        if model.special_control != models.NONE:
            for settings in (await world.call(SPECIAL, **ids))["list"]:
                reply = await world.call(SET_SPECIAL, **ids, value=settings)
                assert reply["success"], (model.code, settings, reply)
                again = await world.call(SPECIAL, **ids, type=settings["type"])
                assert again["value"] == settings, model.code


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
