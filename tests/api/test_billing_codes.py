"""Activation codes: made by a dealer, used by who registers a device."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from sqlalchemy import select, update

from waypost.store.tables import activation_codes, users

PATH = "panel/dealer/activation_code"
GIVES = {"bonus_amount": 3, "free_days": 5}
DEVICE = {
    "label": "Courier",
    "group_id": 0,
    "model": "qlgv55lite",
    "device_id": "123451234512346",
}


async def tariff(world: World, name: str = "Sold", **fields: Any) -> int:
    reply = await world.call("panel/tariff/create", tariff={"name": name, "price": 9, **fields})
    assert reply["success"], reply
    return int(reply["id"])


@pytest.fixture
async def sold(world: World) -> int:
    """A tariff that codes are for."""
    return await tariff(world)


async def make(world: World, tariff_id: int, count: int = 1, **gives: Any) -> list[str]:
    """New codes."""
    before = {one["code"] for one in (await world.call(f"{PATH}/list"))["list"]}
    reply = await world.call(
        f"{PATH}/create", count=count, tariff_id=tariff_id, **{**GIVES, **gives}
    )
    assert reply == {"success": True, "count": count}
    after = {one["code"] for one in (await world.call(f"{PATH}/list"))["list"]}
    return sorted(after - before)


async def test_codes_are_made_and_listed(world: World, sold: int) -> None:
    codes = await make(world, sold, 10)
    assert len(codes) == 10
    assert all(len(code) == 10 and code.isdigit() for code in codes)
    reply = await world.call(f"{PATH}/list", limit=1)
    assert reply["count"] == 10
    assert reply["list"] == [
        {
            "tariff_id": sold,
            "bonus_amount": 3,
            "free_days": 5,
            "money_amount": 0,
            "device_type": "tracker",
            "code": codes[0],
            "activated": False,
            "activation_date": None,
            "device_id": 0,
            "tariff_name": "Sold",
        }
    ]
    assert (await world.call(f"{PATH}/list", "other_panel"))["count"] == 0


async def test_what_codes_cannot_be_made_of(world: World, sold: int) -> None:
    given = {"count": 1, "tariff_id": sold, **GIVES}
    assert await world.code(f"{PATH}/create", **{**given, "tariff_id": 999}) == 201
    assert await world.code(f"{PATH}/create", "other_panel", **given) == 201
    for wrong in (
        {"count": 0},
        {"count": 10_001},
        {"bonus_amount": -1},
        {"free_days": -1},
        {"count": "many"},
    ):
        assert await world.code(f"{PATH}/create", **{**given, **wrong}) == 7
    for missing in given:
        less = {name: value for name, value in given.items() if name != missing}
        assert await world.code(f"{PATH}/create", **less) == 7


async def test_the_list_is_searched_sorted_and_cut(world: World, sold: int) -> None:
    other = await tariff(world, "Another", device_type="camera")
    (one,) = await make(world, sold, bonus_amount=1, free_days=9)
    (two,) = await make(world, other, bonus_amount=2, free_days=8)

    async def codes(**params: Any) -> list[str]:
        return [row["code"] for row in (await world.call(f"{PATH}/list", **params))["list"]]

    assert await codes(order_by="bonus_amount") == [one, two]
    assert await codes(order_by="free_days") == [two, one]
    assert await codes(order_by="tariff_name") == [two, one]
    assert await codes(order_by="tariff_id", ascending=False) == [two, one]
    assert await codes(filter="camer") == [two]
    assert await codes(filter=one[2:9]) == [one]
    assert await codes(order_by="bonus_amount", offset=1) == [two]
    for order in ("code", "activated", "device_type", "money_amount"):
        assert sorted(await codes(order_by=order)) == sorted([one, two])
    for wrong in ({"order_by": "id"}, {"limit": -1}, {"offset": -1}):
        assert await world.code(f"{PATH}/list", **wrong) == 7


async def test_unused_codes_of_the_same_type_of_device_are_changed(world: World, sold: int) -> None:
    camera = await tariff(world, "Camera", device_type="camera")
    new = await tariff(world, "New")
    one, two = await make(world, sold, 2)
    (three,) = await make(world, camera)
    await use(world, one)
    change = {"codes": [one, two, two, three, "0"], "tariff_id": new, "bonus_amount": 7}
    reply = await world.call(f"{PATH}/update", **change, free_days=30)
    assert reply == {"success": True, "count": 1}
    rows = {row["code"]: row for row in (await world.call(f"{PATH}/list"))["list"]}
    assert (rows[two]["tariff_id"], rows[two]["bonus_amount"], rows[two]["free_days"]) == (
        new,
        7,
        30,
    )
    assert (rows[one]["tariff_id"], rows[three]["tariff_id"]) == (sold, camera)
    # As the page prints it for a query.
    reply = await world.client.get(
        f"/v2/{PATH}/update",
        params={
            "hash": world.hashes["panel"],
            "codes": f'["{two}"]',
            "tariff_id": sold,
            "bonus_amount": 0,
            "free_days": 0,
        },
    )
    assert world.checked(reply)["count"] == 1
    assert await world.code(f"{PATH}/update", **{**change, "tariff_id": 999}, free_days=1) == 201
    assert await world.code(f"{PATH}/update", "other_panel", **change, free_days=1) == 201
    assert await world.code(f"{PATH}/update", **{**change, "codes": "x"}, free_days=1) == 7


async def use(world: World, code: str, plugin_id: int = 37, **fields: Any) -> dict[str, Any]:
    reply = await world.call(
        "tracker/register", plugin_id=plugin_id, activation_code=code, **{**DEVICE, **fields}
    )
    assert reply["success"], reply
    value: dict[str, Any] = reply["value"]
    return value


@pytest.mark.parametrize("plugin_id", [37, 44])
async def test_a_code_gives_its_tariff_days_and_money(
    world: World, sold: int, plugin_id: int
) -> None:
    (code,) = await make(world, sold, money_amount=20)
    tracker = await use(world, code, plugin_id)
    assert tracker["source"]["tariff_id"] == sold
    assert tracker["source"]["tariff_end_date"] == "2024-03-14"
    info = (await world.call("user/get_info"))["user_info"]
    assert (info["balance"], info["bonus"]) == (20.0, 3.0)
    (row,) = (await world.call(f"{PATH}/list"))["list"]
    assert row["activated"] is True
    assert row["activation_date"] == "2024-03-09 12:00:00"
    assert row["device_id"] == tracker["id"]
    listed = (
        await world.call(
            "panel/user/transaction/list",
            user_id=world.ids["user"],
            **{"from": "2024-03-09 00:00:00", "to": "2024-03-10 00:00:00"},
        )
    )["list"]
    assert sorted((one["type"], one["amount"], one["bonus_amount"]) for one in listed) == [
        ("bonus_charge", 0.0, 3.0),
        ("payment", 20.0, 0.0),
    ]


async def test_wrong_codes(world: World, sold: int) -> None:
    camera = await tariff(world, "Camera", device_type="camera")
    (code,) = await make(world, sold)
    (for_cameras,) = await make(world, camera)
    path, device = "tracker/register", {"plugin_id": 44, **DEVICE}
    assert await world.code(path, activation_code="123", **device) == 227
    assert await world.code(path, activation_code=for_cameras, **device) == 227
    await use(world, code)
    again = {**device, "device_id": "350000000000999"}
    assert await world.code(path, activation_code=code, **again) == 227
    # Another dealer's code: this one has made some too.
    theirs = await world.call(
        "panel/tariff/create", "other_panel", tariff={"name": "T", "price": 1}
    )
    await world.call(f"{PATH}/create", "other_panel", count=1, tariff_id=theirs["id"], **GIVES)
    async with world.services.database.read() as connection:
        foreign = await connection.scalar(
            select(activation_codes.c.code).where(activation_codes.c.tariff_id == theirs["id"])
        )
    assert await world.code(path, activation_code=foreign, **again) == 227
    # Nothing of a refused registration stays.
    assert (await world.call("tracker/list"))["list"][0]["source"]["device_id"] != again[
        "device_id"
    ]


async def test_a_code_means_nothing_to_a_dealer_that_has_made_none(world: World) -> None:
    # As in the example of tracker/register.
    tracker = await use(world, "123123123")
    assert tracker["source"]["tariff_id"] == world.tariff_id


async def test_a_code_is_asked_for_where_the_dealer_says_so(world: World, sold: int) -> None:
    change = "panel/dealer/settings/service/update"
    assert await world.code(change, activation_code_required=True) == 0
    read = await world.call("panel/dealer/settings/service/read")
    assert read["value"]["activation_code_required"] is True
    path = "tracker/register"
    assert await world.code(path, plugin_id=37, **DEVICE) == 227
    assert await world.code(path, plugin_id=37, activation_code="123123123", **DEVICE) == 227
    (code,) = await make(world, sold)
    assert await world.code(path, plugin_id=37, activation_code=code, **DEVICE) == 0
    # Other plugins do not ask.
    other = {**DEVICE, "device_id": "350000000000999"}
    assert await world.code(path, plugin_id=44, **other) == 0


async def test_the_codes_tariff_is_for_a_legal_type(world: World, sold: int) -> None:
    firms = await tariff(world, "Firms", doc_type=2)
    (code,) = await make(world, firms)
    path, device = "tracker/register", {"plugin_id": 44, **DEVICE}
    assert await world.code(path, activation_code=code, **device) == 225
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(users).where(users.c.id == world.ids["user"]).values(legal_type="legal_entity")
        )
    assert await world.code(path, activation_code=code, **device) == 0


async def test_the_codes_tariff_limits_the_number_of_devices(world: World) -> None:
    small = await tariff(world, "Small", device_limit=0)
    (code,) = await make(world, small)
    device = {"plugin_id": 44, **DEVICE}
    assert await world.code("tracker/register", activation_code=code, **device) == 221


async def test_two_at_once_use_a_code_once(world: World, sold: int) -> None:
    (code,) = await make(world, sold)
    codes = await asyncio.gather(
        *(
            world.code(
                "tracker/register",
                plugin_id=44,
                activation_code=code,
                **{**DEVICE, "device_id": f"35000000000099{number}"},
            )
            for number in range(4)
        )
    )
    assert sorted(codes) == [0, 227, 227, 227]
    assert (await world.call("user/get_info"))["user_info"]["bonus"] == 3.0


async def test_permissions(world: World, sold: int) -> None:
    await world.add_panel("reader", world.dealer_id, {"activation_code": ["read"]})
    assert await world.code(f"{PATH}/list", "reader") == 0
    assert await world.code(f"{PATH}/create", "reader") == 13
    assert await world.code(f"{PATH}/update", "reader") == 13
    # Making them needs to see them too.
    await world.add_panel("maker", world.dealer_id, {"activation_code": ["create"]})
    assert await world.code(f"{PATH}/create", "maker") == 13
    assert await world.code(f"{PATH}/list", "maker") == 13
