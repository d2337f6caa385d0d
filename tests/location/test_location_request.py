"""``tracker/location_request`` by the mobile network: the platform finds the device itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_opening import (
    new_world,
    open_foldings,
    open_ingest,
    open_services,
    quick_passwords,
    settle,
)
from api_world import World
from fleet_steps import queue
from location_provider import Provider, error, found

from waypost.catalog import models
from waypost.location.importing import import_cells
from waypost.location.locator import Locator
from waypost.location.resolver import Resolver
from waypost.settings import Settings
from waypost.telemetry.message import Cell, Message, Wifi

pytestmark = pytest.mark.anyio

#: A model that cannot be asked for its place by the mobile network.
MODEL = "telfmb120"
HERE = Cell(5001, 301, 262, 1, -70)
ELSEWHERE = Cell(5001, 999, 262, 1)
WIFI = [Wifi("00:11:22:33:44:55", -60), Wifi("00:11:22:33:44:56", -50)]


@pytest.fixture
async def open_world(data_dir: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Opens a world with these settings. What devices report is not looked up by itself: only
    requests are tried here."""
    async with AsyncExitStack() as stack:

        async def start(*, cells: str = "", **values: Any) -> World:
            if cells:
                file = tmp_path / "cells.csv"
                file.write_text(cells)
                import_cells(data_dir, [file], show=lambda *_: None)
            settings = Settings(data_dir=data_dir, api_rate=0, **values)
            services = await stack.enter_async_context(open_services(settings, quick_passwords()))
            ingest = await stack.enter_async_context(open_ingest(services))
            foldings = await stack.enter_async_context(open_foldings(services, ingest))
            resolver = Resolver(settings)
            stack.push_async_callback(resolver.close)
            services.locator = Locator(resolver, ingest, services.points)
            stack.push_async_callback(services.locator.close)
            world = new_world(services, ingest, foldings)
            await settle(world)
            stack.push_async_callback(world.client.aclose)
            return world

        yield start


TABLE = "GSM,262,1,5001,301,0,13.40,52.52,1000,40,1,1282569574,1300155341,0\n"


async def hear(world: World, tracker: dict[str, Any], **fields: Any) -> None:
    """The device reports now."""
    fields = {"digest_of": str(world.clock.now).encode(), "cells": [HERE], **fields}
    await world.report(tracker, Message(time=world.clock.now, **fields))


async def ask(world: World, tracker: dict[str, Any]) -> int:
    return await world.code("tracker/location_request", tracker_id=tracker["id"], type="gsm")


async def gps(world: World, tracker: dict[str, Any]) -> dict[str, Any]:
    reply = await world.call("tracker/get_state", tracker_id=tracker["id"])
    state: dict[str, Any] = reply["state"]["gps"]
    return state


async def test_the_newest_cells_are_looked_up_at_once(open_world: Callable[..., Any]) -> None:
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    assert await ask(world, made) == 214  # it has never told what it hears
    await hear(world, made)
    heard_at = (await world.call("tracker/get_state", tracker_id=made["id"]))["state"]
    world.clock.pass_(30)
    await hear(world, made, cells=None)
    assert (await gps(world, made))["updated"] is None
    assert await ask(world, made) == 0
    state = await gps(world, made)
    assert state["location"] == {"lat": 52.52, "lng": 13.4}
    assert state["precision"] == 1000
    assert state["gsm_lbs"] is True
    # It is of the moment when the cells were heard, and nobody was told anything.
    assert state["updated"] == heard_at["last_update"]
    assert await queue(world) == []
    assert await world.services.points.count() == 3


async def test_when_there_is_nothing_newer_to_find(open_world: Callable[..., Any]) -> None:
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    await hear(world, made)
    assert await ask(world, made) == 0
    assert await ask(world, made) == 256
    world.clock.pass_(120)
    await hear(world, made, cells=None)
    assert await ask(world, made) == 256  # these cells were looked up
    world.clock.pass_(1)
    await hear(world, made)
    assert await ask(world, made) == 0
    world.clock.pass_(120)
    await hear(world, made, latitude=50.0, longitude=10.0)
    world.clock.pass_(120)
    assert await ask(world, made) == 256  # where these cells were heard is known better
    assert (await gps(world, made))["location"] == {"lat": 50.0, "lng": 10.0}
    world.clock.pass_(3600)
    assert await ask(world, made) == 213


