"""The panel's users, on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from api_world import PASSWORD, World
from sqlalchemy import insert, update

from waypost.settings import Settings
from waypost.store.tables import dealers, panel_accounts, users

PERSON: dict[str, Any] = {
    "login": "John.Smith@test.com",
    "activated": True,
    "verified": True,
    "first_name": "John",
    "middle_name": "William",
    "last_name": "Smith",
    "legal_name": "ABC Inc.",
    "legal_type": "legal_entity",
    "phone": "2135551234",
    "post_country": "United States",
    "post_index": "90001",
    "post_region": "California",
    "post_city": "Los Ángeles",
    "post_street_address": "123 Main Street",
    "registered_country": "United States",
    "registered_index": "90001",
    "registered_region": "California",
    "registered_city": "Los Angeles",
    "registered_street_address": "123 Main Street",
    "state_reg_num": "12-3456789",
    "tin": "1131145180",
    "okpo_code": "93281776",
    "iec": "773101001",
}
DISCOUNT = {
    "value": 5.5,
    "min_trackers": 10,
    "end_date": "2031-03-01",
    "strategy": "sum_with_progressive",
}
NEW = {
    "user": PERSON,
    "time_zone": "America/Los_Angeles",
    "locale": "en_US",
    "password": "Abcdefgh123!",
    "discount": DISCOUNT,
    "comment": "about user",
}


@pytest.fixture
def settings(data_dir: Path, database_url: str) -> Settings:
    return Settings(data_dir=data_dir, database=database_url, api_rate=0)


async def create(world: World, **changes: Any) -> int:
    reply = await world.call("panel/user/create", **{**NEW, **changes})
    assert reply["success"], reply
    return int(reply["id"])


async def test_a_new_user_is_read_back_whole_and_can_log_in(world: World) -> None:
    user_id = await create(world, default_tariff_id=world.tariff_id)
    read = await world.call("panel/user/read", user_id=user_id)
    assert read["discount"] == DISCOUNT
    assert read["default_tariff_id"] == world.tariff_id
    assert read["dealer_mfa_settings"] == {"type": "disallowed"}
    assert read["value"] == {
        **PERSON,
        "login": "john.smith@test.com",
        "id": user_id,
        "dealer_id": world.dealer_id,
        "balance": 0,
        "bonus": 0,
        "creation_date": "2024-03-09 12:00:00",
        "trackers_count": 0,
        "comment": "about user",
        "discount": 5.5,
        "discount_min_trackers": 10,
        "discount_end_date": "2031-03-01",
        "discount_strategy": "sum_with_progressive",
    }
    entered = await world.call("user/auth", None, login=PERSON["login"], password=NEW["password"])
    info = await world.call("user/get_info", None, hash=entered["hash"])
    assert info["user_info"]["time_zone"] == "America/Los_Angeles"
    assert info["user_info"]["title"] == "ABC Inc."
    assert info["paas_id"] == world.dealer_id


async def test_the_panels_own_pages_send_forms_with_everything_in_them(world: World) -> None:
    person = {
        **PERSON,
        "id": 0,
        "balance": 0,
        "trackers_count": "",
        "block": False,
        "discount": 7,
        "discount_min_trackers": 2,
        "discount_end_date": None,
        "discount_strategy": "no_summing",
        "creation_date": "",
    }
    form = {
        "hash": world.hashes["panel"],
        "user": json.dumps(person),
        "time_zone": "Europe/Moscow",
        "locale": "ru",
        "password": NEW["password"],
        "comment": "",
        "discount": json.dumps({"value": None, "end_date": None, "strategy": "no_summing"}),
        "default_tariff_id": "null",
    }
    reply = world.checked(await world.client.post("/api-v2/panel/user/create", data=form))
    read = await world.call("panel/user/read", user_id=reply["id"])
    assert read["discount"]["value"] == 7
    assert read["default_tariff_id"] is None


async def test_a_login_is_taken_once(world: World) -> None:
    first = await create(world)
    assert await world.code("panel/user/create", **NEW) == 206
    upper = {**PERSON, "login": PERSON["login"].upper()}
    assert await world.code("panel/user/create", **{**NEW, "user": upper}) == 206
    second = await create(world, user={"login": "b@test.com"})
    same = {"id": second, "login": PERSON["login"]}
    assert await world.code("panel/user/update", user=same, discount={}) == 206
    mine = {"id": first, "login": PERSON["login"]}
    assert await world.code("panel/user/update", user=mine, discount={}) == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"password": "Short1!"}, "password"),
        ({"password": "alllowercase1!"}, "password"),
        ({"password": "ALLUPPERCASE1!"}, "password"),
        ({"password": "NoDigitsInIt!"}, "password"),
        ({"password": "NoSpecial1234"}, "password"),
        ({"password": "Abcdefgh123!" * 2}, "password"),
        ({"password": "Abcdefg\u0007123!"}, "password"),
        ({"user": {"login": "no address"}}, "user.login"),
        ({"user": {"first_name": "x"}}, "user.login"),
        ({"user": {**PERSON, "phone": "12"}}, "user.phone"),
        ({"user": {**PERSON, "tin": "a\nb"}}, "user.tin"),
        ({"user": {**PERSON, "state_reg_num": "1" * 16}}, "user.state_reg_num"),
        ({"user": {**PERSON, "legal_type": "pirate"}}, "user.legal_type"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"locale": "english please"}, "locale"),
        ({"discount": {"value": 101}}, "discount.value"),
        ({"discount": {"end_date": "tomorrow"}}, "discount.end_date"),
        ({"discount": {"min_trackers": -1}}, "discount.min_trackers"),
        ({"comment": "x" * 256}, "comment"),
    ],
)
async def test_what_a_new_user_cannot_be_is_named(
    world: World, change: dict[str, Any], named: str
) -> None:
    reply = await world.call("panel/user/create", **{**NEW, **change})
    assert reply["status"]["code"] == 7
    assert [error["parameter"] for error in reply["errors"]] == [named]


async def test_an_update_changes_what_it_names_but_the_legal_type(world: World) -> None:
    user_id = await create(world)
    changed = {
        "id": user_id,
        "first_name": "Jane",
        "legal_type": "individual",
        "tin": None,
        "activated": False,
    }
    assert (
        await world.code("panel/user/update", user=changed, discount={"value": 1}, comment="new")
        == 0
    )
    read = await world.call("panel/user/read", user_id=user_id)
    value = read["value"]
    assert (value["first_name"], value["last_name"], value["tin"]) == ("Jane", "Smith", "")
    assert (value["legal_type"], value["comment"]) == ("legal_entity", "new")
    assert (value["activated"], value["verified"]) == (False, False)
    assert read["discount"] == {
        "value": 1,
        "min_trackers": 0,
        "end_date": None,
        "strategy": "no_summing",
    }
    code = await world.code("user/auth", None, login=PERSON["login"], password=NEW["password"])
    assert code == 103


async def test_a_deactivated_user_is_out_at_once(world: World) -> None:
    assert await world.code("user/get_info") == 0
    person = {"id": world.ids["user"], "activated": False}
    assert await world.code("panel/user/update", user=person, discount={}) == 0
    assert await world.code("user/get_info") == 4
    assert await world.code("panel/user/session/create", user_id=world.ids["user"]) == 103


async def test_a_session_made_by_the_panel_is_the_users(world: World) -> None:
    reply = await world.call("panel/user/session/create", user_id=world.ids["user"])
    info = await world.call("user/get_info", None, hash=reply["hash"])
    assert info["user_info"]["id"] == world.ids["user"]


@pytest.mark.parametrize("whose", ["foreigner", "sub", "nobody"])
async def test_users_of_others_are_not_there(world: World, whose: str) -> None:
    user_id = world.ids.get(whose, 10**9)
    assert await world.code("panel/user/read", user_id=user_id) == 201
    assert await world.code("panel/user/session/create", user_id=user_id) == 201
    assert await world.code("panel/user/update", user={"id": user_id}, discount={}) == 201
    listed = await world.call("panel/user/list")
    assert user_id not in [user["id"] for user in listed["list"]]
    assert await world.code("panel/user/read", "other_panel", user_id=world.ids["user"]) == 201


async def test_a_tariff_of_another_dealer_is_not_there(world: World) -> None:
    code = await world.code(
        "panel/user/create", "other_panel", **{**NEW, "default_tariff_id": world.tariff_id}
    )
    assert code == 201


async def test_the_list_is_filtered_sorted_and_paged(world: World) -> None:
    for number, city in enumerate(("Oslo", "Bergen 100%", "Ålesund")):
        await create(
            world,
            user={**PERSON, "login": f"u{number}@test.com", "post_city": city, "last_name": city},
        )
    await create(world, user={**PERSON, "login": "off@test.com", "activated": False})

    async def logins(**params: Any) -> list[str]:
        reply = await world.call("panel/user/list", **params)
        return [user["login"].partition("@")[0] for user in reply["list"]]

    assert await logins(filter="bergen") == ["u1"]
    assert await logins(filter="100%") == ["u1"]
    assert await logins(filter="%") == ["u1"]
    assert await logins(filter="  ") == await logins()
    assert await logins(filter="@TEST.com") == ["u0", "u1", "u2", "off"]
    assert await logins(filter="@test.com", hide_inactive=True) == ["u0", "u1", "u2"]
    assert (await logins(order_by="login", ascending=False))[:2] == ["user", "u2"]
    assert await logins(filter="u", order_by="post_city", limit=1, offset=0)
    page = await world.call("panel/user/list", filter="@test.com", limit=2, offset=1)
    assert [user["login"] for user in page["list"]] == ["u1@test.com", "u2@test.com"]
    assert page["count"] == 4
    assert (await world.call("panel/user/list", limit=0))["list"] == []
    for wrong in ({"order_by": "password_hash"}, {"limit": -1}, {"offset": 2**40}):
        assert await world.code("panel/user/list", **wrong) == 7


async def test_sub_dealers_users_need_the_global_permission(world: World) -> None:
    async with world.services.database.begin() as connection:
        child = await connection.scalar(
            insert(dealers)
            .values(title="Child", parent_id=world.dealer_id, created_at=0)
            .returning(dealers.c.id)
        )
    user = {**PERSON, "dealer_id": child}
    made = await world.call("panel/user/create", **{**NEW, "user": user})
    read = await world.call("panel/user/read", user_id=made["id"])
    assert read["value"]["dealer_id"] == child
    assert await world.code("panel/user/session/create", user_id=made["id"]) == 0
    stranger = {**PERSON, "dealer_id": 10**6}
    assert await world.code("panel/user/create", **{**NEW, "user": stranger}) == 12
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(panel_accounts)
            .where(panel_accounts.c.id == world.ids["panel"])
            .values(
                permissions={
                    "users": ["create", "read", "update"],
                    "user_sessions": ["create"],
                }
            )
        )
    await world.call("panel/account/logout")
    login = {"login": str(world.dealer_id), "password": PASSWORD}
    world.hashes["panel"] = (await world.call("panel/account/auth", None, **login))["hash"]
    assert await world.code("panel/user/create", **{**NEW, "user": user}) == 13
    assert await world.code("panel/user/read", user_id=made["id"]) == 201
    assert await world.code("panel/user/session/create", user_id=made["id"]) == 201


async def test_money_is_shown_as_numbers(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(balance=74.31, bonus="10.5"))
    read = await world.call("panel/user/read", user_id=world.ids["user"])
    assert (read["value"]["balance"], read["value"]["bonus"]) == (74.31, 10.5)
    info = await world.call("user/get_info")
    assert (info["user_info"]["balance"], info["user_info"]["bonus"]) == (74.31, 10.5)
