"""Tariffs: made by a dealer, chosen by a user, changed for a tracker."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import insert, select, update

from waypost.store.tables import dealers, sources, tariffs, trackers, users

DAY = 86_400_000
TODAY = datetime.fromtimestamp(NOON / 1000, UTC).date()
PRICES = {
    "incoming_sms": 0.3,
    "outgoing_sms": 0.3,
    "service_sms": 0.2,
    "phone_call": 0.6,
    "traffic": 0.09,
}
#: As the page prints it.
PREMIUM = {
    "name": "Premium",
    "group_id": 3,
    "active": True,
    "type": "monthly",
    "price": 12.55,
    "early_change_price": 23.0,
    "device_limit": 2000,
    "has_reports": True,
    "store_period": "1y",
    "device_type": "tracker",
    "proportional_charge": False,
    "service_prices": PRICES,
}


async def create(world: World, **fields: Any) -> int:
    reply = await world.call("panel/tariff/create", tariff={**PREMIUM, **fields})
    assert reply["success"], reply
    return int(reply["id"])


async def source_of(world: World, tracker: dict[str, Any]) -> Any:
    async with world.services.database.read() as connection:
        query = select(sources).where(sources.c.id == tracker["source"]["id"])
        return (await connection.execute(query)).one()


async def set_source(world: World, tracker: dict[str, Any], **columns: Any) -> None:
    async with world.services.fleet.write() as write:
        await write.connection.execute(
            update(sources).where(sources.c.id == tracker["source"]["id"]).values(**columns)
        )
        write.changes.sources.add(tracker["source"]["id"])


async def balance(world: World, name: str = "user") -> float:
    async with world.services.database.read() as connection:
        query = select(users.c.balance).where(users.c.id == world.ids[name])
        return float(await connection.scalar(query))


class TestPanel:
    async def test_a_tariff_is_shown_as_it_was_made(self, world: World) -> None:
        made = await create(world)
        value = (await world.call("panel/tariff/read", tariff_id=made))["value"]
        assert value == {
            "id": made,
            **PREMIUM,
            "doc_type": 0,
            "features": [],
            "map_filter": {"exclusion": True, "values": []},
        }
        assert await world.code("panel/tariff/read", tariff_id=999) == 201
        assert await world.code("panel/tariff/read", "other_panel", tariff_id=made) == 201

    async def test_what_is_left_out_takes_its_default(self, world: World) -> None:
        reply = await world.call("panel/tariff/create", tariff={"name": "Plain", "price": "5"})
        value = (await world.call("panel/tariff/read", tariff_id=reply["id"]))["value"]
        assert value["price"] == 5.0
        assert value["type"] == "monthly"
        assert value["device_type"] == "tracker"
        assert value["early_change_price"] is None
        assert value["service_prices"] == dict.fromkeys(PRICES, 0.0)
        for field in ("name", "price"):
            fields = {name: value for name, value in PREMIUM.items() if name != field}
            reply = await world.call("panel/tariff/create", tariff=fields)
            assert reply["errors"] == [{"parameter": f"tariff.{field}", "error": "is required"}]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": ""},
            {"name": "x" * 256},
            {"name": "a\nb"},
            {"price": -1},
            {"price": "much"},
            {"price": 1e12},
            {"type": "yearly"},
            {"device_type": "phone"},
            {"device_limit": -1},
            {"device_limit": 2**31},
            {"store_period": "1"},
            {"store_period": "0d"},
            {"store_period": "one year"},
            {"store_period": "999999y"},
            {"group_id": 2**40},
            {"early_change_price": -1},
            {"service_prices": {"incoming_sms": -1}},
            {"doc_type": 4},
            {"features": ["Not a feature"]},
            {"map_filter": {"values": "osm"}},
        ],
    )
    async def test_wrong_fields(self, world: World, wrong: dict[str, Any]) -> None:
        body = await world.call("panel/tariff/create", tariff={**PREMIUM, **wrong})
        assert body["status"]["code"] == 7
        assert body["errors"][0]["parameter"].startswith(f"tariff.{next(iter(wrong))}")

    async def test_names_are_the_dealers_own(self, world: World) -> None:
        one, two = await create(world), await create(world, name="Other")
        assert await world.code("panel/tariff/create", tariff=PREMIUM) == 244
        assert await world.code("panel/tariff/create", "other_panel", tariff=PREMIUM) == 0
        assert await world.code("panel/tariff/update", tariff={**PREMIUM, "id": two}) == 244
        assert await world.code("panel/tariff/update", tariff={**PREMIUM, "id": one}) == 0
        codes = await asyncio.gather(
            *(world.code("panel/tariff/create", tariff={**PREMIUM, "name": "New"}) for _ in "12")
        )
        assert sorted(codes) == [0, 244]

    async def test_active_days_are_for_trackers(self, world: World) -> None:
        camera = {**PREMIUM, "device_type": "camera"}
        wrong = {**camera, "type": "activeday"}
        assert await world.code("panel/tariff/create", tariff=wrong) == 214
        made = await create(world, **camera)
        change = {"id": made, "type": "activeday"}
        assert await world.code("panel/tariff/update", tariff=change) == 214

    async def test_a_change_touches_what_it_names(self, world: World) -> None:
        made = await create(world)
        change = {"id": made, "price": 7, "device_type": "camera", "early_change_price": None}
        assert await world.code("panel/tariff/update", tariff=change) == 0
        value = (await world.call("panel/tariff/read", tariff_id=made))["value"]
        # The type of device is given when a tariff is made.
        assert value["device_type"] == "tracker"
        assert value["price"] == 7.0
        assert value["early_change_price"] is None
        assert value["service_prices"] == PRICES
        assert await world.code("panel/tariff/update", tariff={"name": "No id"}) == 7
        assert await world.code("panel/tariff/update", tariff={"id": 999}) == 201
        assert await world.code("panel/tariff/update", "other_panel", tariff={"id": made}) == 201

    async def test_the_storage_period_becomes_that_of_the_points(self, world: World) -> None:
        tracker = await world.register("One")
        change = {"id": world.tariff_id, "store_period": "3d"}
        assert await world.code("panel/tariff/update", tariff=change) == 0
        assert (await source_of(world, tracker)).retention_days == 3
        later = await world.register("Two")
        assert (await source_of(world, later)).retention_days == 3

    async def test_the_list_is_searched_sorted_and_cut(self, world: World) -> None:
        made = [
            await create(world, name="Beta", price=20, group_id=1),
            await create(world, name="Alpha", price=12.55, device_type="camera"),
        ]
        first = world.tariff_id

        async def ids(**params: Any) -> list[int]:
            return [one["id"] for one in (await world.call("panel/tariff/list", **params))["list"]]

        reply = await world.call("panel/tariff/list", limit=1)
        assert reply["count"] == 3
        assert reply["wholesale_service_prices"] == dict.fromkeys(PRICES, 0.0)
        assert [one["id"] for one in reply["list"]] == [first]
        assert await ids() == [first, *made]
        assert await ids(order_by="name") == [made[1], made[0], first]
        assert await ids(order_by="price", ascending=False) == [made[0], made[1], first]
        assert await ids(device_type="camera") == [made[1]]
        assert await ids(filter="ALPH") == [made[1]]
        assert await ids(filter="12.5") == [made[1]]
        assert await ids(filter="camera") == [made[1]]
        assert await ids(offset=1, limit=1) == [made[0]]
        for order in ("id", "name", "device_type", "group_id", "price"):
            assert len(await ids(order_by=order)) == 3
        for wrong in ({"order_by": "active"}, {"limit": -1}, {"device_type": "car"}):
            assert await world.code("panel/tariff/list", **wrong) == 7
        assert (await world.call("panel/tariff/list", "other_panel"))["count"] == 0

    async def test_permissions(self, world: World) -> None:
        await world.add_panel("reader", world.dealer_id, {"tariffs": ["read"]})
        assert await world.code("panel/tariff/list", "reader") == 0
        assert await world.code("panel/tariff/create", "reader", tariff=PREMIUM) == 13
        assert await world.code("panel/tariff/update", "reader", tariff={"id": 1}) == 13
        assert await world.code("panel/tariff/defaults/update", "reader") == 13
        await world.add_panel("nobody", world.dealer_id, {})
        for path in ("tariff/list", "tariff/read", "tariff/defaults/read"):
            assert await world.code(f"panel/{path}", "nobody") == 13


class TestDefaults:
    async def test_they_are_nothing_until_they_are_set(self, world: World) -> None:
        nothing = {
            "tariff_id": None,
            "activation_bonus": 0.0,
            "free_days": 0,
            "free_days_device_limit": None,
        }
        reply = await world.call("panel/tariff/defaults/read")
        assert reply == {"success": True, "tracker": nothing, "camera": nothing}

    async def test_new_devices_start_on_them(self, world: World) -> None:
        made = await create(world)
        given = {
            "tariff_id": made,
            "activation_bonus": 1.1,
            "free_days": 14,
            "free_days_device_limit": 1,
        }
        assert await world.code("panel/tariff/defaults/update", tracker=given) == 0
        reply = await world.call("panel/tariff/defaults/read")
        assert reply["tracker"] == given
        assert reply["camera"]["tariff_id"] is None
        # A user with a default tariff of its own keeps it.
        mine = await world.register("Mine")
        assert mine["source"]["tariff_id"] == world.tariff_id
        one = await world.register("One", "stranger")
        assert one["source"]["tariff_id"] == made
        assert one["source"]["tariff_end_date"] == "2024-03-23"
        # Free days are for one device of an account; the day of the registration is free anyway.
        two = await world.register("Two", "stranger")
        assert two["source"]["tariff_end_date"] == "2024-03-10"
        info = (await world.call("user/get_info", "stranger"))["user_info"]
        assert (info["balance"], info["bonus"]) == (0.0, 2.2)

    async def test_a_device_brings_its_bonus_once(self, world: World) -> None:
        given = {"activation_bonus": 5, "free_days": 7, "free_days_device_limit": 1}
        await world.call("panel/tariff/defaults/update", tracker=given)
        tracker = await world.register("Again", "stranger")
        device_id = tracker["source"]["device_id"]
        assert await world.code("tracker/corrupt", "stranger", tracker_id=tracker["id"]) == 0
        again = await world.register("Again", "stranger", device_id=device_id)
        assert again["source"]["id"] != tracker["source"]["id"]
        info = (await world.call("user/get_info", "stranger"))["user_info"]
        assert info["bonus"] == 5.0
        assert (await source_of(world, again)).free_days == 0

    async def test_wrong_ones(self, world: World) -> None:
        camera = await create(world, name="Camera", device_type="camera")
        path = "panel/tariff/defaults/update"
        assert await world.code(path, tracker={"tariff_id": 999}) == 239
        assert await world.code(path, tracker={"tariff_id": camera}) == 237
        assert await world.code(path, camera={"tariff_id": camera, "free_days": 3}) == 0
        assert await world.code(path, "other_panel", camera={"tariff_id": camera}) == 239
        assert await world.code(path, tracker={"free_days": -1}) == 7
        assert await world.code(path, tracker={"activation_bonus": -1}) == 7
        assert await world.code(path, tracker=[1]) == 7
        # Nothing of a refused call is kept.
        both = {"camera": {"free_days": 9}, "tracker": {"tariff_id": 999}}
        assert await world.code(path, **both) == 239
        assert (await world.call("panel/tariff/defaults/read"))["camera"]["free_days"] == 3


class TestLimits:
    async def test_an_account_has_as_many_trackers_as_its_tariff_allows(self, world: World) -> None:
        change = {"id": world.tariff_id, "device_limit": 1}
        assert await world.code("panel/tariff/update", tariff=change) == 0
        await world.register("One")
        code = await world.code(
            "tracker/register",
            label="Two",
            group_id=0,
            plugin_id=44,
            model="telfmb120",
            device_id="350000000000999",
        )
        assert code == 221

    async def test_maps_are_what_the_tariffs_of_the_trackers_allow(self, world: World) -> None:
        async with world.services.database.begin() as connection:
            await connection.execute(
                update(dealers)
                .where(dealers.c.id == world.dealer_id)
                .values(settings={"ui": {"maps": ["osm", "roadmap", "hybrid"]}})
            )
        path = "user/get_tariff_restrictions"
        assert (await world.call(path))["value"]["allowed_maps"] == ["osm", "roadmap", "hybrid"]
        await world.register("One")
        limited = {"exclusion": True, "values": ["roadmap"]}
        change = {"id": world.tariff_id, "map_filter": limited}
        await world.call("panel/tariff/update", tariff=change)
        assert (await world.call(path))["value"]["allowed_maps"] == ["osm", "hybrid"]
        assert (await world.call(path, "sub"))["value"]["allowed_maps"] == ["osm", "hybrid"]
        info = await world.call("user/get_info")
        assert info["tariff_restrictions"]["allowed_maps"] == ["osm", "hybrid"]
        change["map_filter"] = {"exclusion": False, "values": ["roadmap"]}
        await world.call("panel/tariff/update", tariff=change)
        assert (await world.call(path))["value"]["allowed_maps"] == ["roadmap"]


class TestChangeByTheDealer:
    PATH = "panel/tracker/tariff/change"

    @pytest.mark.parametrize("ended", [False, True])
    @pytest.mark.parametrize("kind", ["monthly", "everyday", "activeday"])
    @pytest.mark.parametrize("charge", [False, True])
    async def test_the_documented_table(
        self, world: World, ended: bool, kind: str, charge: bool
    ) -> None:
        tracker = await world.register("One")
        await set_source(world, tracker, tariff_ended=ended, blocked=ended, blocked_by_tariff=ended)
        made = await create(world, type=kind, store_period="2y")
        change = {"tracker_id": tracker["id"], "tariff_id": made, "repay": False}
        assert await world.code(self.PATH, charge=charge, **change) == 0
        row = await source_of(world, tracker)
        assert row.tariff_id == made
        assert row.tariff_change_date == TODAY
        assert row.retention_days == 732
        first, tomorrow, yesterday = date(2024, 4, 1), date(2024, 3, 10), date(2024, 3, 8)
        if not ended:
            expected = first if kind == "monthly" and not charge else tomorrow
            assert (row.tariff_ended, row.last_charged_date) == (False, TODAY)
            assert row.tariff_end_date == expected
        else:
            expected_end, still = {
                ("monthly", True): (TODAY, True),
                ("monthly", False): (first, False),
                ("everyday", True): (TODAY, True),
                ("everyday", False): (tomorrow, False),
                ("activeday", True): (None, False),
                ("activeday", False): (None, False),
            }[kind, charge]
            assert (row.tariff_ended, row.last_charged_date) == (still, yesterday)
            assert row.tariff_end_date == expected_end
        # Who is not to pay first can go on.
        assert row.blocked is row.tariff_ended
        shown = (await world.call("tracker/read", tracker_id=tracker["id"]))["value"]["source"]
        assert shown["tariff_id"] == made
        assert shown["blocked"] is row.blocked

    async def test_repaying(self, world: World) -> None:
        old = await create(world, name="Old", price=31)
        new = await create(world, name="New")
        tracker = await world.register("One")
        # 23 of March's 31 days are left: 31 * 23 / 31.
        await set_source(world, tracker, tariff_id=old, tariff_end_date=date(2024, 4, 1))
        change = {"tracker_id": tracker["id"], "charge": False}
        assert await world.code(self.PATH, tariff_id=new, repay=True, **change) == 0
        assert await balance(world) == 23.0
        (row,) = (
            await world.call(
                "panel/user/transaction/list",
                user_id=world.ids["user"],
                **{"from": "2024-03-09 00:00:00", "to": "2024-03-10 00:00:00"},
            )
        )["list"]
        assert row == {
            "description": "Days left of the former tariff",
            "type": "tariff_change",
            "subtype": "repay",
            "timestamp": "2024-03-09 12:00:00",
            "user_id": world.ids["user"],
            "dealer_id": world.dealer_id,
            "tracker_id": tracker["id"],
            "amount": 23.0,
            "new_balance": 23.0,
            "old_balance": 0.0,
            "bonus_amount": 0.0,
            "new_bonus": 0.0,
            "old_bonus": 0.0,
        }
        # 12.55 * 23 / 31 = 9.31, rounded up; not without being asked to.
        assert await world.code(self.PATH, tariff_id=old, repay=False, **change) == 0
        assert await balance(world) == 23.0
        assert await world.code(self.PATH, tariff_id=new, repay=False, **change) == 0
        assert await world.code(self.PATH, tariff_id=old, repay=True, **change) == 0
        assert await balance(world) == 33.0

    async def test_what_cannot_be_changed(self, world: World) -> None:
        made = await create(world)
        tracker = await world.register("One")
        change = {"repay": False, "charge": False}
        this = {"tracker_id": tracker["id"], **change}

        async def code(**params: Any) -> int:
            return await world.code(self.PATH, **params)

        assert await code(tracker_id=999, tariff_id=made, **change) == 201
        foreign = {**this, "tariff_id": made}
        assert await world.code(self.PATH, "other_panel", **foreign) == 201
        assert await code(tariff_id=999, **this) == 239
        reply = await world.call("panel/tariff/create", "other_panel", tariff=PREMIUM)
        assert await code(tariff_id=reply["id"], **this) == 239
        assert await code(tariff_id=world.tariff_id, **this) == 238
        camera = await create(world, name="Camera", device_type="camera")
        assert await code(tariff_id=camera, **this) == 238
        for missing in ("tracker_id", "tariff_id", "repay", "charge"):
            given = {**this, "tariff_id": made}
            del given[missing]
            assert await code(**given) == 7
        clone = await world.call(
            "panel/tracker/clone",
            tracker_id=tracker["id"],
            label="Clone",
            user_id=world.ids["stranger"],
        )
        assert await code(tracker_id=clone["id"], tariff_id=made, **change) == 219
        small = await create(world, name="Small", device_limit=0)
        assert await code(tariff_id=small, **this) == 221
        async with world.services.database.begin() as connection:
            await connection.execute(
                update(trackers).where(trackers.c.id == tracker["id"]).values(deleted=True)
            )
        assert await code(tariff_id=made, **this) == 250
        async with world.services.database.begin() as connection:
            await connection.execute(
                update(trackers).where(trackers.c.id == tracker["id"]).values(deleted=False)
            )
        await set_source(world, tracker, tariff_id=None)
        assert await code(tariff_id=made, **this) == 237
        await set_source(world, tracker, corrupted=True)
        assert await code(tariff_id=made, **this) == 252

    @pytest.mark.parametrize(
        ("doc_type", "allowed"),
        [
            (0, {"individual", "legal_entity", "sole_trader"}),
            (1, {"individual"}),
            (2, {"legal_entity", "sole_trader"}),
            (3, {"individual", "legal_entity", "sole_trader"}),
        ],
    )
    async def test_tariffs_are_for_legal_types(
        self, world: World, doc_type: int, allowed: set[str]
    ) -> None:
        made = await create(world, doc_type=doc_type)
        tracker = await world.register("One")
        for legal_type in ("individual", "legal_entity", "sole_trader"):
            await set_source(world, tracker, tariff_id=world.tariff_id)
            async with world.services.database.begin() as connection:
                await connection.execute(
                    update(users)
                    .where(users.c.id == world.ids["user"])
                    .values(legal_type=legal_type)
                )
            listed = (await world.call("tariff/list"))["list"]
            assert (made in [one["id"] for one in listed]) is (legal_type in allowed)
            code = await world.code(
                self.PATH, tracker_id=tracker["id"], tariff_id=made, repay=False, charge=False
            )
            assert code == (0 if legal_type in allowed else 238)

    @pytest.mark.parametrize("missing", ["trackers:update", "transactions:create", "tariffs:read"])
    async def test_it_needs_three_permissions(self, world: World, missing: str) -> None:
        permissions = {"trackers": ["update"], "transactions": ["create"], "tariffs": ["read"]}
        permissions[missing.partition(":")[0]] = []
        await world.add_panel("lesser", world.dealer_id, permissions)
        assert await world.code(self.PATH, "lesser") == 13

    async def test_two_at_once_repay_once(self, world: World) -> None:
        old = await create(world, name="Old", price=31)
        new = await create(world, name="New", price=0)
        tracker = await world.register("One")
        await set_source(world, tracker, tariff_id=old, tariff_end_date=date(2024, 4, 1))
        change = {"tracker_id": tracker["id"], "tariff_id": new, "repay": True, "charge": False}
        codes = await asyncio.gather(*(world.code(self.PATH, **change) for _ in range(4)))
        assert sorted(codes) == [0, 238, 238, 238]
        assert await balance(world) == 23.0


class TestChangeByTheUser:
    PATH = "tariff/tracker/change"

    @pytest.fixture
    async def tracker(self, world: World) -> dict[str, Any]:
        return await world.register("One")

    async def test_what_can_be_chosen(self, world: World, tracker: dict[str, Any]) -> None:
        made = await create(world, group_id=0)
        other_group = await create(world, name="Group", group_id=1)
        inactive = await create(world, name="Inactive", group_id=0, active=False)
        camera = await create(world, name="Camera", group_id=0, device_type="camera")
        legal = await create(world, name="Firms", group_id=0, doc_type=2)
        reply = await world.call("tariff/tracker/list", tracker_id=tracker["id"])
        assert reply["days_to_next_change"] == 0
        assert reply["list"] == [
            {
                "id": made,
                "name": "Premium",
                "group_id": 0,
                "active": True,
                "type": "monthly",
                "price": 12.55,
                "early_change_price": 23.0,
                "device_limit": 2000,
                "has_reports": True,
                "paas_free": False,
                "store_period": "1y",
                "device_type": "tracker",
                "features": [],
                "map_filter": {"exclusion": True, "values": []},
            }
        ]
        for tariff_id in (world.tariff_id, other_group, inactive, camera, legal):
            change = {"tracker_id": tracker["id"], "tariff_id": tariff_id}
            assert await world.code(self.PATH, **change) == 238
        listed = [one["id"] for one in (await world.call("tariff/list"))["list"]]
        assert listed == [world.tariff_id, made, other_group, inactive]
        listed = (await world.call("tariff/list", device_type="camera"))["list"]
        assert [one["id"] for one in listed] == [camera]
        assert await world.code("tariff/list", device_type="car") == 7

    async def test_changing_again_is_free_after_thirty_days(
        self, world: World, tracker: dict[str, Any]
    ) -> None:
        dear = await create(world, group_id=0, price=0, early_change_price=None)
        change = {"tracker_id": tracker["id"], "tariff_id": dear}
        assert await world.code(self.PATH, **change) == 0
        assert (await source_of(world, tracker)).tariff_id == dear
        assert (await source_of(world, tracker)).tariff_change_date == TODAY
        reply = await world.call("tariff/tracker/list", tracker_id=tracker["id"])
        assert reply["days_to_next_change"] == 31
        assert [one["id"] for one in reply["list"]] == [world.tariff_id]
        back = {"tracker_id": tracker["id"], "tariff_id": world.tariff_id}
        assert await world.code(self.PATH, **back) == 240
        await set_source(world, tracker, tariff_change_date=date(2024, 2, 8))
        reply = await world.call("tariff/tracker/list", tracker_id=tracker["id"])
        assert reply["days_to_next_change"] == 1
        assert await world.code(self.PATH, **back) == 240
        await set_source(world, tracker, tariff_change_date=date(2024, 2, 7))
        reply = await world.call("tariff/tracker/list", tracker_id=tracker["id"])
        assert reply["days_to_next_change"] == 0
        assert await world.code(self.PATH, **back) == 0

    async def test_changing_early_has_its_price(
        self, world: World, tracker: dict[str, Any]
    ) -> None:
        dear = await create(world, group_id=0, price=0, early_change_price=23)
        await set_source(world, tracker, tariff_id=dear, tariff_change_date=TODAY)
        back = {"tracker_id": tracker["id"], "tariff_id": world.tariff_id}
        assert await world.code(self.PATH, **back) == 251
        await self._pay(world, 20, "bonus")
        assert await world.code(self.PATH, **back) == 251
        await self._pay(world, 10, "balance")
        assert await world.code(self.PATH, **back) == 0
        info = (await world.call("user/get_info"))["user_info"]
        assert (info["balance"], info["bonus"]) == (7.0, 0.0)

    async def test_what_is_left_comes_back_and_an_ended_tariff_is_paid_at_once(
        self, world: World, tracker: dict[str, Any]
    ) -> None:
        old = await create(world, name="Old", group_id=0, price=31)
        new = await create(world, name="New", group_id=0, price=62)
        await set_source(world, tracker, tariff_id=old, tariff_end_date=date(2024, 4, 1))
        change = {"tracker_id": tracker["id"], "tariff_id": new}
        assert await world.code(self.PATH, **change) == 0
        assert await balance(world) == 23.0
        row = await source_of(world, tracker)
        # The new tariff is paid from tomorrow on.
        assert (row.tariff_end_date, row.blocked) == (date(2024, 3, 10), False)
        await set_source(
            world,
            tracker,
            tariff_id=old,
            tariff_ended=True,
            blocked=True,
            blocked_by_tariff=True,
            tariff_change_date=None,
            tariff_end_date=date(2024, 3, 1),
        )
        await self._pay(world, 40, "balance", charge=False)
        assert await world.code(self.PATH, **change) == 0
        row = await source_of(world, tracker)
        # 23 of 31 days of 62.
        assert await balance(world) == 63.0 - 46.0
        assert (row.tariff_end_date, row.blocked) == (date(2024, 4, 1), False)

    async def test_refusals(self, world: World, tracker: dict[str, Any]) -> None:
        made = await create(world, group_id=0)
        this = {"tracker_id": tracker["id"]}
        assert await world.code(self.PATH, "sub", tariff_id=made, **this) == 13
        assert await world.code(self.PATH, tariff_id=made) == 7
        assert await world.code(self.PATH, **this) == 7
        for who in ("stranger", "foreigner"):
            assert await world.code(self.PATH, who, tariff_id=made, **this) == 201
            assert await world.code("tariff/tracker/list", who, **this) == 201
        assert await world.code(self.PATH, tariff_id=999, **this) == 239
        reply = await world.call("panel/tariff/create", "other_panel", tariff=PREMIUM)
        assert await world.code(self.PATH, tariff_id=reply["id"], **this) == 239
        small = await create(world, name="Small", group_id=0, device_limit=0)
        assert await world.code(self.PATH, tariff_id=small, **this) == 221
        clone = await world.call(
            "panel/tracker/clone", label="Clone", user_id=world.ids["stranger"], **this
        )
        for path in (self.PATH, "tariff/tracker/list"):
            params = {"tracker_id": clone["id"], "tariff_id": made}
            assert await world.code(path, "stranger", **params) == 219
        await set_source(world, tracker, tariff_id=None)
        assert await world.code(self.PATH, tariff_id=made, **this) == 237
        assert await world.code("tariff/tracker/list", **this) == 237

    @staticmethod
    async def _pay(world: World, amount: float, kind: str, *, charge: bool = True) -> None:
        if not charge:
            async with world.services.database.begin() as connection:
                await connection.execute(
                    update(users)
                    .where(users.c.id == world.ids["user"])
                    .values(balance=users.c.balance + amount)
                )
            return
        reply = await world.call(
            "panel/user/transaction/change_balance",
            user_id=world.ids["user"],
            amount=amount,
            type=kind,
            text="by hand",
        )
        assert reply["success"], reply


async def test_a_dealer_without_tariffs(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            insert(tariffs).values(
                dealer_id=world.dealer_id, name="Elsewhere", device_type="socket"
            )
        )
    tracker = await world.register("One", "foreigner")
    assert tracker["source"]["tariff_id"] is None
    assert tracker["source"]["tariff_end_date"] is None
    assert (await world.call("tariff/list", "foreigner"))["list"] == []
