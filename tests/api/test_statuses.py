"""Working statuses: lists, statuses in order, what trackers have and had."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from fleet_steps import clone
from sqlalchemy import update

from waypost.store.tables import tariffs
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

LISTING = {
    "label": "Taxi driver statuses",
    "employee_controlled": False,
    "supervisor_controlled": True,
}


async def allow(world: World, *features: str) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(tariffs).values(features=list(features)))


@pytest.fixture
async def made(world: World) -> dict[str, Any]:
    """A tracker whose tariff knows working statuses."""
    await allow(world, "statuses")
    return await world.register("one")


async def make_listing(world: World, *labels: str, **fields: Any) -> tuple[int, list[int]]:
    """A list with statuses: its id and theirs."""
    reply = await world.call("status/listing/create", listing={**LISTING, **fields})
    ids = [
        (
            await world.call(
                "status/create",
                listing_id=reply["id"],
                status={"label": label, "color": "E57373"},
            )
        )["id"]
        for label in labels
    ]
    return int(reply["id"]), ids


async def test_lists_and_their_statuses_in_order(world: World, made: dict[str, Any]) -> None:
    listing_id, (busy, free, away) = await make_listing(world, "Busy", "Free", "Away")
    shown = {"id": listing_id, **LISTING, "entries": [busy, free, away]}
    assert (await world.call("status/listing/list"))["list"] == [shown]
    changed = {**shown, "label": "Other", "entries": [away, busy, free]}
    assert await world.call("status/listing/update", listing=changed) == {"success": True}
    assert (await world.call("status/listing/list"))["list"] == [changed]
    status = {"id": busy, "label": "Occupied", "color": "000000"}
    assert await world.call("status/update", status=status) == {"success": True}
    listed = (await world.call("status/list", listing_id=listing_id))["list"]
    assert listed == [
        {"id": away, "label": "Away", "color": "E57373"},
        status,
        {"id": free, "label": "Free", "color": "E57373"},
    ]
    for entries in ([away, busy], [away, busy, free, free], [away, busy, 98765]):
        wrong = {**changed, "entries": entries}
        assert await world.code("status/listing/update", listing=wrong) == 262
    assert await world.code("status/listing/update", listing=LISTING) == 7
    assert await world.code("status/listing/update", listing={**LISTING, "id": listing_id}) == 7
    assert await world.code("status/delete", status_id=away) == 0
    assert await world.code("status/delete", status_id=away) == 201
    assert (await world.call("status/listing/list"))["list"][0]["entries"] == [busy, free]


async def test_a_trackers_status_and_its_last_change(world: World, made: dict[str, Any]) -> None:
    ids = {"tracker_id": made["id"]}
    assert await world.call("status/tracker/read", **ids) == {
        "success": True,
        "current_status": None,
        "last_change": None,
    }
    listing_id, (busy, free) = await make_listing(world, "Busy", "Free")
    assert await world.code("status/tracker/assign", **ids, new_status_id=busy) == 204
    assert await world.code("status/listing/tracker/assign", **ids, listing_id=listing_id) == 0
    read = await world.call("tracker/read", **ids)
    assert read["value"]["source"]["status_listing_id"] == listing_id
    reply = await world.call("status/tracker/assign", **ids, new_status_id=busy)
    first = reply["last_change"]
    assert first == {
        "id": first["id"],
        "old_status_id": None,
        "new_status_id": busy,
        "location": None,
        "changed": "2024-03-09 07:00:00",
        "origin": "supervisor",
    }
    assert await world.code("status/tracker/assign", **ids, new_status_id=busy) == 263
    fix = Message(digest_of=b"1", time=world.clock.now, latitude=11.0, longitude=22.0, valid=True)
    await world.report(made, fix)
    reply = await world.call("status/tracker/assign", **ids, new_status_id=free)
    assert reply["last_change"]["old_status_id"] == busy
    assert reply["last_change"]["location"] == {"lat": 11.0, "lng": 22.0, "address": ""}
    current = await world.call("status/tracker/read", **ids)
    assert current["current_status"] == {"id": free, "label": "Free", "color": "E57373"}
    listed = await world.call("status/tracker/list", trackers=[made["id"]])
    assert listed["value"] == {
        str(made["id"]): {name: current[name] for name in ("current_status", "last_change")}
    }
    assert await world.code("status/delete", status_id=free) == 0
    current = await world.call("status/tracker/read", **ids)
    assert current["current_status"] is None
    assert current["last_change"]["old_status_id"] == free
    assert current["last_change"]["new_status_id"] is None


async def test_taking_the_list_off_takes_the_status_along(
    world: World, made: dict[str, Any]
) -> None:
    ids = {"tracker_id": made["id"]}
    for take_off in ("assign", "delete"):
        listing_id, (busy,) = await make_listing(world, "Busy")
        await world.call("status/listing/tracker/assign", **ids, listing_id=listing_id)
        await world.call("status/tracker/assign", **ids, new_status_id=busy)
        if take_off == "assign":
            assert await world.code("status/listing/tracker/assign", **ids) == 0
        else:
            assert await world.code("status/listing/delete", listing_id=listing_id) == 0
        read = await world.call("tracker/read", **ids)
        assert read["value"]["source"]["status_listing_id"] is None
        assert (await world.call("status/tracker/read", **ids))["current_status"] is None
    assert await world.code("status/listing/delete", listing_id=listing_id) == 201
    assert (await world.call("status/list", listing_id=listing_id))["list"] == []


async def test_only_those_for_supervisors_are_set_by_them(
    world: World, made: dict[str, Any]
) -> None:
    ids = {"tracker_id": made["id"]}
    listing_id, (busy,) = await make_listing(world, "Busy", supervisor_controlled=False)
    await world.call("status/listing/tracker/assign", **ids, listing_id=listing_id)
    assert await world.code("status/tracker/assign", **ids, new_status_id=busy) == 13


async def test_lists_of_others_are_not_there(world: World, made: dict[str, Any]) -> None:
    listing_id, (busy,) = await make_listing(world, "Busy")
    await world.register("foreign", "stranger")
    listing = {**LISTING, "id": listing_id, "entries": [busy]}
    status = {"id": busy, "label": "x", "color": "000000"}
    who = "stranger"
    assert (await world.call("status/listing/list", who))["list"] == []
    assert (await world.call("status/list", who, listing_id=listing_id))["list"] == []
    assert await world.code("status/listing/update", who, listing=listing) == 201
    assert await world.code("status/listing/delete", who, listing_id=listing_id) == 201
    assert await world.code("status/create", who, listing_id=listing_id, status=status) == 201
    assert await world.code("status/update", who, status=status) == 201
    assert await world.code("status/delete", who, status_id=busy) == 201
    assign = {"tracker_id": made["id"], "listing_id": listing_id}
    assert await world.code("status/listing/tracker/assign", who, **assign) == 201
    foreign = await world.register("two", "stranger")
    assign["tracker_id"] = foreign["id"]
    assert await world.code("status/listing/tracker/assign", who, **assign) == 204
    assert await world.code("status/tracker/list", who, trackers=[made["id"]]) == 217
    assert await world.code("status/tracker/list", trackers=list(range(501))) == 221
    await world.grant()
    assert await world.code("status/listing/create", "sub", listing=LISTING) == 13


async def test_what_is_no_status(world: World, made: dict[str, Any]) -> None:
    listing_id, _ = await make_listing(world)
    for wrong in ({"label": ""}, {"color": "red"}, {"label": None}):
        status = {"label": "x", "color": "000000", **wrong}
        assert await world.code("status/create", listing_id=listing_id, status=status) == 7
    assert await world.code("status/update", status={"label": "x", "color": "000000"}) == 7
    assert await world.code("status/listing/create", listing={}) == 7
    status = {"label": "x", "color": "000000"}
    codes = await asyncio.gather(
        *(world.code("status/create", listing_id=listing_id, status=status) for _ in range(101))
    )
    assert sorted(codes) == [0] * 100 + [268]
    for _ in range(99):
        await world.call("status/listing/create", listing=LISTING)
    assert await world.code("status/listing/create", listing=LISTING) == 268


async def test_clones_and_blocked_trackers_have_none(world: World, made: dict[str, Any]) -> None:
    clone_id = await clone(world, made["id"])
    ids = {"tracker_id": clone_id, "new_status_id": 1}
    for path in ("status/tracker/read", "status/tracker/assign", "status/listing/tracker/assign"):
        assert await world.code(path, "stranger", **ids) == 219
        assert await world.code(path, **{**ids, "tracker_id": 98765}) == 201
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    for path in ("status/tracker/read", "status/tracker/assign", "status/listing/tracker/assign"):
        assert await world.code(path, **{**ids, "tracker_id": made["id"]}) == 208


async def test_the_tariff_must_know_statuses(world: World, made: dict[str, Any]) -> None:
    await allow(world, "lbs")
    ids = {"tracker_id": made["id"]}
    status = {"id": 1, "label": "x", "color": "000000"}
    listing = {**LISTING, "id": 1, "entries": []}
    for path, params in (
        ("status/listing/list", {}),
        ("status/listing/create", {"listing": listing}),
        ("status/listing/update", {"listing": listing}),
        ("status/listing/delete", {"listing_id": 1}),
        ("status/listing/tracker/assign", ids),
        ("status/list", {"listing_id": 1}),
        ("status/create", {"listing_id": 1, "status": status}),
        ("status/update", {"status": status}),
        ("status/delete", {"status_id": 1}),
        ("status/tracker/read", ids),
        ("status/tracker/list", {"trackers": [made["id"]]}),
        ("status/tracker/assign", {**ids, "new_status_id": 1}),
    ):
        assert await world.code(path, **params) == 236, path
    assert await world.code("status/listing/list", "stranger") == 236
