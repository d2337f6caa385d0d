"""What a dealer does with its users' trackers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_world import World
from fleet_steps import clone, connect
from sqlalchemy import select, update
from test_rules_vehicles import make_rule, make_vehicle, rules

from waypost.billing.activity import note_active_days
from waypost.fleet.console import ConsoleKey, find_key, forget_keys
from waypost.store.tables import console_keys, tariffs
from waypost.telemetry.message import Message

pytestmark = pytest.mark.anyio

DAY = 86_400


async def move(world: World, tracker_id: int, who: str = "stranger") -> int:
    return await world.code("panel/tracker/move", tracker_id=tracker_id, user_id=world.ids[who])


# Moving.


async def test_a_moved_tracker_keeps_its_id_and_history_and_loses_its_ties(world: World) -> None:
    made = await world.register("Courier", phone="79123122312")
    fix = Message(digest_of=b"1", time=world.clock.now, latitude=52.5, longitude=13.4, valid=True)
    await world.report(made, fix)
    ids = {"tracker_id": made["id"]}
    group = (await world.call("tracker/group/create", title="Group", color="FF0000"))["id"]
    await world.call("tracker/group/assign", id=group, trackers=[made["id"]])
    tag = (await world.call("tag/create", tag={"name": "hop", "color": "FF0000"}))["id"]
    bindings = [{"tag_id": tag, "ordinal": 1}]
    await world.call("tracker/tags/set", **ids, tag_bindings=bindings)
    await world.call("subuser/tracker/bind", subuser_id=world.ids["sub"], trackers=[made["id"]])
    async with world.services.database.begin() as connection:
        features = ["statuses", "multilevel_access"]
        await connection.execute(update(tariffs).values(features=features))
    listing = {"label": "x", "supervisor_controlled": True}
    listing_id = (await world.call("status/listing/create", listing=listing))["id"]
    await world.call("status/listing/tracker/assign", **ids, listing_id=listing_id)
    await make_rule(world, trackers=[made["id"]])
    vehicle_id = await make_vehicle(world, tracker_id=made["id"])
    await world.call("tracker/raw_command/send", **ids, command="reset")
    assert len((await world.call("tracker/list", "sub"))["list"]) == 1

    reply = await world.call("panel/tracker/move", **ids, user_id=world.ids["stranger"])
    assert reply == {"success": True, "id": made["id"]}
    assert (await world.call("tracker/list"))["list"] == []
    assert (await world.call("tracker/list", "sub"))["list"] == []
    assert await world.code("tracker/read", **ids) == 201
    (moved,) = (await world.call("tracker/list", "stranger"))["list"]
    assert moved == made
    state = (await world.call("tracker/get_state", "stranger", **ids))["state"]
    assert state["gps"]["location"] == {"lat": 52.5, "lng": 13.4}
    assert (await rules(world))[0]["trackers"] == []
    assert (await world.call("vehicle/read", vehicle_id=vehicle_id))["value"]["tracker_id"] is None
    count = await world.call("tracker/command/unconfirmed/count", "stranger", **ids)
    assert count["count"] == 0
    shown = await world.call("panel/tracker/read", **ids)
    assert shown["value"]["user_id"] == world.ids["stranger"]


async def test_what_cannot_be_moved_where(world: World) -> None:
    made = await world.register("one")

    async def code(who: str = "panel", **fields: Any) -> int:
        given = {"tracker_id": made["id"], "user_id": world.ids["stranger"], **fields}
        return await world.code("panel/tracker/move", who, **given)

    assert await code("other_panel") == 201
    assert await code(tracker_id=98765) == 201
    assert await code(user_id=None) == 7
    for user in (world.ids["user"], world.ids["foreigner"], world.ids["sub"], 98765):
        assert await code(user_id=user) == 246
    clone_id = await clone(world, made["id"])
    assert await code() == 247
    assert await code(tracker_id=clone_id, user_id=world.ids["user"]) == 219
    assert await world.code("panel/tracker/delete_clone", tracker_id=clone_id) == 0
    hide = {"tracker_id": made["id"], "label": "one", "deleted": True}
    assert await world.code("panel/tracker/settings/update", **hide) == 0
    assert await code() == 201
    assert await world.code("panel/tracker/settings/update", **{**hide, "deleted": False}) == 0
    assert await code() == 0
    assert await world.code("panel/tracker/corrupt", tracker_id=made["id"]) == 0
    assert await code(user_id=world.ids["user"]) == 252


async def test_half_the_permissions_move_nothing(world: World) -> None:
    made = await world.register("one")
    given = {"tracker_id": made["id"], "user_id": world.ids["stranger"]}
    for operation in ("create", "delete"):
        await world.add_panel(operation, world.dealer_id, {"trackers": [operation]})
        assert await world.code("panel/tracker/move", operation, **given) == 13


# Label, comment, and whether it is shown.


async def test_label_comment_and_hiding(world: World) -> None:
    made = await world.register("one")
    ids = {"tracker_id": made["id"]}
    given = {**ids, "label": "Van", "deleted": False, "comment": "Change SIM"}
    assert await world.call("panel/tracker/settings/update", **given) == {"success": True}
    shown = (await world.call("panel/tracker/read", **ids))["value"]
    assert (shown["label"], shown["comment"], shown["deleted"]) == ("Van", "Change SIM", False)
    assert (await world.call("tracker/read", **ids))["value"]["label"] == "Van"
    del given["comment"]
    assert await world.code("panel/tracker/settings/update", **{**given, "deleted": True}) == 0
    shown = (await world.call("panel/tracker/read", **ids))["value"]
    assert (shown["comment"], shown["deleted"]) == ("Change SIM", True)
    assert (await world.call("tracker/list"))["list"] == []
    assert await world.code("tracker/read", **ids) == 201
    assert await world.code("panel/tracker/settings/update", **given, comment="") == 0
    assert (await world.call("tracker/read", **ids))["value"]["label"] == "Van"
    assert (await world.call("panel/tracker/read", **ids))["value"]["comment"] == ""


async def test_what_cannot_be_said_of_a_tracker(world: World) -> None:
    made = await world.register("one")

    async def code(who: str = "panel", **fields: Any) -> int:
        given = {"tracker_id": made["id"], "label": "x", "deleted": False, "comment": ""}
        return await world.code("panel/tracker/settings/update", who, **{**given, **fields})

    assert await code("other_panel") == 201
    for label in ("", "x" * 61, "<b>", "a>b", None):
        assert await code(label=label) == 7
    assert await code(comment="x" * 3001) == 7
    assert await code(comment="x" * 3000) == 0
    assert await code(deleted="perhaps") == 7
    assert await code(deleted=None) == 7
    clone_id = await clone(world, made["id"])
    assert await world.code("panel/tracker/delete_clone", tracker_id=clone_id) == 0
    await clone(world, made["id"])
    assert await code(tracker_id=clone_id) == 247
    await world.call("panel/tracker/corrupt", tracker_id=made["id"], corrupt_clones=True)
    assert await code() == 252


# Many clones.


async def test_many_are_cloned_or_none(world: World) -> None:
    made = [await world.register(name) for name in ("one", "two", "three")]
    ids = [one["id"] for one in made]
    user = {"user_id": world.ids["stranger"]}
    first = await clone(world, ids[0])

    async def call(tracker_ids: Any, who: str = "panel", **fields: Any) -> dict[str, Any]:
        given = {**user, "tracker_ids": tracker_ids, **fields}
        return await world.call("panel/tracker/batch_clone", who, **given)

    async def code(tracker_ids: Any, who: str = "panel", **fields: Any) -> int:
        reply = await call(tracker_ids, who, **fields)
        return 0 if reply["success"] else int(reply["status"]["code"])

    assert await call(ids) == {
        "success": False,
        "status": {"code": 247, "description": "Entity already exists"},
        "list": [first],
    }
    assert len((await world.call("tracker/list", "stranger"))["list"]) == 1
    reply = await call(ids, ignore_existing=True)
    assert reply["ignored_trackers"] == [ids[0]]
    shown = (await world.call("tracker/list", "stranger"))["list"]
    assert [one["id"] for one in shown] == [first, *reply["list"]]
    assert [one["label"] for one in shown] == ["Clone", "two", "three"]
    assert await code([]) == 7
    assert await code(list(range(1001))) == 7
    assert await code([ids[0], 98765]) == 217
    assert await code(ids, "other_panel") == 246
    assert await code(ids, "other_panel", user_id=world.ids["foreigner"]) == 217
    assert await code([first], user_id=world.ids["user"]) == 219
    assert await code(ids, user_id=world.ids["user"]) == 246
    assert await code(ids, user_id=world.ids["foreigner"]) == 246
    four = await world.register("four")
    assert len((await call([four["id"], four["id"]]))["list"]) == 1


# The console.


async def test_a_key_to_the_console(world: World) -> None:
    made = await world.register("one")
    reply = await world.call("panel/tracker/console/connect", tracker_id=made["id"])
    assert len(reply["key"]) == 40
    assert reply["timestamp"] == world.clock.now // 1000
    shown = ConsoleKey(reply["key"], reply["timestamp"])
    async with world.services.database.begin() as connection:
        stored = (await connection.execute(select(console_keys))).one()
        assert reply["key"].encode() not in stored.key
        now = world.clock.now
        dealer_id = world.dealer_id
        holder = await find_key(connection, shown, dealer_id, now)
        assert holder is not None
        assert (holder.tracker_id, holder.dealer_id) == (made["id"], dealer_id)
        assert await find_key(connection, shown, dealer_id, now + 300_000) is None
        assert await find_key(connection, shown, dealer_id + 1, now) is None
        wrong = ConsoleKey("0" * 40, reply["timestamp"])
        assert await find_key(connection, wrong, dealer_id, now) is None
        wrong = ConsoleKey(reply["key"], reply["timestamp"] + 1)
        assert await find_key(connection, wrong, dealer_id, now) is None
        await forget_keys(connection, now)
        assert await find_key(connection, shown, dealer_id, now) == holder
        await forget_keys(connection, now + 300_000)
        assert (await connection.execute(select(console_keys))).all() == []


async def test_whose_console_cannot_be_opened(world: World) -> None:
    made = await world.register("one")

    async def code(who: str = "panel", **fields: Any) -> int:
        given = {"tracker_id": made["id"], **fields}
        return await world.code("panel/tracker/console/connect", who, **given)

    assert await code("other_panel") == 201
    assert await code(tracker_id=98765) == 201
    assert await code(tracker_id="x") == 7
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code() == 230
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=False)
    hide = {"tracker_id": made["id"], "label": "one", "deleted": True}
    await world.call("panel/tracker/settings/update", **hide)
    assert await code() == 230
    await world.call("panel/tracker/corrupt", tracker_id=made["id"])
    assert await code() == 252


# Which were active.


async def test_the_history_of_active_trackers(world: World) -> None:
    one, two = [await world.register(name) for name in ("one", "two")]
    foreign = await world.register("foreign", "foreigner")
    await clone(world, one["id"])
    for trackers, days in (((one, two, foreign), 3), ((one,), 30), ((two,), 0)):
        for made in trackers:
            await connect(world, made)
        async with world.services.database.begin() as connection:
            await note_active_days(connection, world.clock.now)
        world.clock.pass_(days * DAY)
    for panel, dealer_id in (("panel", world.dealer_id), ("other_panel", world.dealer_id + 1)):
        await world.add_panel(f"{panel} again", dealer_id, {"trackers": ["read", "corrupt"]})

    async def history(first: str, last: str, who: str = "panel") -> Any:
        path = "panel/tracker/active/history/list"
        reply = await world.call(path, f"{who} again", **{"from": first, "to": last})
        return reply["list"] if reply["success"] else reply["status"]["code"]

    def entry(made: dict[str, Any]) -> dict[str, Any]:
        return {
            "tracker_id": made["id"],
            "user_id": world.ids["user"],
            "label": made["label"],
            "device_id": made["source"]["device_id"],
        }

    assert await history("2024-02", "2024-04") == [
        {"month": "2024-02", "amount": 0, "trackers": []},
        {"month": "2024-03", "amount": 2, "trackers": [entry(one), entry(two)]},
        {"month": "2024-04", "amount": 1, "trackers": [entry(two)]},
    ]
    (theirs,) = await history("2024-03", "2024-03", "other_panel")
    assert theirs["amount"] == 1
    gone = {"tracker_id": two["id"]}
    assert await world.code("panel/tracker/corrupt", "panel again", **gone) == 0
    assert (await history("2024-04", "2024-04"))[0]["trackers"] == [entry(two)]
    (march,) = await history("2024-03", "2024-03")
    world.clock.pass_(30 * DAY)
    await world.add_panel("panel again again", world.dealer_id, {"trackers": ["report"]})
    await connect(world, one)  # counts at once, before its day is noted
    span = {"from": "2024-03", "to": "2024-05"}
    reply = await world.call("panel/tracker/active/history/list", "panel again again", **span)
    assert reply["list"][0] == march
    assert reply["list"][2]["trackers"] == [entry(one)]
    world.clock.pass_(-30 * DAY)
    assert len(await history("2023-01", "2024-12")) == 24
    assert await history("2022-12", "2024-12") == 211
    assert await history("0001-01", "9999-12") == 211
    assert await history("2024-03", "2024-02") == 7
    for wrong in ("2024", "2024-13", "2024-3", "03-2024", "0000-01", ""):
        assert await history(wrong, "2024-04") == 7
        assert await history("2024-03", wrong) == 7


async def test_either_permission_shows_the_history(world: World) -> None:
    span = {"from": "2024-03", "to": "2024-03"}
    for name, operations, code in (
        ("reader", ["read"], 0),
        ("reporter", ["report"], 0),
        ("creator", ["create"], 13),
    ):
        await world.add_panel(name, world.dealer_id, {"trackers": operations})
        assert await world.code("panel/tracker/active/history/list", name, **span) == code


# Several at once.


async def test_what_happens_at_once_ends_in_one_documented_way(world: World) -> None:
    """One tracker moved, given up, cloned and hidden at the same time: whatever came first, what
    is shown afterwards fits together."""
    await world.add_user("third", world.dealer_id)
    for _ in range(4):
        made = await world.register("one")
        ids = {"tracker_id": made["id"]}
        codes = await asyncio.gather(
            move(world, made["id"]),
            move(world, made["id"], "third"),
            world.code("panel/tracker/corrupt", **ids),
            world.code("panel/tracker/clone", **ids, label="c", user_id=world.ids["third"]),
            world.code("panel/tracker/register_entry", **ids),
            world.code("tracker/corrupt", **ids),
        )
        assert codes[0] in (0, 201, 252)
        assert codes[1] in (0, 201, 247, 252)
        assert codes[2] in (0, 252, 253)
        assert codes[3] in (0, 201, 246, 247, 252)
        assert codes[4] in (0, 214, 252)
        assert codes[5] in (0, 201, 252)
        shown = (
            (await world.call("panel/tracker/read", **ids))["status"]["code"]
            if 0
            in (
                codes[2],
                codes[5],
            )
            else 0
        )
        alive = [
            one
            for who in ("user", "stranger", "third")
            for one in (await world.call("tracker/list", who))["list"]
            if one["source"]["id"] == made["source"]["id"]
        ]
        if shown == 252:
            assert alive == []
        else:
            assert sum(not one["clone"] for one in alive) == 1
            owners = len(alive)
            assert owners == 1 + (codes[3] == 0)
