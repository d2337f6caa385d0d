"""The panel's trackers: listed, searched, sorted, blocked, and commands to them."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from api_world import NOON, World
from sqlalchemy import insert, select, update

from waypost.fleet.panel_list import Order
from waypost.store.tables import commands, sources, tariffs, trackers, users
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio


async def fleet(world: World) -> dict[str, dict[str, Any]]:
    """Three devices of two users, and a clone of the first."""
    made = {
        "bus": await world.register("Bus 7", phone="79123122312"),
        "van": await world.register("van", model="navixy_ngp", device_id="van-device"),
        "car": await world.register("Car", "stranger", model="qlgv55lite"),
    }
    reply = await world.call(
        "panel/tracker/clone",
        tracker_id=made["bus"]["id"],
        label="Bus of another",
        user_id=world.ids["stranger"],
    )
    made["clone"] = {"id": reply["id"]}
    return made


async def test_a_tracker_has_every_documented_field(world: World) -> None:
    made = await world.register("Truck")
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(users)
            .where(users.c.id == world.ids["user"])
            .values(first_name="Ann", last_name="Lee")
        )
        await connection.execute(
            update(sources).values(connected_at=NOON, last_connection_at=NOON + 2_640_000)
        )
        await connection.execute(update(trackers).values(comment="new SIM in May"))
    reply = await world.call("panel/tracker/read", tracker_id=made["id"])
    assert reply["value"] == {
        "id": made["id"],
        "clone": False,
        "comment": "new SIM in May",
        "creation_date": "2024-03-09",
        "group_id": 0,
        "dealer_id": world.dealer_id,
        "deleted": False,
        "label": "Truck",
        "user_id": world.ids["user"],
        "owner_name": "Ann Lee",
        "model_name": "Teltonika FMB120",
        "last_connection": "2024-03-09 12:44",
        "source": {
            "id": made["source"]["id"],
            "device_id": made["source"]["device_id"],
            "model": "telfmb120",
            "blocked": False,
            "tariff_id": world.tariff_id,
            "creation_date": "2024-03-09",
            "tariff_end_date": "2024-04-01",
            "connection_status": "just_registered",
            "phone": None,
        },
    }
    assert await world.call("panel/tracker/list") == {
        "success": True,
        "list": [reply["value"]],
        "count": 1,
    }


async def test_another_dealer_sees_nothing(world: World) -> None:
    made = await world.register("one")
    reply = await world.call("panel/tracker/list", "other_panel")
    assert (reply["list"], reply["count"]) == ([], 0)
    for action, more in (("read", {}), ("source/update", {"blocked": True})):
        missing = await world.call(f"panel/tracker/{action}", tracker_id=98765, **more)
        assert missing["status"]["code"] == 201
        foreign = await world.call(
            f"panel/tracker/{action}", "other_panel", tracker_id=made["id"], **more
        )
        assert foreign == missing
    assert await world.code("tracker/get_state", tracker_id=made["id"]) == 0
    user = {"user_id": world.ids["user"]}
    assert await world.code("panel/tracker/list", "other_panel", **user) == 201
    assert await world.code("panel/tracker/list", **user) == 0
    tariff = {"tariff_id": world.tariff_id}
    assert await world.code("panel/tracker/list", "other_panel", **tariff) == 201
    assert await world.code("panel/tracker/list", tariff_id=98765) == 201
    assert await world.code("panel/tracker/list", user_id=98765) == 201


async def test_the_list_is_filtered(world: World) -> None:
    made = await fleet(world)

    async def found(**params: Any) -> set[str]:
        reply = await world.call("panel/tracker/list", **params)
        ids = {tracker["id"] for tracker in reply["list"]}
        assert reply["count"] == len(ids)
        return {name for name, tracker in made.items() if tracker["id"] in ids}

    everything = set(made)
    assert await found() == everything
    assert await found(filter="") == everything
    assert await found(filter="bus") == {"bus", "clone"}
    assert await found(filter="VAN-dev") == {"van"}
    assert await found(filter="9123122") == {"bus", "clone"}
    assert await found(filter="qlgv") == {"car"}
    assert await found(filter="%") == set()
    assert await found(filter="_an") == set()
    assert await found(filter=str(made["van"]["id"])) >= {"van"}
    assert await found(user_id=world.ids["stranger"]) == {"car", "clone"}
    assert await found(tariff_id=world.tariff_id) == everything
    assert await found(clones_filter="exclude_clones") == everything - {"clone"}
    assert await found(clones_filter="only_include_clones") == {"clone"}
    assert await found(clones_filter="not_set") == everything
    assert await found(user_id=world.ids["stranger"], filter="bus") == {"clone"}


async def test_the_list_is_sorted_and_cut(world: World) -> None:
    made = await fleet(world)
    ids = sorted(tracker["id"] for tracker in made.values())

    async def order(**params: Any) -> list[int]:
        reply = await world.call("panel/tracker/list", **params)
        assert reply["count"] == 4
        return [tracker["id"] for tracker in reply["list"]]

    assert await order() == ids
    assert await order(ascending=False) == ids[::-1]
    assert await order(offset=1, limit=2) == ids[1:3]
    assert await order(offset=3) == ids[3:]
    assert await order(offset=9) == []
    assert await order(limit=0) == []
    by_label = [made[name]["id"] for name in ("bus", "clone", "car", "van")]
    assert await order(order_by="label") == by_label
    for name in get_args(Order):
        up = await order(order_by=name)
        assert sorted(up) == ids
        assert await order(order_by=name, offset=1, limit=2) == up[1:3]
        down = await order(order_by=name, ascending=False)
        assert sorted(down) == ids


async def test_sorted_by_status(world: World) -> None:
    made = await fleet(world)
    await world.report(
        made["van"], Message(time=NOON, digest_of=b"1", latitude=1.0, longitude=2.0, speed=9.0)
    )
    reply = await world.call("panel/tracker/list", order_by="status")
    statuses = [tracker["source"]["connection_status"] for tracker in reply["list"]]
    assert statuses == ["active"] + ["just_registered"] * 3
    reply = await world.call("panel/tracker/list", order_by="status", ascending=False, limit=1)
    assert reply["list"][0]["source"]["connection_status"] == "just_registered"
    assert reply["count"] == 4


@pytest.mark.parametrize(
    "params",
    [
        {"order_by": "password_hash"},
        {"ascending": "perhaps"},
        {"offset": -1},
        {"limit": -1},
        {"limit": "many"},
        {"user_id": "x"},
        {"clones_filter": "some"},
        {"filter": "a\ab"},
        {"offset": 2**70},
    ],
)
async def test_wrong_parameters_are_named(world: World, params: dict[str, Any]) -> None:
    reply = await world.call("panel/tracker/list", **params)
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"] == next(iter(params))


async def test_the_largest_offset_is_no_fault(world: World) -> None:
    await world.register("one")
    reply = await world.call("panel/tracker/list", offset=2**62, limit=2**62)
    assert (reply["list"], reply["count"]) == ([], 1)


async def test_corrupted_and_deleted_ones_stay_in_the_list(world: World) -> None:
    made = await fleet(world)
    await world.call("panel/tracker/delete_clone", tracker_id=made["clone"]["id"])
    await world.call("panel/tracker/corrupt", tracker_id=made["car"]["id"])
    reply = await world.call("panel/tracker/list", order_by="business_status")
    shown = {tracker["id"]: tracker for tracker in reply["list"]}
    assert shown[made["clone"]["id"]]["deleted"] is True
    assert "corrupted" not in shown[made["clone"]["id"]]["source"]
    car = shown[made["car"]["id"]]
    assert car["deleted"] is True
    assert car["source"]["corrupted"] is True
    assert car["source"]["device_id"] != made["car"]["source"]["device_id"]
    assert [tracker["id"] for tracker in reply["list"]][-1] == car["id"]
    for action, more in (
        ("read", {}),
        ("source/update", {"blocked": True}),
        ("corrupt", {}),
        ("clone", {"label": "c", "user_id": world.ids["user"]}),
    ):
        code = await world.code(f"panel/tracker/{action}", tracker_id=car["id"], **more)
        assert code == 252, action


async def test_permissions_are_asked_for(world: World) -> None:
    made = await world.register("one")
    await world.add_panel("reader", world.dealer_id, {"trackers": ["read"]})
    assert await world.code("panel/tracker/list", "reader") == 0
    for action, more in (
        ("source/update", {"blocked": True}),
        ("corrupt", {}),
        ("clone", {"label": "c", "user_id": 1}),
        ("delete_clone", {}),
        ("raw_command/send", {"device_id": "x", "command": "x"}),
    ):
        code = await world.code(f"panel/tracker/{action}", "reader", tracker_id=made["id"], **more)
        assert code == 13, action


async def test_blocking_is_for_all_who_have_the_device_and_heard_of_at_once(
    world: World,
) -> None:
    made = await fleet(world)
    heard: list[str] = []
    await world.services.bus.subscribe("fleet.source.*", lambda subject, _: heard.append(subject))
    for blocked, code in ((True, 208), (True, 208), (False, 0)):
        params = {"tracker_id": made["clone"]["id"], "blocked": blocked}
        assert await world.code("panel/tracker/source/update", **params) == 0
        assert await world.code("tracker/get_state", tracker_id=made["bus"]["id"]) == code
        assert (
            await world.code("tracker/get_state", "stranger", tracker_id=made["clone"]["id"])
            == code
        )
    assert heard == [f"fleet.source.{made['bus']['source']['id']}"] * 3
    assert await world.code("panel/tracker/source/update", tracker_id=made["bus"]["id"]) == 7


async def test_a_command_is_queued_for_the_device(world: World) -> None:
    made = await world.register("one")
    device_id = made["source"]["device_id"]

    async def queued() -> list[tuple[Any, ...]]:
        async with world.services.database.read() as connection:
            rows = await connection.execute(
                select(
                    commands.c.payload,
                    commands.c.kind,
                    commands.c.reliable,
                    commands.c.state,
                    commands.c.user_id,
                    commands.c.panel_account_id,
                    commands.c.tracker_id,
                ).order_by(commands.c.id)
            )
            return [tuple(row) for row in rows]

    user, panel = world.ids["user"], world.ids["panel"]
    reply = await world.call("tracker/raw_command/send", tracker_id=made["id"], command="getver")
    assert reply == {"success": True}
    hex_ = {"tracker_id": made["id"], "command": "0a FF", "type": "hex", "reliable": False}
    assert await world.code("tracker/raw_command/send", **hex_) == 0
    send = {"device_id": device_id, "command": "gétver\r\n"}
    assert await world.code("panel/tracker/raw_command/send", **send) == 0
    assert await queued() == [
        (b"getver", "text", True, "queued", user, None, made["id"]),
        (b"\x0a\xff", "hex", False, "queued", user, None, made["id"]),
        ("gétver\r\n".encode(), "text", True, "queued", None, panel, made["id"]),
    ]
    await world.call("panel/tracker/corrupt", tracker_id=made["id"])
    assert {row[3] for row in await queued()} == {"cancelled"}


@pytest.mark.parametrize("command", ["xyz", "0", "0x01", "", "é"])
async def test_what_is_not_hexadecimal_is_said_word_for_word(world: World, command: str) -> None:
    made = await world.register("one")
    reply = await world.call(
        "tracker/raw_command/send", tracker_id=made["id"], command=command, type="hex"
    )
    assert reply["status"] == {"code": 7, "description": "Invalid parameters"}
    if command:
        assert reply["errors"] == [{"parameter": "command", "error": "Non-hex string"}]
    # Parameters are looked at before the tracker is.
    stranger = {"tracker_id": 10**9, "command": command, "type": "hex"}
    assert await world.code("tracker/raw_command/send", **stranger) == 7


async def test_who_may_send_commands(world: World) -> None:
    made = await world.register("one")
    await world.call("subuser/tracker/bind", subuser_id=world.ids["sub"], trackers=[made["id"]])
    send = {"tracker_id": made["id"], "command": "x"}
    for rights, code in (
        ((), 13),
        (("tracker_configure",), 13),
        (("tracker_set_output",), 13),
        (("tracker_configure", "tracker_set_output"), 0),
    ):
        await world.grant(*rights)
        assert await world.code("tracker/raw_command/send", "sub", **send) == code
    assert await world.code("tracker/raw_command/send", "stranger", **send) == 201
    assert await world.code("tracker/raw_command/send", tracker_id=made["id"]) == 7
    wrong = {**send, "type": "morse"}
    assert await world.code("tracker/raw_command/send", **wrong) == 7
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await world.code("tracker/raw_command/send", **send) == 208


async def test_commands_by_device_id(world: World) -> None:
    made = await world.register("one")
    device_id = made["source"]["device_id"]

    async def code(who: str = "panel", **params: Any) -> int:
        fields = {"device_id": device_id, "command": "x", **params}
        return await world.code("panel/tracker/raw_command/send", who, **fields)

    assert await code() == 0
    assert await code(device_id=int(device_id)) == 0
    assert await code("other_panel") == 201
    assert await code(device_id="356938035643809") == 201
    await world.call("panel/tracker/corrupt", tracker_id=made["id"])
    assert await code() == 252
    assert await code("other_panel") == 201
    again = await world.register("again", "stranger", device_id=device_id)
    assert await code() == 0
    async with world.services.database.read() as connection:
        last = await connection.scalar(
            select(commands.c.tracker_id).order_by(commands.c.id.desc()).limit(1)
        )
    assert last == again["id"]


async def test_a_tariff_of_the_dealer_narrows_the_list(world: World) -> None:
    await world.register("one")
    async with world.services.database.begin() as connection:
        other = await connection.scalar(
            insert(tariffs).values(dealer_id=world.dealer_id, name="Other").returning(tariffs.c.id)
        )
    assert (await world.call("panel/tracker/list", tariff_id=other))["count"] == 0
