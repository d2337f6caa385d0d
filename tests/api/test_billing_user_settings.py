"""What a dealer sets for its users: a second factor, menus."""

from __future__ import annotations

from typing import Any

from api_world import World

NEW_PASSWORD = "Another-horse2!"
ALLOWED = {"type": "allowed", "factor_types": ["email"]}
MENU = {
    "application": "navixy_web",
    "account_menu": [{"name": "info"}],
    "main_menu": [{"name": "online_main", "items": [{"name": "online"}]}, {"name": "apps"}],
    "footer_menu": [],
}


class TestMfa:
    PATH = "panel/user/mfa/settings"

    async def test_for_all_or_some(self, world: World) -> None:
        user, stranger = world.ids["user"], world.ids["stranger"]

        async def of(user_id: int) -> dict[str, Any]:
            value = (await world.call(f"{self.PATH}/read", user_id=user_id))["value"]
            read = await world.call("panel/user/read", user_id=user_id)
            assert read["dealer_mfa_settings"] == value
            return dict(value)

        assert await of(user) == {"type": "disallowed"}
        some = {"type": "selected", "ids": [user]}
        assert await world.code(f"{self.PATH}/update", target=some, settings=ALLOWED) == 0
        assert await of(user) == ALLOWED
        assert await of(stranger) == {"type": "disallowed"}
        everybody = {"target": {"type": "all"}, "settings": ALLOWED}
        assert await world.code(f"{self.PATH}/update", **everybody) == 0
        assert await of(stranger) == ALLOWED
        foreign = {"target": {"type": "all"}, "settings": {"type": "disallowed"}}
        assert await world.code(f"{self.PATH}/update", "other_panel", **foreign) == 0
        assert await of(stranger) == ALLOWED

    async def test_new_users_get_the_default(self, world: World) -> None:
        assert await world.call(f"{self.PATH}/default/read") == {
            "success": True,
            "value": {"type": "disallowed"},
        }
        assert await world.code(f"{self.PATH}/default/update", settings=ALLOWED) == 0
        assert (await world.call(f"{self.PATH}/default/read"))["value"] == ALLOWED
        made = await world.call(
            "panel/user/create",
            user={"login": "new@example.org"},
            time_zone="UTC",
            locale="en_US",
            password=NEW_PASSWORD,
            discount={},
        )
        read = await world.call(f"{self.PATH}/read", user_id=made["id"])
        assert read["value"] == ALLOWED

    async def test_wrong_ones(self, world: World) -> None:
        path, user = f"{self.PATH}/update", world.ids["user"]
        some = {"type": "selected", "ids": [user, world.ids["foreigner"]]}
        assert await world.code(path, target=some, settings=ALLOWED) == 201
        value = (await world.call(f"{self.PATH}/read", user_id=user))["value"]
        assert value == {"type": "disallowed"}
        assert await world.code(f"{self.PATH}/read", user_id=999) == 201
        everybody = {"type": "all"}
        for target, settings in (
            ({"type": "selected"}, ALLOWED),
            ({"type": "selected", "ids": [0]}, ALLOWED),
            ({"type": "none"}, ALLOWED),
            (everybody, {"type": "allowed"}),
            (everybody, {"type": "allowed", "factor_types": ["sms"]}),
            (everybody, {}),
        ):
            assert await world.code(path, target=target, settings=settings) == 7
        await world.add_panel("reader", world.dealer_id, {"users": ["read"]})
        assert await world.code(f"{self.PATH}/default/read", "reader") == 0
        for path in ("update", "default/update"):
            assert await world.code(f"{self.PATH}/{path}", "reader") == 13


class TestMenus:
    async def test_the_default_and_a_users_own(self, world: World) -> None:
        user = {"user_id": world.ids["user"]}
        default = (await world.call("panel/user/menu/default/read", application="navixy_web"))[
            "value"
        ]
        assert default["application"] == "navixy_web"
        assert default["main_menu"]
        assert (await world.call("panel/user/menu/read", **user))["value"] == default
        assert (await world.call("user/menu/read"))["value"] == default
        assert await world.code("panel/user/menu/default/update", value=MENU) == 0
        assert (await world.call("panel/user/menu/read", **user))["value"] == MENU
        own = {**MENU, "account_menu": []}
        assert await world.code("panel/user/menu/update", **user, value=own) == 0
        assert (await world.call("user/menu/read"))["value"] == own
        assert (await world.call("user/menu/read", "sub"))["value"] == own
        assert (await world.call("user/menu/read", "stranger"))["value"] == MENU
        assert (await world.call("user/menu/read", "foreigner"))["value"] == default

    async def test_wrong_ones(self, world: World) -> None:
        for wrong in ({"main_menu": [{"items": []}]}, {"application": "mine"}, {"footer_menu": 1}):
            value = {**MENU, **wrong}
            assert await world.code("panel/user/menu/default/update", value=value) == 7
        assert await world.code("panel/user/menu/read", user_id=999) == 201
        assert await world.code("panel/user/menu/read", user_id=world.ids["sub"]) == 201
        foreign = {"user_id": world.ids["foreigner"], "value": MENU}
        assert await world.code("panel/user/menu/update", **foreign) == 201
        await world.add_panel("nobody", world.dealer_id, {})
        for path in ("read", "update", "default/read", "default/update"):
            assert await world.code(f"panel/user/menu/{path}", "nobody", **foreign) == 13
