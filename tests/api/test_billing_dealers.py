"""Dealers: what they are told of themselves, their settings, their sub-dealers."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from api_world import NOON, PASSWORD, World
from sqlalchemy import insert, select, update

from waypost.store.tables import dealers, panel_accounts, sources

NEW_PASSWORD = "Another-horse2!"
SERVICE = "panel/dealer/settings/service"
IMAGE = "panel/dealer/settings/image"
SENDERS = {
    "email_from": "One <no-reply@one.example>",
    "email_footer": "\n\n---\nSincerely, One",
    "email_special": "no-reply@one.example",
    "sms_originator": "demo.один.example",
    "caller_id": "491761234543",
}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
ICO = b"\x00\x00\x01\x00" + b"0" * 20


async def change_dealer(world: World, **columns: Any) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == world.dealer_id).values(**columns)
        )


class TestInfo:
    async def test_what_a_dealer_is_told(self, world: World) -> None:
        tracker = await world.register("One")
        await world.register("Silent")
        async with world.services.database.begin() as connection:
            await connection.execute(
                update(sources)
                .where(sources.c.id == tracker["source"]["id"])
                .values(last_connection_at=NOON)
            )
        await change_dealer(world, device_limit=100, legal_name="One Ltd", domain="one.example")
        reply = await world.call("panel/dealer/get_info")
        prices = dict.fromkeys(
            ("incoming_sms", "outgoing_sms", "service_sms", "phone_call", "traffic"), 0.0
        )
        assert reply == {
            "success": True,
            "id": world.dealer_id,
            "seller_id": world.dealer_id,
            "parent_dealer_id": None,
            "contract_type": "PAAS",
            "tariff_id": 0,
            "tariff": {
                "id": 0,
                "name": "Waypost",
                "type": "monthly",
                "currency": "EUR",
                "license_price": None,
                "min_license_pay": None,
                "vat": False,
                "trial": False,
                "premium_gis": False,
                "service_prices": prices,
                "store_period": "P366D",
            },
            "demo_tariff": False,
            "tracker_tariff_end_date": None,
            "store_period": "P366D",
            "demo_ends": None,
            "title": "One",
            "block_status": "NOT_BLOCKED",
            "legal_name": "One Ltd",
            "active_amount": 1,
            "active_amount_own": 1,
            "active_amount_subpaas": 0,
            "active_limit": 100,
            "locale": "en_US",
            "domain": "one.example",
            "favicon": None,
            "logo": None,
            "enable_trackers": True,
            "enable_cameras": False,
            "paas_activation_date": "2024-03-09",
            "license_balance": 0.0,
            "seller_currency": "EUR",
            "features": ["branding_web", "branding_mobile", "subpaas"],
            "default_user_time_zone": "UTC",
            "information_center": {},
        }
        await world.add_panel("nobody", world.dealer_id, {})
        assert await world.code("panel/dealer/get_info", "nobody") == 13

    async def test_small_answers(self, world: World) -> None:
        assert await world.call("panel/gateways/email/list") == {
            "success": True,
            "bound_gateway": None,
            "own": [],
            "leasable": [],
        }
        assert await world.call("panel/payment_system/list") == {"success": True, "list": []}
        plugins = (await world.call("plugin/list"))["list"]
        assert (await world.call("panel/paas/plugins/list"))["list"] == plugins
        assert {37, 44, 35, 68} <= {one["id"] for one in plugins}
        by_id = {one["id"]: one for one in plugins}
        assert by_id[44]["type"] == "tracker_register"
        assert by_id[44]["filter"]["exclusion"] is True
        assert by_id[35]["filter"]["exclusion"] is False
        assert by_id[35]["filter"]["values"] == by_id[44]["filter"]["values"] != []
        await world.add_panel("nobody", world.dealer_id, {})
        for path in ("gateways/email/list", "payment_system/list", "paas/plugins/list"):
            assert await world.code(f"panel/{path}", "nobody") == 13

    async def test_how_users_can_pay(self, world: World) -> None:
        assert (await world.call("payment_system/list"))["list"] == []
        await world.call(f"{SERVICE}/update", payment_link="https://pay.example", currency="USD")
        assert (await world.call("payment_system/list"))["list"] == [
            {"type": "link", "url": "https://pay.example", "currency": "USD"}
        ]
        assert await world.code("payment_system/list", "sub") == 13


class TestPassword:
    PATH = "panel/dealer/password/update"

    async def test_it_is_changed_and_other_sessions_end(self, world: World) -> None:
        login = {"login": str(world.dealer_id), "password": PASSWORD}
        other = (await world.call("panel/account/auth", None, **login))["hash"]
        new = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert await world.code(self.PATH, **new) == 0
        assert await world.code("panel/account/get_permissions", None, hash=other) == 4
        assert await world.code("panel/account/get_permissions") == 0
        assert await world.code("panel/account/auth", None, **login) == 102
        login["password"] = NEW_PASSWORD
        assert await world.code("panel/account/auth", None, **login) == 0

    async def test_what_cannot_be_the_new_one(self, world: World) -> None:
        old = {"old_password": PASSWORD}
        wrong = {"old_password": "Wrong-horse-1!", "new_password": NEW_PASSWORD}
        assert await world.code(self.PATH, **wrong) == 248
        assert await world.code(self.PATH, **old, new_password=PASSWORD) == 245
        for weak in (
            "Short-1!",
            "no-upper-case1!",
            "NO-LOWER-CASE1!",
            "No-digits-here!",
            "N0markshere12",
        ):
            body = await world.call(self.PATH, **old, new_password=weak)
            assert body["status"]["code"] == 7
            assert body["errors"][0]["parameter"] == "new_password"
        assert await world.code(self.PATH, new_password=NEW_PASSWORD) == 7
        # The last ones cannot be taken again.
        assert await world.code(self.PATH, **old, new_password=NEW_PASSWORD) == 0
        body = await world.call(self.PATH, old_password=NEW_PASSWORD, new_password=PASSWORD)
        assert body["errors"] == [
            {"parameter": "new_password", "error": "Password was recently used."}
        ]

    async def test_the_eleventh_may_be_the_first_again(self, world: World) -> None:
        passwords = [PASSWORD, *(f"Number-{number:02}-horse!" for number in range(10))]
        for old, new in pairwise(passwords):
            assert await world.code(self.PATH, old_password=old, new_password=new) == 0
        last = passwords[-1]
        assert await world.code(self.PATH, old_password=last, new_password=passwords[1]) == 7
        assert await world.code(self.PATH, old_password=last, new_password=PASSWORD) == 0

    async def test_guessing_is_locked_out(self, world: World) -> None:
        wrong = {"old_password": "Wrong-horse-1!", "new_password": NEW_PASSWORD}
        codes = [await world.code(self.PATH, **wrong) for _ in range(11)]
        assert codes == [248] * 10 + [105]


class TestServiceSettings:
    async def test_what_is_given_is_changed_and_read_back(self, world: World) -> None:
        before = (await world.call(f"{SERVICE}/read"))["value"]
        given = {
            "service_title": "monitoring service",
            "locale": "de-de",
            "demo_login": "demo",
            "demo_password": "demo",
            "maps": ["osm", "wikimapia"],
            "default_map": {"type": "osm", "location": {"lat": 33.0, "lng": 22.0}, "zoom": 2},
            "currency": "USD",
            "payment_link": "http://pay.example",
            "promo_url": "http://one.example/about",
            "google_client_id": "io54p54ijy54",
            "domain": "Track.One.Example",
            "login_footer": "All rights reserved.\nAll.",
            "allow_registration": True,
            "show_mobile_apps": True,
            "display_model_features_link": True,
            "limited_domain": True,
            "allowed_maps": ["osm"],
            "color_theme": "aqua",
            "app_color_theme": "blue_1",
            "privacy_policy_link": "http://privacy.example",
            "tos": "Terms",
            "no_register_commands": True,
            "default_user_time_zone": "Europe/London",
            "activation_code_required": True,
        }
        assert await world.code(f"{SERVICE}/update", **given) == 0
        after = (await world.call(f"{SERVICE}/read"))["value"]
        assert after == {**before, **given, "locale": "de_DE", "domain": "track.one.example"}
        # What is left out or null stays, an empty text empties.
        assert await world.code(f"{SERVICE}/update", tos=None, payment_link="") == 0
        assert (await world.call(f"{SERVICE}/read"))["value"] == {**after, "payment_link": ""}
        config = await world.call("user/get_info")
        assert config["paas_settings"]["service_title"] == "monitoring service"

    async def test_users_get_the_settings_for_new_users(self, world: World) -> None:
        given = {"geocoder": "google", "measurement_system": "imperial", "translit": True}
        assert await world.code(f"{SERVICE}/update", default_user_settings=given) == 0
        read = (await world.call(f"{SERVICE}/read"))["value"]["default_user_settings"]
        assert read == {**given, "route_provider": "osrm"}
        made = await world.call(
            "panel/user/create",
            user={"login": "new@example.org"},
            time_zone="UTC",
            locale="en_US",
            password=NEW_PASSWORD,
            discount={},
        )
        session = await world.call("panel/user/session/create", user_id=made["id"])
        settings = (await world.call("user/settings/read", None, hash=session["hash"]))["settings"]
        assert settings["geocoder"] == "google"
        assert settings["measurement_system"] == "imperial"
        assert settings["translit"] is True

    @pytest.mark.parametrize(
        "wrong",
        [
            {"maps": "osm"},
            {"maps": [1, None]},
            {"default_map": {"type": "osm"}},
            {"default_map": {"type": "osm", "location": {"lat": 91, "lng": 0}, "zoom": 2}},
            {"currency": "Euro"},
            {"domain": "not a domain"},
            {"color_theme": "x" * 129},
            {"default_user_time_zone": "Mars/Olympus"},
            {"locale": "english please"},
            {"default_user_settings": {"geocoder": "mine"}},
            {"allow_registration": "perhaps"},
        ],
    )
    async def test_wrong_ones(self, world: World, wrong: dict[str, Any]) -> None:
        before = (await world.call(f"{SERVICE}/read"))["value"]
        assert await world.code(f"{SERVICE}/update", **wrong, service_title="No") == 7
        assert (await world.call(f"{SERVICE}/read"))["value"] == before

    async def test_a_domain_is_one_dealers(self, world: World) -> None:
        assert await world.code(f"{SERVICE}/update", domain="one.example") == 0
        assert await world.code(f"{SERVICE}/update", "other_panel", domain="ONE.example") == 247
        assert await world.code(f"{SERVICE}/update", domain="one.example") == 0
        assert await world.code(f"{SERVICE}/update", domain="") == 0
        assert await world.code(f"{SERVICE}/update", "other_panel", domain="one.example") == 0

    async def test_permissions(self, world: World) -> None:
        await world.add_panel("reader", world.dealer_id, {"service_settings": ["read"]})
        assert await world.code(f"{SERVICE}/read", "reader") == 0
        for path in (f"{SERVICE}/update", f"{IMAGE}/upload", f"{IMAGE}/delete"):
            assert await world.code(path, "reader") == 13


class TestUiConfig:
    PATH = "dealer/get_ui_config"

    async def test_it_is_found_by_domain_or_session(self, world: World) -> None:
        await world.call(f"{SERVICE}/update", domain="one.example", service_title="The one")
        await world.call(f"{SERVICE}/update", "other_panel", domain="other.example")
        reply = await world.call(self.PATH, None, domain="https://one.example/login")
        assert reply["dealer"] == {
            "id": world.dealer_id,
            "ui_domain": "one.example",
            "company_url": "",
        }
        assert reply["settings"]["service_title"] == "The one"
        assert reply["settings"]["default_map"]["location"]
        # What only the dealer sees is not among them.
        assert "allowed_maps" not in reply["settings"]
        assert reply["demo_ends"] is None
        assert reply["premium_gis"] is False
        assert "branding_web" in reply["features"]
        assert reply["platform"]["report.maxTimeSpan"] == "P90D"
        foreign = await world.call(self.PATH, "foreigner")
        assert foreign["dealer"]["ui_domain"] == "other.example"
        # The domain counts where both are given.
        both = await world.call(self.PATH, "foreigner", domain="one.example")
        assert both["dealer"]["id"] == world.dealer_id

    async def test_nobodys_domain_is_the_first_dealers_until_it_has_one(self, world: World) -> None:
        reply = await world.call(self.PATH, None, domain="localhost:8080")
        assert reply["dealer"]["id"] == world.dealer_id
        await world.call(f"{SERVICE}/update", domain="one.example")
        assert await world.code(self.PATH, None, domain="localhost") == 12

    async def test_without_either(self, world: World) -> None:
        assert await world.code(self.PATH, None) == 7
        assert await world.code(self.PATH, None, hash="0" * 32) == 4
        assert await world.code(self.PATH, None, hash="nothing") == 3
        assert await world.code(self.PATH, "panel") == 4


class TestNotification:
    PATH = "panel/dealer/settings/notification"

    async def test_it_is_read_back(self, world: World) -> None:
        nothing = dict.fromkeys(SENDERS, "")
        assert (await world.call(f"{self.PATH}/read"))["value"] == nothing
        assert await world.code(f"{self.PATH}/update", **SENDERS) == 0
        assert (await world.call(f"{self.PATH}/read"))["value"] == SENDERS
        less = {name: "" for name in SENDERS if name != "email_special"}
        assert await world.code(f"{self.PATH}/update", **less) == 0
        value = (await world.call(f"{self.PATH}/read"))["value"]
        assert value == {**nothing, "email_special": SENDERS["email_special"]}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"email_from": "nobody"},
            {"email_from": "One <nobody>"},
            {"email_special": "@one.example"},
            {"email_footer": "x" * 601},
            {"sms_originator": "x" * 21},
            {"sms_originator": "under_score"},
            {"caller_id": "+49"},
            {"caller_id": None},
        ],
    )
    async def test_wrong_ones(self, world: World, wrong: dict[str, Any]) -> None:
        assert await world.code(f"{self.PATH}/update", **{**SENDERS, **wrong}) == 7

    async def test_permissions(self, world: World) -> None:
        await world.add_panel("reader", world.dealer_id, {"notification_settings": ["read"]})
        assert await world.code(f"{self.PATH}/read", "reader") == 0
        assert await world.code(f"{self.PATH}/update", "reader") == 13


class TestImages:
    async def upload(
        self, world: World, kind: str, content: bytes, *, who: str = "panel", **fields: str
    ) -> Any:
        return await world.client.post(
            f"/v2/{IMAGE}/upload",
            data={"hash": world.hashes[who], "type": kind, **fields},
            files={"file": ("picture.png", content, "image/png")},
        )

    async def test_an_image_is_served_to_everybody(self, world: World) -> None:
        assert world.checked(await self.upload(world, "logo", PNG)) == {"success": True}
        name = (await world.call(f"{SERVICE}/read"))["value"]["logo"]
        assert name.startswith(f"paas/{world.dealer_id}/logo-")
        assert (await world.call("panel/dealer/get_info"))["logo"] == name
        for prefix in ("", "/v2", "/api-v2"):
            reply = await world.client.get(f"{prefix}/static/{name}")
            assert reply.status_code == 200
            assert reply.content == PNG
            assert reply.headers["content-type"] == "image/png"
            assert reply.headers["x-content-type-options"] == "nosniff"
        # Another one takes its place; taking it away leaves none.
        await self.upload(world, "logo", PNG + b"1")
        assert (await world.client.get(f"/static/{name}")).status_code == 404
        assert await world.code(f"{IMAGE}/delete", type="logo") == 0
        assert (await world.call(f"{SERVICE}/read"))["value"]["logo"] is None
        assert await world.code(f"{IMAGE}/delete", type="logo") == 0

    async def test_only_the_favicon_may_be_an_icon(self, world: World) -> None:
        assert world.checked(await self.upload(world, "favicon", ICO))["success"]
        body = world.checked(await self.upload(world, "logo", ICO))
        assert body["status"]["code"] == 234

    async def test_refusals(self, world: World) -> None:
        async def code(kind: str, content: bytes) -> int:
            return int(world.checked(await self.upload(world, kind, content))["status"]["code"])

        # Whatever its sender says it is.
        assert await code("logo", b"<svg onload='alert(1)'/>") == 234
        assert await code("logo", b"") == 234
        assert await code("logo", PNG + b"0" * 4 * 1024 * 1024) == 271
        assert await code("app_logo", PNG) == 7
        assert await world.code(f"{IMAGE}/upload", type="logo") == 233
        assert await world.code(f"{IMAGE}/upload", type="logo", file="text") == 233
        assert await world.code(f"{IMAGE}/delete", type="nothing") == 7
        await change_dealer(world, settings={"features": []})
        assert await code("logo", PNG) == 236

    async def test_the_reply_can_be_a_redirect(self, world: World) -> None:
        target = "https://panel.example/uploadHandler.html?a=1"
        reply = await self.upload(world, "logo", PNG, redirect_target=target)
        assert reply.status_code == 302
        location = urlsplit(reply.headers["location"])
        assert location.netloc == "panel.example"
        query = parse_qs(location.query)
        assert json.loads(query["response"][0]) == {"success": True}
        assert query["a"] == ["1"]
        # A refusal too.
        reply = await self.upload(world, "logo", b"?", redirect_target=target)
        body = json.loads(parse_qs(urlsplit(reply.headers["location"]).query)["response"][0])
        assert body["status"]["code"] == 234
        for wrong in ("javascript:alert(1)", "//evil.example", "https://a.example\r\nX: 1"):
            reply = await self.upload(world, "logo", PNG, redirect_target=wrong)
            assert world.checked(reply)["status"]["code"] == 7


async def test_staff_has_a_password_of_its_own(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            insert(panel_accounts).values(
                dealer_id=world.dealer_id,
                login="staff@example.org",
                password_hash=world.password_hash,
                permissions={"password": ["update"]},
                created_at=NOON,
            )
        )
    login = {"login": "staff@example.org", "password": PASSWORD}
    session = (await world.call("panel/account/auth", None, **login))["hash"]
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    path = "panel/dealer/password/update"
    assert await world.code(path, None, hash=session, **change) == 0
    async with world.services.database.read() as connection:
        unchanged = await connection.scalar(
            select(panel_accounts.c.password_hash).where(
                panel_accounts.c.login == str(world.dealer_id)
            )
        )
    assert unchanged == world.password_hash
