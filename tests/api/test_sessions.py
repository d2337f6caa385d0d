"""Log-ins, sessions and API keys, as clients meet them."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import PASSWORD, World
from sqlalchemy import select, update

from waypost.settings import Settings
from waypost.store.tables import dealers, panel_accounts, sessions, users

DAY = 86_400


async def log_in(world: World, name: str = "user", **params: Any) -> dict[str, Any]:
    params = {"login": f"{name}@example.org", "password": PASSWORD, **params}
    return await world.call("user/auth", None, **params)


async def set_user(world: World, name: str, **columns: Any) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(users).where(users.c.id == world.ids[name]).values(**columns)
        )
    world.services.accounts.sessions.forget_user(world.ids[name])


async def test_a_log_in_gives_a_session_that_works(world: World) -> None:
    reply = await log_in(world)
    assert reply["type"] == "authenticated"
    assert len(bytes.fromhex(reply["hash"])) == 16
    info = await world.call("user/get_info", None, hash=reply["hash"])
    assert info["user_info"]["id"] == world.ids["user"]


async def test_the_case_of_a_log_in_does_not_matter(world: World) -> None:
    assert (await log_in(world, login=" USER@Example.org "))["success"]


async def test_only_a_digest_of_a_session_is_stored(world: World) -> None:
    hash_ = (await log_in(world))["hash"]
    async with world.services.database.read() as connection:
        keys = list(await connection.scalars(select(sessions.c.key)))
    assert not [key for key in keys if bytes.fromhex(hash_) in key or hash_.encode() in key]


@pytest.mark.parametrize(
    "params",
    [
        {"login": "nobody@example.org"},
        {"password": "wrong"},
        {"dealer_id": 4711},
        {"login": "' OR 1=1 --"},
        {"login": "%"},
    ],
)
async def test_wrong_log_ins_all_look_the_same(world: World, params: dict[str, Any]) -> None:
    reply = await log_in(world, **params)
    assert reply["status"] == {"code": 102, "description": "Wrong login or password"}


async def test_a_log_in_to_the_right_dealer_works(world: World) -> None:
    assert (await log_in(world, dealer_id=world.dealer_id))["success"]


@pytest.mark.parametrize(
    ("columns", "code"),
    [({"activated": False}, 103), ({"blocked": True}, 275), ({"deleted": True}, 102)],
)
async def test_who_may_not_log_in_is_told_why_and_their_sessions_end(
    world: World, columns: dict[str, Any], code: int
) -> None:
    await set_user(world, "user", **columns)
    assert (await log_in(world))["status"]["code"] == code
    assert (await log_in(world, "sub"))["status"]["code"] == code
    for name in ("user", "sub"):
        assert await world.code("user/get_info", name) == 4
    assert await world.code("user/get_info", "stranger") == 0


async def test_a_blocked_dealer_shuts_both_apis(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers)
            .where(dealers.c.id == world.dealer_id)
            .values(block_status="CLIENTS_BLOCKED")
        )
    assert (await log_in(world))["status"]["code"] == 11
    login = {"login": str(world.dealer_id), "password": PASSWORD}
    assert await world.code("panel/account/auth", None, **login) == 11
    assert await world.code("user/get_info") == 11
    assert await world.code("panel/account/get_permissions") == 11
    assert await world.code("user/get_info", "foreigner") == 0


@pytest.mark.parametrize("hash_", [None, "", "null", "x", "0" * 31, "0" * 33, "g" * 32, 17, [], {}])
async def test_a_hash_that_cannot_be_one_is_wrong(world: World, hash_: Any) -> None:
    for path in ("user/get_info", "panel/account/get_permissions"):
        reply = await world.call(path, None, hash=hash_)
        assert reply["status"] == {"code": 3, "description": "Wrong hash"}


async def test_an_unknown_hash_and_one_of_the_other_api_are_not_found(world: World) -> None:
    for path, hash_ in (
        ("user/get_info", "0" * 32),
        ("user/get_info", world.hashes["panel"]),
        ("panel/account/get_permissions", "f" * 32),
        ("panel/account/get_permissions", world.hashes["user"]),
    ):
        for _ in range(2):
            assert await world.code(path, None, hash=hash_) == 4


async def test_a_session_ends_with_log_out_and_nobody_elses_does(world: World) -> None:
    other = (await log_in(world))["hash"]
    assert await world.code("user/logout") == 0
    assert await world.code("user/get_info") == 4
    assert await world.code("user/logout") == 4
    assert await world.code("user/get_info", None, hash=other) == 0
    assert await world.code("panel/account/logout") == 0
    assert await world.code("panel/account/get_permissions") == 4


async def test_a_user_session_lives_30_days_and_can_be_renewed(world: World) -> None:
    hash_ = (await log_in(world))["hash"]
    world.clock.pass_(29 * DAY)
    assert await world.code("user/get_info", None, hash=hash_) == 0
    assert await world.code("user/session/renew", None, hash=hash_) == 0
    world.clock.pass_(29 * DAY)
    assert await world.code("user/get_info", None, hash=hash_) == 0
    world.clock.pass_(DAY)
    assert await world.code("user/get_info", None, hash=hash_) == 4
    assert await world.code("user/session/renew", None, hash=hash_) == 4


async def test_a_panel_session_lives_a_day(world: World) -> None:
    reply = await world.call("panel/account/auth", None, login=world.dealer_id, password=PASSWORD)
    assert reply["permissions"]["users"]
    hash_ = reply["hash"]
    world.clock.pass_(DAY - 1)
    again = await world.call("panel/account/get_permissions", None, hash=hash_)
    assert again["permissions"] == reply["permissions"]
    world.clock.pass_(1)
    assert await world.code("panel/account/get_permissions", None, hash=hash_) == 4


async def test_a_wrong_panel_log_in_is_102(world: World) -> None:
    for login, password in ((str(world.dealer_id), "wrong"), ("0", PASSWORD), ("x", PASSWORD)):
        assert await world.code("panel/account/auth", None, login=login, password=password) == 102


async def test_a_warm_request_asks_the_database_nothing(world: World) -> None:
    await world.call("panel/account/get_permissions")
    del world.services.accounts.sessions._database
    assert await world.code("panel/account/get_permissions") == 0


class TestGuessing:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.login_attempts = 3
        settings.login_window = 60
        settings.trusted_proxies = ["127.0.0.1"]
        return settings

    async def attempt(self, world: World, path: str, address: str, **params: Any) -> int:
        reply = await world.client.post(
            f"/v2/{path}", json=params, headers={"x-forwarded-for": address}
        )
        return int(world.checked(reply).get("status", {}).get("code", 0))

    async def test_a_log_in_is_locked_after_some_failures_until_the_window_has_passed(
        self, world: World
    ) -> None:
        for path, login in (
            ("user/auth", "user@example.org"),
            ("user/auth", "nobody@example.org"),
            ("panel/account/auth", str(world.dealer_id)),
        ):
            codes = [
                await self.attempt(world, path, f"10.0.{n}.{len(login)}", login=login, password="x")
                for n in range(5)
            ]
            assert codes == [102, 102, 102, 105, 105]
            right = {"login": login, "password": PASSWORD}
            assert await self.attempt(world, path, "10.9.9.9", **right) == 105
        world.clock.pass_(61)
        assert (await log_in(world))["success"]

    async def test_an_address_is_locked_too(self, world: World) -> None:
        codes = [
            await self.attempt(world, "user/auth", "10.0.0.1", login=f"x{n}@y", password="x")
            for n in range(4)
        ]
        assert codes == [102, 102, 102, 105]
        right = {"login": "user@example.org", "password": PASSWORD}
        assert await self.attempt(world, "user/auth", "10.0.0.1", **right) == 105
        assert await self.attempt(world, "user/auth", "10.0.0.2", **right) == 0

    async def test_right_log_ins_are_never_locked(self, world: World) -> None:
        for _ in range(10):
            assert (await log_in(world))["success"]


class TestTooMany:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.sessions_per_user = 3
        return settings

    async def test_a_user_has_so_many_live_sessions_at_most(self, world: World) -> None:
        assert [(await log_in(world)).get("status", {}).get("code") for _ in range(3)] == [
            None,
            None,
            104,
        ]
        assert (await log_in(world, "stranger"))["success"]
        world.clock.pass_(31 * DAY)
        assert (await log_in(world))["success"]


@pytest.mark.parametrize("prefix", ["api/key", "user/api_key"])
async def test_api_keys_are_made_listed_used_and_deleted(world: World, prefix: str) -> None:
    made = (await world.call(f"{prefix}/create", title="Ключ 1"))["value"]
    assert made == {
        "hash": made["hash"],
        "create_date": "2024-03-09 07:00:00",
        "title": "Ключ 1",
    }
    assert (await world.call(f"{prefix}/list"))["list"] == [made]
    world.clock.pass_(400 * DAY)
    assert await world.code("user/get_info", None, hash=made["hash"]) == 0
    name = "api_key" if prefix == "user/api_key" else "key"
    world.hashes["user"] = (await log_in(world))["hash"]
    assert await world.code(f"{prefix}/delete", **{name: made["hash"]}) == 0
    assert await world.code("user/get_info", None, hash=made["hash"]) == 4
    assert await world.code(f"{prefix}/delete", **{name: made["hash"]}) == 201
    assert await world.code(f"{prefix}/delete") == 7
    assert (await world.call(f"{prefix}/list"))["list"] == []


async def test_an_account_has_twenty_keys(world: World) -> None:
    for number in range(20):
        assert await world.code("api/key/create", title=f"key {number}") == 0
    assert await world.code("api/key/create", title="one more") == 268
    assert await world.code("api/key/create", "stranger", title="another account") == 0


async def test_a_key_is_no_session_and_its_account_only(world: World) -> None:
    key = (await world.call("api/key/create", title="key"))["value"]["hash"]
    for path in ("user/logout", "user/session/renew", "api/key/list"):
        assert await world.code(path, None, hash=key) == 4
    assert await world.code("panel/account/get_permissions", None, hash=key) == 4
    assert await world.code("api/key/delete", "stranger", key=key) == 201
    assert await world.code("api/key/list", "sub") == 13
    assert await world.code("user/get_info", None, hash=key.upper()) == 0
    granted = (await world.call("panel/user/session/create", user_id=world.ids["user"]))["hash"]
    assert await world.code("api/key/list", None, hash=granted) == 4
    assert await world.code("user/logout", None, hash=granted) == 0


class TestManyProcesses:
    """Another process ends what this one remembers."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.nats = "nats://elsewhere"
        return settings

    async def test_what_ended_elsewhere_is_believed_for_seconds_only(self, world: World) -> None:
        assert await world.code("user/get_info") == 0
        async with world.services.database.begin() as connection:
            await connection.execute(sessions.delete())
        assert await world.code("user/get_info") == 0
        world.clock.pass_(6)
        assert await world.code("user/get_info") == 4

    async def test_the_bus_says_so_at_once(self, world: World) -> None:
        assert await world.code("user/get_info") == 0
        async with world.services.database.begin() as connection:
            await connection.execute(sessions.delete())
        world.services.bus.publish(f"fleet.user.{world.ids['user']}")
        assert await world.code("user/get_info") == 4


async def test_a_blocked_panel_account_is_shut_out(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(panel_accounts).values(blocked=True))
    login = {"login": str(world.dealer_id), "password": PASSWORD}
    assert await world.code("panel/account/auth", None, **login) == 11
    assert await world.code("panel/account/get_permissions") == 4
