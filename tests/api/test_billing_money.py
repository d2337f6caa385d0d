"""Balances and transactions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from sqlalchemy import update

from waypost.store.tables import sources

CHANGE = "panel/user/transaction/change_balance"
LIST = "panel/user/transaction/list"
PERIOD = {"from": "2024-03-09 00:00:00", "to": "2024-03-10 00:00:00"}


async def pay(world: World, amount: Any, kind: str = "balance", **params: Any) -> int:
    given = {"user_id": world.ids["user"], "text": "additional payment", **params}
    return await world.code(CHANGE, amount=amount, type=kind, **given)


async def money(world: World) -> tuple[float, float]:
    info = (await world.call("user/get_info"))["user_info"]
    return info["balance"], info["bonus"]


async def test_money_comes_and_goes(world: World) -> None:
    assert await pay(world, 10.05) == 0
    assert await pay(world, "-2.05") == 0
    assert await pay(world, 3, "bonus") == 0
    assert await money(world) == (8.0, 3.0)
    listed = (await world.call(LIST, user_id=world.ids["user"], **PERIOD))["list"]
    assert listed[1] == {
        "description": "additional payment",
        "type": "payment",
        "subtype": "partner",
        "timestamp": "2024-03-09 12:00:00",
        "user_id": world.ids["user"],
        "dealer_id": world.dealer_id,
        "tracker_id": 0,
        "amount": -2.05,
        "new_balance": 8.0,
        "old_balance": 10.05,
        "bonus_amount": 0.0,
        "new_bonus": 0.0,
        "old_bonus": 0.0,
    }
    assert [one["bonus_amount"] for one in listed] == [3.0, 0.0, 0.0]
    # The user itself sees them in its own time, a sub-user with the right too.
    own = {"from": "2024-03-08 19:00:00", "to": "2024-03-09 18:59:59"}
    mine = (await world.call("transaction/list", **own))["list"]
    assert [one["timestamp"] for one in mine] == ["2024-03-09 07:00:00"] * 3
    assert await world.code("transaction/list", "sub", **own) == 13
    await world.grant("payment_create")
    seen = (await world.call("transaction/list", "sub", **own))["list"]
    assert [one["new_balance"] for one in seen] == [one["new_balance"] for one in mine]
    assert (await world.call("transaction/list", "stranger", **own))["list"] == []


async def test_neither_balance_becomes_negative(world: World) -> None:
    assert await pay(world, 5) == 0
    assert await pay(world, -5.01) == 251
    # Bonus does not make up for it.
    assert await pay(world, 5, "bonus") == 0
    assert await pay(world, -6) == 251
    assert await pay(world, -5.01, "bonus") == 251
    assert await pay(world, -5) == 0
    assert await money(world) == (0.0, 5.0)
    codes = await asyncio.gather(*(pay(world, -3, "bonus") for _ in range(3)))
    assert sorted(codes) == [0, 251, 251]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "much"},
        {"amount": 1.005},
        {"amount": 1e300},
        {"amount": "NaN"},
        {"kind": "money"},
        {"text": "four"},
        {"text": "x" * 256},
        {"text": "a\x01bcd"},
        {"user_id": "me"},
    ],
)
async def test_wrong_changes(world: World, wrong: dict[str, Any]) -> None:
    assert await pay(world, **{"amount": 1, **wrong}) == 7
    assert await money(world) == (0.0, 0.0)


async def test_only_the_dealers_own_users(world: World) -> None:
    assert await pay(world, 1, user_id=999) == 201
    assert await pay(world, 1, user_id=world.ids["foreigner"]) == 201
    # A sub-user has no money of its own.
    assert await pay(world, 1, user_id=world.ids["sub"]) == 201
    for name in ("foreigner", "sub"):
        assert await world.code(LIST, user_id=world.ids[name], **PERIOD) == 201
    assert await world.code(LIST, user_id=999, **PERIOD) == 201


async def test_periods(world: World) -> None:
    await pay(world, 1)
    user = {"user_id": world.ids["user"]}
    backwards = {"from": PERIOD["to"], "to": PERIOD["from"]}
    assert await world.code(LIST, **user, **backwards) == 7
    assert await world.code("transaction/list", **backwards) == 7
    assert await world.code(LIST, **user, **{**PERIOD, "from": "yesterday"}) == 7
    assert await world.code(LIST, **user, to=PERIOD["to"]) == 7
    before = {"from": "2024-03-01 00:00:00", "to": "2024-03-09 11:59:59"}
    assert (await world.call(LIST, **user, **before))["list"] == []
    assert len((await world.call(LIST, **user, **PERIOD, limit=1))["list"]) == 1
    assert (await world.call(LIST, **user, **PERIOD, limit=0))["list"] == []
    assert await world.code(LIST, **user, **PERIOD, limit=-1) == 7
    # Users look back over ninety days at once.
    assert await world.code("transaction/list", **{**PERIOD, "from": "2023-12-11 00:00:00"}) == 0
    assert await world.code("transaction/list", **{**PERIOD, "from": "2023-12-10 00:00:00"}) == 211
    assert await world.code(LIST, **user, **{**PERIOD, "from": "2020-01-01 00:00:00"}) == 0


async def test_permissions(world: World) -> None:
    await world.add_panel("reader", world.dealer_id, {"users": ["read"], "transactions": ["read"]})
    assert await world.code(LIST, "reader", user_id=world.ids["user"], **PERIOD) == 0
    assert await world.code(CHANGE, "reader") == 13
    for one in ({"users": ["read", "update"]}, {"transactions": ["read", "create"]}):
        name = next(iter(one))
        await world.add_panel(name, world.dealer_id, one)
        assert await world.code(LIST, name) == 13
        assert await world.code(CHANGE, name) == 13


async def test_paying_lets_blocked_devices_go_on(world: World) -> None:
    reply = await world.call(
        "panel/tariff/create", tariff={"name": "Dear", "price": 31, "proportional_charge": True}
    )
    tracker = await world.register("One")
    async with world.services.fleet.write() as write:
        await write.connection.execute(
            update(sources).values(
                tariff_id=reply["id"],
                tariff_ended=True,
                blocked=True,
                blocked_by_tariff=True,
            )
        )
        write.changes.sources.add(tracker["source"]["id"])
    this = {"tracker_id": tracker["id"]}
    assert await world.code("tracker/raw_command/send", command="x", **this) == 208
    assert await pay(world, 22) == 0
    assert await world.code("tracker/raw_command/send", command="x", **this) == 208
    assert await pay(world, 1, "bonus") == 0
    # 23 of 31 days are left of the month.
    assert await money(world) == (0.0, 0.0)
    source = (await world.call("tracker/read", **this))["value"]["source"]
    assert (source["blocked"], source["tariff_end_date"]) == (False, "2024-04-01")
    assert await world.code("tracker/raw_command/send", command="x", **this) == 0
    # A block of the dealer's own stays until the dealer lifts it.
    await world.call("panel/tracker/source/update", blocked=True, **this)
    assert await pay(world, 100) == 0
    assert (await world.call("tracker/read", **this))["value"]["source"]["blocked"] is True
