"""Groups, tags, labels: how accounts sort their trackers."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World

pytestmark = pytest.mark.anyio


async def group(world: World, who: str = "user", **params: Any) -> int:
    fields = {"title": "Office", "color": "FF6DDC", **params}
    reply = await world.call("tracker/group/create", who, **fields)
    assert reply["success"], reply
    return int(reply["id"])


async def group_of(world: World, tracker_id: int) -> int:
    reply = await world.call("tracker/read", tracker_id=tracker_id)
    return int(reply["value"]["group_id"])


async def test_groups_are_made_changed_and_deleted(world: World) -> None:
    assert (await world.call("tracker/group/list"))["list"] == []
    made = await group(world)
    assert (await world.call("tracker/group/list")) == {
        "success": True,
        "list": [{"id": made, "title": "Office", "color": "FF6DDC"}],
    }
    change = {"id": made, "title": "Depot", "color": "00ff00"}
    assert await world.call("tracker/group/update", **change) == {"success": True}
    assert (await world.call("tracker/group/list", "sub"))["list"] == [change]
    assert await world.code("tracker/group/delete", id=made) == 0
    assert await world.code("tracker/group/delete", id=made) == 201
    assert await world.code("tracker/group/update", **change) == 201


async def test_trackers_go_into_groups(world: World) -> None:
    made = await group(world)
    one, two = await world.register("one"), await world.register("two", group_id=made)
    assert await group_of(world, two["id"]) == made
    both = [one["id"], two["id"], one["id"]]
    assert await world.code("tracker/group/assign", id=made, trackers=both) == 0
    assert await group_of(world, one["id"]) == made
    assert await world.code("tracker/group/assign", id=0, trackers=[one["id"]]) == 0
    assert await group_of(world, one["id"]) == 0
    assert await world.code("tracker/group/assign", id=made, trackers=[]) == 0
    assert await world.code("tracker/group/delete", id=made) == 0
    assert await group_of(world, two["id"]) == 0


async def test_what_cannot_be_assigned(world: World) -> None:
    mine, theirs = await group(world), await group(world, "stranger")
    one = await world.register("one")
    foreign = await world.register("foreign", "stranger")

    async def code(**params: Any) -> int:
        fields = {"id": mine, "trackers": [one["id"]], **params}
        return await world.code("tracker/group/assign", **fields)

    assert await code(id=theirs) == 201
    assert await code(id=98765) == 201
    assert await code(trackers=[one["id"], foreign["id"]]) == 217
    assert await code(trackers=[98765]) == 217
    assert await code(id=98765, trackers=[98765]) == 201
    assert await group_of(world, one["id"]) == 0
    await world.call("panel/tracker/source/update", tracker_id=one["id"], blocked=True)
    assert await code() == 217


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 61}, "title"),
        ({"title": "a\n"}, "title"),
        ({"color": "red"}, "color"),
        ({"color": "#FF6DDC"}, "color"),
        ({"color": "FF6DDCC"}, "color"),
    ],
)
async def test_wrong_groups(world: World, params: dict[str, Any], parameter: str) -> None:
    fields = {"title": "Office", "color": "FF6DDC", **params}
    reply = await world.call("tracker/group/create", **fields)
    assert reply["status"]["code"] == 7
    assert reply["errors"][0]["parameter"] == parameter


async def test_groups_are_the_masters_and_nobody_elses(world: World) -> None:
    made = await group(world)
    params = {"id": made, "title": "x", "color": "000000", "trackers": []}
    for action in ("create", "update", "delete", "assign"):
        assert await world.code(f"tracker/group/{action}", "sub", **params) == 13
        if action != "create":
            assert await world.code(f"tracker/group/{action}", "stranger", **params) == 201
    assert (await world.call("tracker/group/list", "stranger"))["list"] == []


async def test_label_and_group_are_settings(world: World) -> None:
    mine, theirs = await group(world), await group(world, "stranger")
    one = await world.register("one")
    read = {"success": True, "settings": {"label": "one", "group_id": 0}}
    assert await world.call("tracker/settings/read", tracker_id=one["id"]) == read

    async def code(who: str = "user", **params: Any) -> int:
        fields = {"tracker_id": one["id"], "label": "new", "group_id": mine, **params}
        return await world.code("tracker/settings/update", who, **fields)

    assert await code(label="<b>") == 7
    assert await code(group_id=theirs) == 204
    assert await code(group_id=98765) == 204
    assert await code("stranger") == 201
    assert await code("sub") == 13
    assert await world.call("tracker/settings/read", tracker_id=one["id"]) == read
    assert await code() == 0
    (shown,) = (await world.call("tracker/list"))["list"]
    assert (shown["label"], shown["group_id"]) == ("new", mine)
    await world.call("panel/tracker/source/update", tracker_id=one["id"], blocked=True)
    assert await code() == 208
    assert await world.code("tracker/settings/read", tracker_id=one["id"]) == 208


async def tag(world: World, name: str = "hop", who: str = "user") -> int:
    reply = await world.call("tag/create", who, tag={"name": name, "color": "FF0000"})
    assert reply["success"], reply
    return int(reply["id"])


async def test_tags_are_made_found_changed_and_deleted(world: World) -> None:
    one = await tag(world, "Lorries")
    two = await tag(world, "ärger", "sub")
    foreign = await tag(world, "Lorries", "stranger")
    assert (await world.call("tag/list", filter="LORR"))["list"] == [
        {"id": one, "name": "Lorries", "color": "FF0000"}
    ]
    assert [t["id"] for t in (await world.call("tag/list", filter="ÄRG"))["list"]] == [two]
    assert await world.code("tag/list", filter="lo") == 7
    assert [t["id"] for t in (await world.call("tag/list", filter=None))["list"]] == [one, two]
    changed = {"id": one, "name": "Trucks", "color": "00FF00", "avatar_file_name": "a.png"}
    assert await world.code("tag/update", tag=changed) == 0
    assert (await world.call("tag/list"))["list"][0] == changed
    assert await world.code("tag/update", tag={**changed, "id": foreign}) == 201
    assert await world.code("tag/update", tag={"name": "x", "color": "000000"}) == 7
    assert await world.code("tag/create", tag={"name": "", "color": "000000"}) == 7
    assert await world.code("tag/delete", tag_id=foreign) == 201
    assert await world.code("tag/delete") == 7
    assert await world.code("tag/delete", tag_id=one, tag_ids=[one]) == 7
    assert await world.code("tag/delete", tag_ids=[foreign, 98765]) == 0
    assert await world.code("tag/delete", tag_ids=[one, two]) == 0
    assert (await world.call("tag/list"))["list"] == []
    assert len((await world.call("tag/list", "stranger"))["list"]) == 1


async def test_tags_are_put_on_trackers_and_come_off_with_them(world: World) -> None:
    made = await world.register("one")
    one, two = await tag(world, "one"), await tag(world, "two")
    foreign = await tag(world, "one", "stranger")

    async def code(bindings: Any, who: str = "user") -> int:
        return await world.code(
            "tracker/tags/set", who, tracker_id=made["id"], tag_bindings=bindings
        )

    async def bound() -> Any:
        return (await world.call("tracker/list"))["list"][0]["tag_bindings"]

    both = [{"tag_id": one, "ordinal": 5}, {"tag_id": two, "ordinal": 1}]
    assert await code(both) == 0
    assert await bound() == both[::-1]
    assert await code(f'[{{"tag_id": {one}, "ordinal": 1}}]') == 0
    assert await bound() == [{"tag_id": one, "ordinal": 1}]
    for wrong in (
        [{"tag_id": one, "ordinal": 0}],
        [{"tag_id": one, "ordinal": 6}],
        [{"tag_id": one, "ordinal": 1}, {"tag_id": one, "ordinal": 2}],
        [{"tag_id": one, "ordinal": 1}, {"tag_id": two, "ordinal": 1}],
        [{"tag_id": one}],
        "nonsense",
    ):
        assert await code(wrong) == 7
    assert await code([{"tag_id": foreign, "ordinal": 1}]) == 217
    assert await code([{"tag_id": 98765, "ordinal": 1}]) == 217
    assert await code(both, "stranger") == 201
    assert await code(both, "sub") == 13
    assert await bound() == [{"tag_id": one, "ordinal": 1}]
    assert await world.code("tag/delete", tag_id=one) == 0
    assert await bound() == []
