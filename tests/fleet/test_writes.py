"""What the fleet promises where several write at once, on both engines."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest
from fleet_yard import NOON, Yard
from sqlalchemy import func, select, update

from waypost.fleet import clones, groups, tags
from waypost.fleet.panel_list import Order, Wanted, list_trackers
from waypost.fleet.rows import TagBinding
from waypost.fleet.settings import change_blocked
from waypost.refusal import Refused
from waypost.store.tables import dealers, sources, tag_bindings, trackers

pytestmark = pytest.mark.anyio

IMEI = "356938035643809"
OTHER = "490154203237518"


async def codes(*work: Any) -> list[int]:
    """0 for what was done, the code for what was refused."""
    done = await asyncio.gather(*work, return_exceptions=True)
    found = []
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, Refused):
            raise one
        found.append(one.code if isinstance(one, Refused) else 0)
    return sorted(found)


async def count(yard: Yard, table: Any) -> int:
    async with yard.fleet.database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_one_of_many_who_register_a_device_gets_it(yard: Yard) -> None:
    work = [yard.register(IMEI, who) for who in ("one", "other") * 5]
    assert await codes(*work) == [0] + [224] * 9
    phone = {"phone": "4915123456789"}
    work = [yard.register(str(int(OTHER) + n), **phone) for n in range(6)]
    assert await codes(*work) == [0] + [223] * 5
    assert await count(yard, sources) == await count(yard, trackers) == 2


async def test_the_dealers_limit_holds_where_many_register_at_once(yard: Yard) -> None:
    async with yard.fleet.database.begin() as connection:
        await connection.execute(update(dealers).values(device_limit=3))
    work = [yard.register(str(int(IMEI) + n), who) for n in range(4) for who in ("one",)]
    work += [yard.register(str(int(OTHER) + n), "other") for n in range(4)]
    assert await codes(*work) == [0] * 3 + [221] * 5


async def test_clones_and_corrupting_at_once(yard: Yard) -> None:
    row = await yard.register(IMEI)

    async def clone() -> None:
        async with yard.fleet.write() as write:
            locked = await yard.locked(write, row)
            await clones.clone(write, locked, "Clone", yard.users["other"], NOON)

    async def give_up(with_clones: bool) -> None:
        await yard.corrupt(row, with_clones=with_clones)

    assert await codes(*(clone() for _ in range(5))) == [0] + [247] * 4
    assert await codes(give_up(False)) == [253]
    assert await codes(*(give_up(True) for _ in range(4))) == [0] + [252] * 3
    assert (await yard.fleet.trackers.of_user(yard.user("other"))).trackers == []
    assert (await yard.register(IMEI)).source_id != row.source_id


async def test_a_group_that_goes_takes_no_tracker_along(yard: Yard) -> None:
    rows = [await yard.register(str(int(IMEI) + n)) for n in range(3)]
    ids = [row.id for row in rows]
    async with yard.fleet.write() as write:
        group_id = await groups.create_group(write, yard.users["one"], "Group", "000000")

    async def assign() -> None:
        async with yard.fleet.write() as write:
            await groups.assign_group(write, yard.users["one"], group_id, ids)

    async def delete() -> None:
        async with yard.fleet.write() as write:
            await groups.delete_group(write, yard.users["one"], group_id)

    found = await codes(assign(), delete(), assign())
    assert set(found) <= {0, 201}
    shown = (await yard.fleet.trackers.of_user(yard.user())).trackers
    assert [row.group_id for row in shown] == [None] * 3


async def test_tags_set_at_once_are_those_of_one_call(yard: Yard) -> None:
    row = await yard.register(IMEI)
    async with yard.fleet.write() as write:
        one, two = [
            await tags.create_tag(write, yard.users["one"], name, "000000", None)
            for name in ("one", "two")
        ]

    async def set_(first: int, second: int) -> None:
        bindings = [TagBinding(first, 1), TagBinding(second, 2)]
        async with yard.fleet.write() as write:
            await tags.set_tags(write, await yard.locked(write, row), yard.users["one"], bindings)

    work = [set_(*pair) for pair in [(one, two), (two, one)] * 3]
    assert await codes(*work) == [0] * 6
    assert await count(yard, tag_bindings) == 2


async def test_what_a_user_sees_follows_every_write(yard: Yard) -> None:
    """The account's trackers are kept in memory; no write may leave them as they were."""

    async def seen() -> list[tuple[Any, ...]]:
        shown = (await yard.fleet.trackers.of_user(yard.user())).trackers
        return [(row.id, row.blocked) for row in shown]

    first, second = await yard.register(IMEI), await yard.register(OTHER)
    assert await seen() == [(first.id, False), (second.id, False)]
    async with yard.fleet.write() as write:
        await change_blocked(write, first, True)
    assert await seen() == [(first.id, True), (second.id, False)]
    await yard.corrupt(second)
    assert await seen() == [(first.id, True)]
    garage = await yard.fleet.trackers.of_user(yard.user())
    assert set(garage.corrupted) == {second.id}
    third = await yard.register(OTHER)
    assert await seen() == [(first.id, True), (third.id, False)]

    async def fail() -> None:
        async with yard.fleet.write() as write:
            await change_blocked(write, first, False)
            raise RuntimeError("the process has other plans")

    with pytest.raises(RuntimeError):
        await fail()
    assert await seen() == [(first.id, True), (third.id, False)]


async def test_the_panels_list_has_one_order_on_both_engines(yard: Yard) -> None:
    phones = [None, "4915123456789", None, "4915123456780"]
    rows = [
        await yard.register(str(int(IMEI) + n), label=label, phone=phone)
        for n, (label, phone) in enumerate(zip(("b", "A", "a", "B"), phones, strict=True))
    ]
    ids = [row.id for row in rows]

    async def order(name: Order, ascending: bool = True, **more: Any) -> list[int]:
        wanted = Wanted(dealer_id=yard.dealer_id, order_by=name, ascending=ascending, **more)
        shown, total = await list_trackers(yard.fleet, wanted, NOON)
        assert total == 4
        return [tracker.id for tracker in shown]

    assert await order("label") == [ids[1], ids[2], ids[0], ids[3]]
    assert await order("phone") == [ids[3], ids[1], ids[0], ids[2]]
    assert await order("phone", False) == [ids[1], ids[3], ids[2], ids[0]]
    for name in get_args(Order):
        assert sorted(await order(name)) == ids
        assert await order(name, offset=1, limit=2) == (await order(name))[1:3]
        assert await order(name, False, offset=3) == (await order(name, False))[3:]
