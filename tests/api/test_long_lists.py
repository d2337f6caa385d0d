"""The panel's list of a large dealer comes from memory, and is the same as from the database."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any, get_args

import pytest
from api_world import World
from fleet_steps import clone, connect
from sqlalchemy import event

from waypost.fleet import long_lists
from waypost.fleet.panel_list import Order
from waypost.settings import Settings
from waypost.telemetry.message import Message


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path / "data", api_rate=0, database=database_url)


@pytest.fixture(autouse=True)
def soon_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every dealer is a large one, and what ages is always old."""
    monkeypatch.setattr(long_lists, "MANY", 1)
    monkeypatch.setattr(long_lists, "YOUNG", -1.0)
    monkeypatch.setattr(long_lists, "OLD", -1.0)
    monkeypatch.setattr(long_lists, "STEP", 3)


async def listed(world: World, **params: Any) -> tuple[list[int], int]:
    reply = await world.call("panel/tracker/list", **params)
    assert reply["success"], reply
    return [one["id"] for one in reply["list"]], reply["count"]


async def same(world: World, **params: Any) -> None:
    """Every page is the part of the whole list that it should be. Whole lists are never looked for
    in memory."""
    whole, count = await listed(world, **params)
    assert count == len(whole)
    for offset in range(0, count + 2, 2):
        page = await listed(world, **params, offset=offset, limit=2)
        assert page == (whole[offset : offset + 2], count), (params, offset)


async def remembered(world: World) -> bool:
    await world.call("panel/tracker/list", limit=1)
    await world.services.fleet.long_lists.settled()
    return await world.services.fleet.long_lists.find(world.dealer_id) is not None


async def make_fleet(world: World) -> list[dict[str, Any]]:
    made = []
    for number, label in enumerate(("van", "Bus", "bus", "Crane", "taxi", "Van 2", "lorry")):
        who = "stranger" if number % 3 == 2 else "user"
        phone = f"4917000000{number:02}" if number % 2 else None
        model = ("telfmb120", "qlgv55lite")[number % 2]
        made.append(await world.register(label, who, phone=phone, model=model))
        world.clock.pass_(60)
    await clone(world, made[0]["id"])
    await world.call("panel/tracker/source/update", tracker_id=made[1]["id"], blocked=True)
    await world.call("panel/tracker/corrupt", tracker_id=made[3]["id"])
    hidden = {"tracker_id": made[4]["id"], "label": "taxi", "deleted": True, "comment": "Hidden"}
    await world.call("panel/tracker/settings/update", **hidden)
    for one in (made[0], made[5]):
        await connect(world, one)
        now = world.clock.now
        await world.report(one, Message(time=now, digest_of=b"1", latitude=1.0, longitude=2.0))
        world.clock.pass_(400)
    return made


async def test_pages_from_memory_are_those_of_the_database(world: World) -> None:
    await make_fleet(world)
    assert await remembered(world)
    for order, ascending in itertools.product(get_args(Order), (True, False)):
        await same(world, order_by=order, ascending=ascending)
    for wanted in (
        {"filter": "BUS"},
        {"filter": "35"},
        {"filter": "%"},
        {"filter": "4917"},
        {"filter": "qlgv"},
        {"filter": "nothing"},
        {"user_id": world.ids["stranger"]},
        {"tariff_id": world.tariff_id, "filter": "an"},
        {"clones_filter": "exclude_clones"},
        {"clones_filter": "only_include_clones", "filter": "v"},
    ):
        for order in ("id", "label", "status", "last_connection"):
            await same(world, order_by=order, **wanted)
    assert await world.code("panel/tracker/list", limit=2, user_id=4711) == 201
    assert await world.code("panel/tracker/list", limit=2, tariff_id=4711) == 201


async def test_what_changed_shows_at_once(world: World) -> None:
    made = await make_fleet(world)
    assert await remembered(world)

    async def check() -> None:
        for order in ("id", "label", "owner_name", "business_status", "status"):
            await same(world, order_by=order)
        await same(world, filter="a")

    await world.register("Another")
    await check()
    renamed = {"tracker_id": made[0]["id"], "label": "Zeppelin", "deleted": False, "comment": ""}
    await world.call("panel/tracker/settings/update", **renamed)
    assert (await listed(world, filter="zepp", limit=5))[1] == 1
    await check()
    moved = {"tracker_id": made[6]["id"], "user_id": world.ids["stranger"]}
    assert await world.code("panel/tracker/move", **moved) == 0
    assert made[6]["id"] in (await listed(world, user_id=world.ids["stranger"], limit=50))[0]
    await check()
    (copy,) = (await listed(world, clones_filter="only_include_clones", limit=5))[0]
    assert await world.code("panel/tracker/delete_clone", tracker_id=copy) == 0
    await check()
    user = (await world.call("panel/user/read", user_id=world.ids["user"]))["value"]
    changed = {**user, "first_name": "Aaron", "last_name": "Aa"}
    assert await world.code("panel/user/update", user=changed, discount={}) == 0
    await check()
    assert await world.code("panel/tracker/corrupt", tracker_id=made[5]["id"]) == 0
    await check()


async def test_changes_while_it_is_read_are_not_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make_fleet(world)
    await world.services.fleet.long_lists.settled()
    world.services.fleet.long_lists._kept.clear()
    monkeypatch.setattr(long_lists, "STEP", 1)
    await world.call("panel/tracker/list", limit=1)
    for number, one in enumerate(made[:3]):
        renamed = {"tracker_id": one["id"], "label": f"New {number}", "deleted": False}
        calls = [world.call("panel/tracker/settings/update", **renamed)]
        calls += [world.call("panel/tracker/list", filter="new", limit=5) for _ in range(3)]
        await asyncio.gather(*calls)
        assert (await listed(world, filter="new", limit=5))[1] == number + 1
    assert await remembered(world)
    assert (await listed(world, filter="new", limit=5))[1] == 3


async def test_what_changed_before_it_is_read_anew_is_not_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From time to time all is read again, while the old list serves."""
    made = await make_fleet(world)
    assert await remembered(world)
    monkeypatch.setattr(long_lists, "WHOLE", -1.0)
    monkeypatch.setattr(long_lists, "STEP", 1)
    for number, one in enumerate(made[:3]):
        renamed = {"tracker_id": one["id"], "label": f"New {number}", "deleted": False}
        await world.call("panel/tracker/settings/update", **renamed)
        for _ in range(3):
            assert (await listed(world, filter="new", limit=5))[1] == number + 1
            await asyncio.sleep(0)


async def test_a_page_costs_the_same_however_many_there_are(world: World) -> None:
    await make_fleet(world)
    assert await remembered(world)
    statements: list[str] = []
    engine = world.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    await listed(world, order_by="label", filter="a", limit=2)
    reads = [one for one in statements if one.lstrip().upper().startswith("SELECT")]
    assert len(reads) <= 4, reads
    assert not any("lower" in one.lower() for one in reads)


async def test_small_dealers_are_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_lists, "MANY", 1000)
    await make_fleet(world)
    assert not await remembered(world)
    await same(world, order_by="label")
