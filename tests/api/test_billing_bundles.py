"""Bundles, SIM cards, equipment and orders through the panel."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import NOON, World
from sqlalchemy import insert, select, update

from waypost.billing.orders import NewOrder, create_order
from waypost.store.tables import sim_cards, sources

IMEIS = ["355085050027285", "355085050027293", "355085050027301"]


@pytest.fixture
async def equip(world: World) -> dict[str, Any]:
    """Equipment whose model is told by its IMEI."""
    listed = (await world.call("panel/equipment/list"))["list"]
    return next(one for one in listed if one["model_code"] == "telfmb920")


@pytest.fixture
async def bundles(world: World, equip: dict[str, Any]) -> list[int]:
    """Ids of three bundles."""
    reply = await world.call(
        "panel/tracker/bundle/import",
        imeis=IMEIS,
        equip_id=equip["equip_id"],
        factory_preset=True,
    )
    assert reply == {"success": True}
    return [one["id"] for one in (await world.call("panel/tracker/bundle/list"))["list"]]


async def add_sim(world: World, iccid: str, phone: str, **columns: Any) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            insert(sim_cards).values(
                **{"dealer_id": world.dealer_id, "iccid": iccid, "phone": phone, **columns}
            )
        )


async def read(world: World, imei: str) -> dict[str, Any]:
    value: dict[str, Any] = (await world.call("panel/tracker/bundle/read", imei=imei))["value"]
    return value


async def test_equipment_is_every_device_that_can_be_registered(world: World) -> None:
    listed = (await world.call("panel/equipment/list"))["list"]
    models = (await world.call("tracker/list_models"))["list"]
    # Under the model's own number and code; apps on phones are no equipment.
    assert {one["equip_id"]: one["model_code"] for one in listed} == {
        one["id"]: one["code"]
        for one in models
        if one["register"] and not one["code"].startswith(("mobile", "navixymobile", "ios"))
    }
    found = next(one for one in listed if one["model_code"] == "telfmb920")
    assert found == {
        "equip_id": found["equip_id"],
        "model_name": "FMB920",
        "model_code": "telfmb920",
        "vendor": "Teltonika",
        "name": "Teltonika FMB920",
    }


async def test_imported_bundles_are_read_by_their_imei(
    world: World, equip: dict[str, Any], bundles: list[int]
) -> None:
    value = await read(world, IMEIS[0])
    assert value == {
        "id": bundles[0],
        "equip_id": equip["equip_id"],
        "equip_vendor": "Teltonika",
        "equip_name": "Teltonika FMB920",
        "equip_model": "FMB920",
        "model_code": "telfmb920",
        "imei": IMEIS[0],
        "factory_preset": True,
        "iccid": None,
        "assign_time": None,
        "order_id": None,
        # Never null: clients read its fields without looking.
        "sim_card": {
            "iccid": "",
            "phone": "",
            "apn": "",
            "blocked": False,
            "deleted": False,
            "registered": False,
        },
    }
    # The page says that it is a number.
    number = await world.call("panel/tracker/bundle/read", imei=int(IMEIS[0]))
    assert number["value"] == value
    assert await world.code("panel/tracker/bundle/read", imei="355085050027319") == 201
    assert await world.code("panel/tracker/bundle/read", "other_panel", imei=IMEIS[0]) == 201


async def test_an_import_is_all_or_nothing(
    world: World, equip: dict[str, Any], bundles: list[int]
) -> None:
    path = "panel/tracker/bundle/import"
    new = "355085050027400"
    rest = {"equip_id": equip["equip_id"], "factory_preset": False}
    body = await world.call(path, imeis=[new, IMEIS[1]], **rest)
    assert body["status"]["code"] == 247
    assert body["list"] == [IMEIS[1]]
    assert await world.code(path, imeis=[new, "12"], **rest) == 7
    assert await world.code(path, imeis=[], **rest) == 7
    assert await world.code(path, imeis=[new], equip_id=1, factory_preset=False) == 204
    # Another dealer cannot have the same device either.
    assert await world.code(path, "other_panel", imeis=[IMEIS[0]], **rest) == 247
    assert (await world.call("panel/tracker/bundle/list"))["count"] == 3
    # What is named twice is there once; numbers and JSON in a string do.
    assert await world.code(path, imeis=f"[{new},{new}]", **rest) == 0
    assert (await world.call("panel/tracker/bundle/list"))["count"] == 4
    assert (await world.call("panel/tracker/bundle/list", "other_panel"))["list"] == []


async def test_a_sim_card_is_put_in_and_taken_off(world: World, bundles: list[int]) -> None:
    await add_sim(world, "89701010064407635201", "491701234567", apn="internet")
    path = "panel/tracker/bundle/assign"
    assert await world.code(path, bundle_id=bundles[0], iccid="89701010064407635201") == 0
    value = await read(world, IMEIS[0])
    assert value["iccid"] == "89701010064407635201"
    assert value["assign_time"] == "2024-03-09 12:00:00"
    assert value["sim_card"] == {
        "iccid": "89701010064407635201",
        "phone": "491701234567",
        "apn": "internet",
        "blocked": False,
        "deleted": False,
        "registered": False,
    }
    # Once more is no change; another bundle cannot have it too.
    assert await world.code(path, bundle_id=bundles[0], iccid="89701010064407635201") == 0
    assert await world.code(path, bundle_id=bundles[1], iccid="89701010064407635201") == 247
    assert await world.code(path, bundle_id=bundles[0]) == 0
    assert (await read(world, IMEIS[0]))["iccid"] is None
    assert (await read(world, IMEIS[0]))["assign_time"] is None
    assert await world.code(path, bundle_id=bundles[1], iccid="89701010064407635201") == 0


async def test_what_keeps_a_sim_card_out_of_a_bundle(world: World, bundles: list[int]) -> None:
    path = "panel/tracker/bundle/assign"
    other = world.ids["other_panel"]
    await add_sim(world, "897010100644076352", "491700000001", blocked=True)
    await add_sim(world, "897010100644076353", "491700000002", deleted=True)
    await add_sim(world, "897010100644076354", "491700000003")
    await add_sim(world, "897010100644076355", "491700000004", dealer_id=other)
    await world.register("Own number", phone="491700000003")
    codes = {
        iccid: await world.code(path, bundle_id=bundles[0], iccid=iccid)
        for iccid in (
            "897010100644076352",
            "897010100644076353",
            "897010100644076354",
            "897010100644076355",
            "897010100644076399",
        )
    }
    assert list(codes.values()) == [208, 250, 223, 226, 226]
    assert await world.code(path, bundle_id=999, iccid="897010100644076354") == 201
    assert await world.code(path, "other_panel", bundle_id=bundles[0], iccid="897") == 201
    assert await world.code(path, bundle_id=bundles[0], iccid="89") == 7
    assert await world.code(path, bundle_id=bundles[0], iccid="8" * 21) == 7
    assert await world.code(path, bundle_id=bundles[0], iccid="897\n") == 7
    assert await world.code(path, iccid="897010100644076354") == 7
    assert (await read(world, IMEIS[0]))["iccid"] is None


async def test_a_registered_device_gets_and_loses_the_sim_cards_number(
    world: World, bundles: list[int]
) -> None:
    tracker = await world.register("Bundled", model="telfmb920", device_id=IMEIS[0])
    await add_sim(world, "897010100644076354", "491700000003")
    await world.call(
        "panel/tracker/bundle/assign", bundle_id=bundles[0], iccid="897010100644076354"
    )
    query = select(sources.c.phone).where(sources.c.id == tracker["source"]["id"])
    async with world.services.database.read() as connection:
        assert await connection.scalar(query) == "491700000003"
    assert (await read(world, IMEIS[0]))["sim_card"]["registered"] is True
    await world.call("panel/tracker/bundle/assign", bundle_id=bundles[0])
    async with world.services.database.read() as connection:
        assert await connection.scalar(query) is None


async def test_other_equipment(world: World, bundles: list[int]) -> None:
    listed = (await world.call("panel/equipment/list"))["list"]
    other = next(one for one in listed if one["model_code"] == "telfmb120")
    path = "panel/tracker/bundle/update"
    assert await world.code(path, bundle_id=bundles[0], equip_id=other["equip_id"]) == 0
    value = await read(world, IMEIS[0])
    assert (value["equip_id"], value["model_code"]) == (other["equip_id"], "telfmb120")
    assert await world.code(path, bundle_id=bundles[0], equip_id=1) == 204
    assert await world.code(path, bundle_id=999, equip_id=other["equip_id"]) == 201
    foreign = {"bundle_id": bundles[0], "equip_id": other["equip_id"]}
    assert await world.code(path, "other_panel", **foreign) == 201


async def test_an_order_shows_its_bundles(world: World, bundles: list[int]) -> None:
    new = NewOrder(
        user_id=world.ids["user"],
        amount=2,
        sum=343,
        payer="Leonard Bernstein",
        place="Leipzig",
    )
    async with world.services.database.begin() as connection:
        order_id = await create_order(connection, new, NOON)
    path = "panel/tracker/bundle/order/assign"
    for bundle_id in bundles[:2]:
        assert await world.code(path, bundle_id=bundle_id, order_id=order_id) == 0
    value = (await world.call("panel/order/read", order_id=order_id))["value"]
    assert [one["id"] for one in value.pop("bundles")] == bundles[:2]
    assert value == {
        "id": order_id,
        "user_id": world.ids["user"],
        "seller_id": world.dealer_id,
        "amount": 2,
        "sum": 343.0,
        "type": "equip",
        "payer": "Leonard Bernstein",
        "recipient": "",
        "contacts": "",
        "place": "Leipzig",
        "comment": "",
        "creation_time": "2024-03-09 12:00:00",
        "status": "created",
    }
    # Without an order id it comes out again.
    assert await world.code(path, bundle_id=bundles[0]) == 0
    value = (await world.call("panel/order/read", order_id=order_id))["value"]
    assert [one["id"] for one in value["bundles"]] == bundles[1:2]
    assert await world.code(path, bundle_id=bundles[0], order_id=999) == 201
    assert await world.code(path, bundle_id=999, order_id=order_id) == 201
    assert await world.code(path, "other_panel", bundle_id=bundles[0], order_id=None) == 201
    assert await world.code("panel/order/read", order_id=999) == 201
    assert await world.code("panel/order/read", "other_panel", order_id=order_id) == 201


async def test_the_list_is_searched_sorted_and_cut(world: World, bundles: list[int]) -> None:
    await add_sim(world, "8970101006440763999", "491700000003")
    await world.call(
        "panel/tracker/bundle/assign", bundle_id=bundles[1], iccid="8970101006440763999"
    )
    tracker = await world.register("Zebra", model="telfmb920", device_id=IMEIS[2])

    async def ids(**params: Any) -> list[int]:
        reply = await world.call("panel/tracker/bundle/list", **params)
        assert reply["count"] >= len(reply["list"])
        return [one["id"] for one in reply["list"]]

    one, two, three = bundles
    assert await ids() == bundles
    assert await ids(ascending=False) == bundles[::-1]
    assert await ids(filter=IMEIS[1][-6:]) == [two]
    assert await ids(filter="TELFMB92") == bundles
    assert await ids(filter="63999") == [two]
    assert await ids(filter="2024-03-09 12:0") == [two]
    assert await ids(filter="100%") == []
    assert await ids(offset=1, limit=1) == [two]
    assert await ids(offset=5) == []
    assert (await world.call("panel/tracker/bundle/list", limit=0))["count"] == 3
    # What is not there comes last, either way.
    assert await ids(order_by="iccid") == [two, one, three]
    assert await ids(order_by="iccid", ascending=False) == [two, three, one]
    assert await ids(order_by="label") == [three, one, two]
    assert await ids(order_by="status", ascending=False) == [three, two, one]
    for order in [
        "id",
        "label",
        "status",
        "model",
        "device_id",
        "phone",
        "creation_date",
        "user_id",
        "comment",
        "model_code",
        "imei",
        "iccid",
        "assign_time",
        "order_id",
        "equip_id",
    ]:
        assert set(await ids(order_by=order)) == set(bundles)
    for wrong in ({"order_by": "price"}, {"offset": -1}, {"limit": -1}, {"clones_filter": "no"}):
        assert await world.code("panel/tracker/bundle/list", **wrong) == 7
    # By the registered device's owner and tariff.
    assert await ids(user_id=world.ids["user"]) == [three]
    assert await ids(user_id=world.ids["stranger"]) == []
    assert await ids(tariff_id=world.tariff_id) == [three]
    for unknown in (
        {"user_id": 999},
        {"user_id": world.ids["foreigner"]},
        {"tariff_id": 999},
    ):
        assert await world.code("panel/tracker/bundle/list", **unknown) == 201
    # A device that has been cloned.
    assert await ids(clones_filter="only_include_clones") == []
    assert await ids(clones_filter="exclude_clones") == bundles
    await world.call(
        "panel/tracker/clone",
        tracker_id=tracker["id"],
        label="Clone",
        user_id=world.ids["stranger"],
    )
    assert await ids(clones_filter="only_include_clones") == [three]
    assert await ids(clones_filter="exclude_clones") == [one, two]
    assert await ids(clones_filter="not_set") == bundles


async def test_two_at_once_cannot_put_one_sim_card_into_two_bundles(
    world: World, bundles: list[int]
) -> None:
    import asyncio

    await add_sim(world, "897010100644076354", "491700000003")
    codes = await asyncio.gather(
        *(
            world.code("panel/tracker/bundle/assign", bundle_id=one, iccid="897010100644076354")
            for one in bundles
        )
    )
    assert sorted(codes) == [0, 247, 247]


async def test_bundles_need_permissions(world: World, bundles: list[int]) -> None:
    await world.add_panel("reader", world.dealer_id, {"tracker_bundles": ["read"]})
    assert await world.code("panel/tracker/bundle/list", "reader") == 0
    assert await world.code("panel/equipment/list", "reader") == 0
    writing = {"bundle_id": bundles[0], "equip_id": 1, "imeis": IMEIS, "factory_preset": False}
    for path in ("import", "update", "assign", "order/assign"):
        assert await world.code(f"panel/tracker/bundle/{path}", "reader", **writing) == 13
    await world.add_panel("nobody", world.dealer_id, {})
    for path in ("tracker/bundle/list", "tracker/bundle/read", "equipment/list", "order/read"):
        assert await world.code(f"panel/{path}", "nobody") == 13


async def test_a_corrupted_device_leaves_its_bundle_behind(
    world: World, bundles: list[int]
) -> None:
    tracker = await world.register("Gone", model="telfmb920", device_id=IMEIS[0])
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(sources)
            .where(sources.c.id == tracker["source"]["id"])
            .values(corrupted=True, device_id=f"{IMEIS[0]}~1", former_device_id=IMEIS[0])
        )
    value = await read(world, IMEIS[0])
    assert value["sim_card"]["registered"] is False
