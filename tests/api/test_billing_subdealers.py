"""Sub-dealers: made, let in, shut out."""

from __future__ import annotations

from typing import Any

from api_world import NOON, PASSWORD, World
from sqlalchemy import update

from waypost.store.tables import dealers, sources

NEW_PASSWORD = "Another-horse2!"
SUBPAAS = {
    "title": "Company",
    "email": "email@company.example",
    "jur_name": "Company Ltd",
    "jur_country": "Finland",
    "link_monitoring": "company.example",
}
CONTACT = {"contact_fio": "fio", "contact_post": "CEO", "contact_phone": "79999902190"}


async def create(world: World, **fields: Any) -> int:
    reply = await world.call("panel/subpaas/create", password=NEW_PASSWORD, **{**SUBPAAS, **fields})
    assert reply["success"], reply
    return int(reply["id"])


async def let_in(world: World, subpaas_id: int) -> None:
    """What the operator does."""
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == subpaas_id).values(block_status="NOT_BLOCKED")
        )


def change(subpaas_id: int, **fields: Any) -> dict[str, Any]:
    given = {"subpaas_id": subpaas_id, "block_type": "NOT_BLOCKED", **SUBPAAS, **CONTACT}
    return {**given, **fields}


async def test_one_is_made_and_waits_for_the_operator(world: World) -> None:
    made = await create(world)
    value = (await world.call("panel/subpaas/read", subpaas_id=made))["value"]
    assert value == {
        "subpaas_id": made,
        "block_type": "INITIAL_BLOCK",
        **SUBPAAS,
        **dict.fromkeys(CONTACT, ""),
    }
    login = {"login": str(made), "password": NEW_PASSWORD}
    assert await world.code("panel/account/auth", None, **login) == 11
    assert await world.code("panel/subpaas/session/create", subpaas_id=made) == 13
    # Nor can its dealer lift that block, or set it again.
    assert await world.code("panel/subpaas/update", **change(made)) == 13
    await let_in(world, made)
    back = change(made, block_type="INITIAL_BLOCK")
    assert await world.code("panel/subpaas/update", **back) == 13


async def test_it_has_a_panel_users_and_tariffs_of_its_own(world: World) -> None:
    made = await create(world)
    await let_in(world, made)
    session = await world.call("panel/subpaas/session/create", subpaas_id=made)
    own = {"hash": session["hash"]}
    info = await world.call("panel/dealer/get_info", None, **own)
    assert (info["id"], info["parent_dealer_id"]) == (made, world.dealer_id)
    assert "subpaas" not in info["features"]
    assert (await world.call("panel/tariff/list", None, **own))["count"] == 1
    assert (await world.call("panel/user/list", None, **own))["count"] == 0
    # It has no sub-dealers itself.
    assert await world.code("panel/subpaas/list", None, **own) == 13
    login = {"login": str(made), "password": NEW_PASSWORD}
    assert await world.code("panel/account/auth", None, **login) == 0
    assert await world.code("panel/subpaas/read", "other_panel", subpaas_id=made) == 201


async def test_the_list_counts_and_sorts(world: World) -> None:
    one = await create(world)
    two = await create(world, title="Abc", link_monitoring="abc.example")
    await let_in(world, one)
    user = await world.add_user("below", one)
    await world.add_user("asleep", one, activated=False)
    await world.register("Below", "below")
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(sources)
            .where(sources.c.dealer_id == one)
            .values(last_connection_at=NOON - 5 * 86_400_000)
        )
    listed = (await world.call("panel/subpaas/list"))["list"]
    assert user
    assert listed[0] == {
        "subpaas_id": one,
        "title": "Company",
        "jur_name": "Company Ltd",
        "login": str(one),
        "creation_date": "2024-03-09",
        "block_type": "NOT_BLOCKED",
        "users_count": 2,
        "active_users_count": 1,
        "trackers_count": 1,
        "active_trackers_count": 1,
        "contact_fio": "",
        "contact_post": "",
        "contact_phone": "",
    }
    assert (await world.call("panel/dealer/get_info"))["active_amount_subpaas"] == 1

    async def ids(**params: Any) -> list[int]:
        reply = await world.call("panel/subpaas/list", **params)
        return [row["subpaas_id"] for row in reply["list"]]

    assert await ids() == [one, two]
    assert await ids(order_by="title") == [two, one]
    assert await ids(order_by="block_type") == [two, one]
    assert await ids(ascending=False) == [two, one]
    assert await ids(limit=1, offset=1) == [two]
    for order in ("subpaas_id", "jur_name", "login", "creation_date"):
        assert await ids(order_by=order) == [one, two]
    for wrong in ({"order_by": "id"}, {"limit": -1}):
        assert await world.code("panel/subpaas/list", **wrong) == 7
    # Another dealer has none.
    assert (await world.call("panel/subpaas/list", "other_panel"))["list"] == []