async def test_cells_heard_just_after_a_fix_tell_nothing_newer(
    open_world: Callable[..., Any],
) -> None:
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    await hear(world, made, latitude=50.0, longitude=10.0)
    world.clock.pass_(30)
    await hear(world, made)
    world.clock.pass_(90)
    assert await ask(world, made) == 256
    assert await world.services.points.count() == 2


async def test_cells_that_nobody_knows(open_world: Callable[..., Any]) -> None:
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    await hear(world, made, cells=[ELSEWHERE])
    assert await ask(world, made) == 214
    await hear(world, made, cells=None, wifi=WIFI)
    assert await ask(world, made) == 214


async def test_without_a_table_or_a_provider_nothing_is_found(
    open_world: Callable[..., Any],
) -> None:
    world = await open_world()
    made = await world.register("one", model=MODEL)
    await hear(world, made)
    assert await ask(world, made) == 214


async def test_a_model_that_can_be_asked_is_asked_as_well(
    open_world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = models.all_models()
    able = msgspec.structs.replace(known[MODEL], has_gsm_lbs_location_request=True)
    monkeypatch.setitem(known, MODEL, able)
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    assert await ask(world, made) == 213
    await hear(world, made)
    assert await ask(world, made) == 0
    (told,) = await queue(world)
    assert (told[1], told[4]) == ("location_request", {"type": "gsm"})
    assert (await gps(world, made))["location"] == {"lat": 52.52, "lng": 13.4}
    await hear(world, made, cells=[ELSEWHERE])
    world.clock.pass_(90)
    assert await ask(world, made) == 0
    assert len(await queue(world)) == 2


async def test_a_model_whose_protocol_has_no_words_for_it(
    open_world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = models.all_models()
    mute = next(model for model in known.values() if model.protocol == "ngp" and model.register)
    able = msgspec.structs.replace(
        mute,
        has_gsm_lbs_location_request=True,
        has_gprs_location_request=True,
        has_location_request=True,
    )
    monkeypatch.setitem(known, mute.code, able)
    world = await open_world(cells=TABLE, sms_provider="log")
    made = await world.register("one", model=mute.code, device_id="ngp-0001")
    await hear(world, made, cells=None)
    for type_ in ("sms", "gsm", "gprs"):
        request = {"tracker_id": made["id"], "type": type_}
        assert await world.code("tracker/location_request", **request) == 214
    world.clock.pass_(1)
    await hear(world, made)
    assert await ask(world, made) == 0
    assert await queue(world) == []


async def test_by_access_points(open_world: Callable[..., Any]) -> None:
    with Provider(lambda body: found(48.1, 11.5, 27.2)) as provider:
        world = await open_world(cells=TABLE, location_url=provider.url)
        made = await world.register("one", model=MODEL)
        await hear(world, made, wifi=WIFI)
        assert await ask(world, made) == 0
        state = await gps(world, made)
        assert state["location"] == {"lat": 48.1, "lng": 11.5}
        assert state["precision"] == 28
        # Where the provider cannot say, the cells still do.
        world.clock.pass_(120)
        provider.answer = lambda body: (500, b"")
        await hear(world, made, wifi=[*WIFI, Wifi("00:11:22:33:44:57")])
        assert await ask(world, made) == 0
        assert (await gps(world, made))["location"] == {"lat": 52.52, "lng": 13.4}


async def test_a_provider_that_answers_later(open_world: Callable[..., Any]) -> None:
    with Provider(lambda body: (500, b"")) as provider:
        world = await open_world(location_url=provider.url)
        made = await world.register("one", model=MODEL)
        await hear(world, made)
        assert await ask(world, made) == 0
        assert (await gps(world, made))["updated"] is None
        provider.answer = lambda body: error(404, "notFound")
        world.services.locator._resolver.provider._paused_until = 0.0
        assert await ask(world, made) == 214


async def test_less_certain_than_the_user_wants(open_world: Callable[..., Any]) -> None:
    world = await open_world(cells=TABLE)
    made = await world.register("one", model=MODEL)
    reply = await world.call("tracker/settings/lbs/update", tracker_id=made["id"], max_radius=500)
    assert reply["success"], reply
    await hear(world, made)
    assert await ask(world, made) == 0
    assert (await gps(world, made))["updated"] is None
    assert await world.services.points.count() == 2
