"""Sub-users, their rights, and what they see, on both engines."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import insert, update

from waypost.settings import Settings
from waypost.store.tables import sources, tariffs, trackers

PERSON: dict[str, Any] = {
    "activated": True,
    "login": "charles@test.com",
    "first_name": "Charles",
    "middle_name": "Henry",
    "last_name": "Pearson",
    "legal_type": "legal_entity",
    "phone": "491761234567",
    "post_country": "Germany",
    "post_index": "61169",
    "post_region": "Hessen",
    "post_city": "Wiesbaden",
    "post_street_address": "Marienplatz 2",
    "registered_country": "Germany",
    "registered_index": "61169",
    "registered_region": "Hessen",
    "registered_city": "Wiesbaden",
    "registered_street_address": "Marienplatz 2",
    "state_reg_num": "12-3456789",
    "tin": "1131145180",
    "legal_name": "E. Biasi GmbH",
    "iec": "",
    "security_group_id": None,
}


@pytest.fixture
def settings(data_dir: Path, database_url: str) -> Settings:
    return Settings(data_dir=data_dir, database=database_url, api_rate=0)


async def add_tracker(world: World, who: str, number: int) -> int:
    async with world.services.database.begin() as connection:
        source_id = await connection.scalar(
            insert(sources)
            .values(
                device_id=str(number),
                model="telfmb920",
                dealer_id=world.dealer_id,
                tariff_id=world.tariff_id,
                creation_date=date(2024, 3, 9),
                registered_at=NOON,
            )
            .returning(sources.c.id)
        )
        tracker_id = await connection.scalar(
            insert(trackers)
            .values(
                source_id=source_id,
                user_id=world.ids[who],
                label=f"tracker {number}",
                clone=False,
                creation_date=date(2024, 3, 9),
            )
            .returning(trackers.c.id)
        )
    assert tracker_id is not None
    world.services.bus.publish(f"fleet.user.{world.ids[who]}")
    return tracker_id


async def test_a_sub_user_is_made_shown_changed_and_deleted(world: World) -> None:
    made = await world.call("subuser/register", user=PERSON, password="123456")
    listed = (await world.call("subuser/list"))["list"]
    shown = next(one for one in listed if one["id"] == made["id"])
    assert shown == {**PERSON, "id": made["id"], "creation_date": "2024-03-09 07:00:00"}
    login = {"login": PERSON["login"], "password": "123456"}
    hash_ = (await world.call("user/auth", None, **login))["hash"]
    info = await world.call("user/get_info", None, hash=hash_)
    assert info["master"]["id"] == world.ids["user"]
    assert info["privileges"] == {"rights": []}
    assert info["user_info"]["time_zone"] == "America/New_York"
    changed = {"id": made["id"], "last_name": "Other", "activated": False}
    assert await world.code("subuser/update", user=changed) == 0
    assert await world.code("user/get_info", None, hash=hash_) == 4
    assert await world.code("user/auth", None, **login) == 103
    assert await world.code("subuser/session/create", subuser_id=made["id"]) == 103
    assert await world.code("subuser/delete", subuser_id=made["id"]) == 0
    assert await world.code("subuser/delete", subuser_id=made["id"]) == 201
    assert await world.code("user/auth", None, **login) == 102
    assert (await world.call("subuser/register", user=PERSON, password="123456"))["success"]


async def test_what_a_sub_user_cannot_be_is_refused(world: World) -> None:
    for password in ("12345", "1" * 21, "a\tb\tcdef"):
        code = await world.code("subuser/register", user=PERSON, password=password)
        assert code == 7
    taken = {**PERSON, "login": "stranger@example.org"}
    assert await world.code("subuser/register", user=taken, password="123456") == 206
    grouped = {**PERSON, "security_group_id": 10**9}
    assert await world.code("subuser/register", user=grouped, password="123456") == 201
    assert await world.code("subuser/update", user=PERSON) == 7


async def test_sub_users_of_others_are_not_there(world: World) -> None:
    sub = {"subuser_id": world.ids["sub"]}
    for path, params in (
        ("subuser/delete", sub),
        ("subuser/session/create", sub),
        ("subuser/tracker/list", sub),
        ("subuser/tracker/bind", {**sub, "trackers": []}),
        ("subuser/tracker/unbind", {**sub, "trackers": []}),
        ("subuser/update", {"user": {"id": world.ids["sub"]}}),
        ("subuser/security_group/assign", {"group_id": None, "subuser_ids": [world.ids["sub"]]}),
    ):
        assert await world.code(path, "stranger", **params) == 201, path
    assert await world.code("subuser/delete", subuser_id=world.ids["stranger"]) == 201
    assert (await world.call("subuser/list", "stranger"))["list"] == []


async def test_a_session_made_by_the_master_is_the_sub_users(world: World) -> None:
    reply = await world.call("subuser/session/create", subuser_id=world.ids["sub"])
    info = await world.call("user/get_info", None, hash=reply["hash"])
    assert info["user_info"]["id"] == world.ids["sub"]


async def test_rights_come_and_go_with_the_security_group(world: World) -> None:
    group = {
        "label": "Managers",
        "privileges": {"rights": ["tracker_update"], "store_period": "1d"},
    }
    made = await world.call("subuser/security_group/create", group=group)

    async def rights() -> list[str]:
        info = await world.call("user/get_info", "sub")
        return list(info["privileges"]["rights"])

    assert await rights() == ["tag_update"]
    chosen = {"group_id": made["id"], "subuser_ids": [world.ids["sub"]]}
    assert await world.code("subuser/security_group/assign", **chosen) == 0
    assert await rights() == ["tracker_update"]
    groups = (await world.call("subuser/security_group/list"))["list"]
    assert {**group, "id": made["id"]} in groups
    other = {"id": made["id"], "label": "M", "privileges": {"rights": []}}
    assert await world.code("subuser/security_group/update", group=other) == 0
    assert await rights() == []
    assert await world.code("subuser/security_group/delete", security_group_id=made["id"]) == 0
    assert await rights() == []
    gone = await world.code("subuser/security_group/delete", security_group_id=made["id"])
    assert gone == 201


@pytest.mark.parametrize(
    "group",
    [
        {"label": "x", "privileges": {"rights": ["admin"]}},
        {"label": "x", "privileges": {"rights": ["fly"]}},
        {"label": "", "privileges": {"rights": []}},
        {"label": "x", "privileges": {"rights": [], "store_period": "long"}},
        {"label": "x"},
        {},
    ],
)
async def test_what_a_security_group_cannot_be_is_refused(
    world: World, group: dict[str, Any]
) -> None:
    assert await world.code("subuser/security_group/create", group=group) == 7


async def test_a_group_of_another_account_is_not_there(world: World) -> None:
    group = {"label": "Mine", "privileges": {"rights": []}}
    made = await world.call("subuser/security_group/create", "stranger", group=group)
    theirs = {**group, "id": made["id"]}
    assert await world.code("subuser/security_group/update", group=theirs) == 201
    chosen = {"group_id": made["id"], "subuser_ids": [world.ids["sub"]]}
    assert await world.code("subuser/security_group/assign", **chosen) == 201
    user = {"id": world.ids["sub"], "security_group_id": made["id"]}
    assert await world.code("subuser/update", user=user) == 201


async def test_a_sub_user_sees_the_trackers_bound_to_it(world: World) -> None:
    one = await add_tracker(world, "user", 1)
    two = await add_tracker(world, "user", 2)
    foreign = await add_tracker(world, "stranger", 3)
    sub = {"subuser_id": world.ids["sub"]}
    trackers_ = world.services.fleet.trackers

    async def sees() -> list[int]:
        session = await world.services.accounts.sessions.find(
            world.hashes["sub"], world.clock.now, panel=False
        )
        found = [
            await trackers_.user_tracker(session.caller, tracker_id)  # type: ignore[arg-type]
            for tracker_id in (one, two, foreign)
        ]
        return [tracker.id for tracker in found if tracker]

    assert await sees() == []
    assert await world.code("subuser/tracker/bind", **sub, trackers=[one, one]) == 0
    assert await world.code("subuser/tracker/bind", **sub, trackers=[one, two]) == 0
    assert (await world.call("subuser/tracker/list", **sub))["list"] == [one, two]
    assert await sees() == [one, two]
    for wrong in ([foreign], [one, 10**9]):
        assert await world.code("subuser/tracker/bind", **sub, trackers=wrong) == 262
        assert await world.code("subuser/tracker/unbind", **sub, trackers=wrong) == 262
    assert await world.code("subuser/tracker/unbind", **sub, trackers=[one]) == 0
    assert (await world.call("subuser/tracker/list", **sub))["list"] == [two]
    assert await sees() == [two]


async def test_sub_users_need_a_tariff_that_allows_them(world: World) -> None:
    await add_tracker(world, "user", 1)
    async with world.services.database.begin() as connection:
        await connection.execute(update(tariffs).values(features=[]))
    assert await world.code("subuser/list") == 236
    assert await world.code("subuser/register", user=PERSON, password="123456") == 236
    assert await world.code("subuser/list", "stranger") == 0


async def test_a_sub_user_may_not_touch_its_masters_settings(world: World) -> None:
    mine = {
        "time_zone": "UTC",
        "locale": "en",
        "measurement_system": "metric",
        "geocoder": "osm",
        "route_provider": "osrm",
        "translit": False,
    }
    assert await world.code("user/settings/update", "sub", **mine) == 0
    read = await world.call("user/settings/read", "sub")
    assert read["settings"]["time_zone"] == "UTC"
    assert "balance_alert_settings" not in read
    assert "file_storage_settings" not in read
    code = await world.code("user/settings/update", "sub", **mine, file_storage_settings={})
    assert code == 13
    master = await world.call("user/settings/read")
    assert master["settings"]["time_zone"] == "America/New_York"