async def test_a_block_shuts_out_at_once(world: World) -> None:
    made = await create(world)
    await let_in(world, made)
    await world.add_user("below", made)
    session = (await world.call("panel/subpaas/session/create", subpaas_id=made))["hash"]
    path = "panel/account/get_permissions"
    assert await world.code(path, None, hash=session) == 0
    assert await world.code("user/get_info", "below") == 0
    expected = {
        "BLOCK_LOGIN": (11, 0),
        "CLIENTS_BLOCKED": (11, 11),
        "NOT_BLOCKED": (0, 0),
    }
    for block, codes in expected.items():
        given = change(made, block_type=block)
        assert await world.code("panel/subpaas/update", **given) == 0
        assert await world.code(path, None, hash=session) == codes[0]
        assert await world.code("user/get_info", "below") == codes[1]
    value = (await world.call("panel/subpaas/read", subpaas_id=made))["value"]
    assert {name: value[name] for name in CONTACT} == CONTACT


async def test_passwords(world: World) -> None:
    made = await create(world)
    await let_in(world, made)
    session = (await world.call("panel/subpaas/session/create", subpaas_id=made))["hash"]
    path = "panel/subpaas/password/change"
    assert await world.code(path, subpaas_id=made, new_password="weak") == 7
    assert await world.code(path, subpaas_id=made, new_password=NEW_PASSWORD) == 7
    assert await world.code(path, subpaas_id=999, new_password=PASSWORD) == 201
    assert await world.code(path, subpaas_id=made, new_password=PASSWORD) == 0
    assert await world.code("panel/account/get_permissions", None, hash=session) == 4
    login = {"login": str(made), "password": PASSWORD}
    assert await world.code("panel/account/auth", None, **login) == 0
    given = change(made, password="Third-horse-3!")
    assert await world.code("panel/subpaas/update", **given) == 0
    assert await world.code("panel/account/auth", None, **login) == 102


async def test_wrong_ones(world: World) -> None:
    made = await create(world)
    path = "panel/subpaas/create"
    given = {"password": NEW_PASSWORD, **SUBPAAS, "link_monitoring": "new.example"}
    for missing in given:
        less = {name: value for name, value in given.items() if name != missing}
        assert await world.code(path, **less) == 7
    for wrong in ({"password": "weak"}, {"email": "nobody"}, {"title": ""}):
        assert await world.code(path, **{**given, **wrong}) == 7
    assert await world.code(path, **{**given, "link_monitoring": "COMPANY.example"}) == 247
    for name in ("title", "email", "contact_fio", "block_type"):
        less = change(made, **{name: None})
        assert await world.code("panel/subpaas/update", **less) == 7
    wrong_block = change(made, block_type="DELETED")
    assert await world.code("panel/subpaas/update", **wrong_block) == 7
    assert await world.code("panel/subpaas/update", **change(999)) == 201
    for path in ("read", "session/create"):
        assert await world.code(f"panel/subpaas/{path}", subpaas_id=999) == 201
    # A dealer is not its own sub-dealer.
    assert await world.code("panel/subpaas/read", subpaas_id=world.dealer_id) == 201


async def test_a_dealer_without_the_feature_or_the_permission(world: World) -> None:
    made = await create(world)
    await world.add_panel("reader", world.dealer_id, {"subpaas": ["read"]})
    assert await world.code("panel/subpaas/list", "reader") == 0
    calls = {
        "create": {"password": NEW_PASSWORD, **SUBPAAS},
        "update": change(made),
        "password/change": {"subpaas_id": made, "new_password": PASSWORD},
        "session/create": {"subpaas_id": made},
    }
    for path, params in calls.items():
        assert await world.code(f"panel/subpaas/{path}", "reader", **params) == 13
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers)
            .where(dealers.c.id == world.dealer_id)
            .values(settings={"features": ["branding_web"]})
        )
    for path, params in {**calls, "list": {}, "read": {"subpaas_id": made}}.items():
        assert await world.code(f"panel/subpaas/{path}", **params) == 13
