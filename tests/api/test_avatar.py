"""Pictures of trackers: uploaded in a form, served, replaced."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from api_world import World
from fleet_steps import clone
from sqlalchemy import func, select, text

from waypost.api.images import LARGEST
from waypost.store.tables import files

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
WEBP = b"RIFF\x10\0\0\0WEBPVP8 "


async def upload(
    world: World, tracker_id: int, content: bytes | None = PNG, who: str = "user", **more: Any
) -> Any:
    """The reply to an upload, or where it redirects to."""
    fields = {"hash": world.hashes[who], "tracker_id": str(tracker_id), **more}
    form = {"files": {"file": ("picture.png", content, "image/png")}} if content else {}
    reply = await world.client.post("/v2/tracker/avatar/upload", data=fields, **form)
    return reply.headers["location"] if reply.status_code == 302 else world.checked(reply)


async def code(world: World, tracker_id: int, *args: Any, **more: Any) -> int:
    reply = await upload(world, tracker_id, *args, **more)
    return 0 if reply["success"] else int(reply["status"]["code"])


async def test_a_picture_is_shown_with_its_tracker(world: World) -> None:
    made = await world.register("one")
    reply = await upload(world, made["id"])
    name = reply["value"]
    read = await world.call("tracker/read", tracker_id=made["id"])
    assert read["value"]["avatar_file_name"] == name
    shown = await world.call("panel/tracker/read", tracker_id=made["id"])
    assert shown["value"]["avatar_file_name"] == name
    for base in ("", "/v2", "/api-v2"):
        served = await world.client.get(f"{base}/static/tracker/avatars/{name}")
        assert (served.status_code, served.content) == (200, PNG)
        assert served.headers["content-type"] == "image/png"
        assert served.headers["x-content-type-options"] == "nosniff"


async def test_a_new_picture_takes_the_place_of_the_old_one(world: World) -> None:
    made = await world.register("one")
    first = (await upload(world, made["id"]))["value"]
    assert (await upload(world, made["id"]))["value"] == first
    second = (await upload(world, made["id"], WEBP))["value"]
    assert second.endswith(".webp")
    gone = await world.client.get(f"/static/tracker/avatars/{first}")
    assert gone.status_code == 404
    async with world.services.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(files)) == 1


async def test_a_clone_has_a_picture_of_its_own(world: World) -> None:
    made = await world.register("one")
    clone_id = await clone(world, made["id"])
    first = (await upload(world, made["id"]))["value"]
    second = (await upload(world, clone_id, who="stranger"))["value"]
    assert first != second
    await upload(world, clone_id, WEBP, who="stranger")
    served = await world.client.get(f"/static/tracker/avatars/{first}")
    assert served.status_code == 200


async def test_the_browser_is_sent_where_it_wants_to_go(world: World) -> None:
    made = await world.register("one")
    target = "https://app.example/upload?step=2"
    address = urlsplit(await upload(world, made["id"], redirect_target=target))
    assert (address.netloc, address.path) == ("app.example", "/upload")
    query = parse_qs(address.query)
    assert query["step"] == ["2"]
    assert msgspec.json.decode(query["response"][0])["success"] is True
    address = urlsplit(await upload(world, made["id"], b"text", redirect_target=target))
    assert msgspec.json.decode(parse_qs(address.query)["response"][0])["status"]["code"] == 234


async def test_what_is_no_picture(world: World) -> None:
    made = await world.register("one")
    assert await code(world, made["id"], None) == 233
    assert await code(world, made["id"], b"<svg onload='alert(1)'/>") == 234
    assert await code(world, made["id"], b"\x00\x00\x01\x00icon") == 234
    assert await code(world, made["id"], PNG + b"\0" * LARGEST) == 271
    assert await world.code("tracker/avatar/upload", tracker_id=made["id"], file="x") == 233
    assert "avatar_file_name" not in (await world.call("tracker/list"))["list"][0]


async def test_whose_picture_cannot_be_set(world: World) -> None:
    made = await world.register("one")
    assert await code(world, made["id"], who="sub") == 13
    assert await code(world, made["id"], who="stranger") == 201
    assert await code(world, 98765) == 201
    await world.call("panel/tracker/source/update", tracker_id=made["id"], blocked=True)
    assert await code(world, made["id"]) == 208


async def test_a_database_that_takes_no_file_says_so(world: World) -> None:
    made = await world.register("one")
    async with world.services.database.begin() as connection:
        await connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON files "
                "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            )
        )
    assert await code(world, made["id"]) == 254
    assert "avatar_file_name" not in (await world.call("tracker/list"))["list"][0]
