"""Every way in which clients write the same call."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from api_world import NOON, World
from sqlalchemy import update

from waypost.store.tables import users
from waypost.telemetry.message import Message

SETTINGS: dict[str, Any] = {
    "time_zone": "Europe/Berlin",
    "locale": "de_DE",
    "measurement_system": "imperial",
    "geocoder": "osm",
    "route_provider": "osrm",
    "translit": True,
    "balance_alert_settings": {"emails": ["a@example.org"]},
    "file_storage_settings": {"auto_overwrite": True},
}
#: The same as texts, as forms and queries have them.
TEXTS = {
    name: value if isinstance(value, str) else json.dumps(value) for name, value in SETTINGS.items()
}


async def stored(world: World) -> dict[str, Any]:
    read = await world.call("user/settings/read")
    return {
        **{name: read["settings"][name] for name in SETTINGS if name in read["settings"]},
        "balance_alert_settings": read["balance_alert_settings"],
        "file_storage_settings": read["file_storage_settings"],
    }


@pytest.mark.parametrize("prefix", ["/v2/", "/api-v2/", "/", "//v2//"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_prefix_serves_both_apis(world: World, prefix: str, slash: str) -> None:
    for path, who in (("user/get_info", "user"), ("panel/account/get_permissions", "panel")):
        url = f"http://waypost{prefix}{path}{slash}"
        reply = await world.client.get(url, params={"hash": world.hashes[who]})
        assert world.checked(reply)["success"], url


def forms(hash_: str) -> dict[str, dict[str, Any]]:
    """Arguments of a request, by what is special about it."""
    both = {**SETTINGS, "hash": hash_}
    text = json.dumps(both)
    return {
        "json": {"json": both},
        "json as text": {"content": text, "headers": {"content-type": "text/plain"}},
        "json as form": {
            "content": text,
            "headers": {"content-type": "application/x-www-form-urlencoded"},
        },
        "json without type": {"content": text},
        "json with charset": {
            "content": text,
            "headers": {"content-type": "application/json;charset=UTF-8"},
        },
        "json after a byte order mark": {"content": b"\xef\xbb\xbf \n" + text.encode()},
        "objects as text in json": {"json": {**TEXTS, "hash": hash_}},
        "form": {"data": {**TEXTS, "hash": hash_}},
        "form without type": {"content": str(httpx.QueryParams({**TEXTS, "hash": hash_}))},
        "multipart": {"files": {n: (None, v) for n, v in {**TEXTS, "hash": hash_}.items()}},
        "query": {"params": {**TEXTS, "hash": hash_}},
        "session_key": {"data": {**TEXTS, "session_key": hash_}},
        "header": {"data": TEXTS, "headers": {"authorization": f"NVX {hash_}"}},
        "header in small letters": {"json": SETTINGS, "headers": {"authorization": f"nvx {hash_}"}},
        "split": {"params": {"hash": hash_, "locale": "fr"}, "json": SETTINGS},
        "unknown parameters": {"json": {**both, "frobnicate": {"a": [1]}, "x": None}},
        "booleans as numbers": {"data": {**TEXTS, "translit": "1", "hash": hash_}},
        "nulls left out": {"json": {**both, "date_format": None, "hour_mode": ""}},
        "nulls as text": {"data": {**TEXTS, "hash": hash_, "hour_mode": "null", "date_format": ""}},
    }


@pytest.mark.parametrize("form", forms("0"))
async def test_a_call_means_the_same_in_every_form(world: World, form: str) -> None:
    arguments = forms(world.hashes["user"])[form]
    method = "GET" if form == "query" else "POST"
    reply = await world.client.request(method, "/v2/user/settings/update", **arguments)
    assert world.checked(reply) == {"success": True}
    assert await stored(world) == SETTINGS


async def test_the_body_wins_over_the_query_and_both_over_the_header(world: World) -> None:
    reply = await world.client.post(
        "/v2/user/get_info",
        params={"hash": world.hashes["stranger"]},
        json={"hash": world.hashes["user"]},
        headers={"authorization": f"NVX {'0' * 32}"},
    )
    assert reply.json()["user_info"]["id"] == world.ids["user"]


@pytest.mark.parametrize("trackers", ["[]", "[ ]", [], "[1,2]", ["1", 2]])
async def test_arrays_may_be_bare_json_or_text(world: World, trackers: Any) -> None:
    wanted = 262 if len(json.loads(str(trackers).replace("'", '"'))) else 0
    for sent in ({"json": {"trackers": trackers}}, {"data": {"trackers": str(trackers)}}):
        if "data" in sent and not isinstance(trackers, str):
            continue
        reply = await world.client.post(
            "/v2/subuser/tracker/bind",
            params={"hash": world.hashes["user"], "subuser_id": world.ids["sub"]},
            **sent,
        )
        body = world.checked(reply)
        assert body.get("status", {}).get("code", 0) == wanted


async def test_numbers_are_taken_as_text_and_text_as_numbers(world: World) -> None:
    registered = await world.call(
        "subuser/register",
        password=12345678,
        user={"login": "two@example.org", "post_index": 90001, "tin": 7, "activated": "true"},
    )
    listed = (await world.call("subuser/list"))["list"]
    made = next(one for one in listed if one["id"] == registered["id"])
    assert (made["post_index"], made["tin"], made["activated"]) == ("90001", "7", True)
    assert await world.code("user/auth", None, login="two@example.org", password="12345678") == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"iso_datetime": "true"}},
        {"json": {"iso_datetime": True}},
        {"headers": {"NVX-ISO-DateTime": "true"}},
    ],
)
async def test_dates_are_iso_where_asked_for(world: World, asked: dict[str, Any]) -> None:
    headers = {**asked.pop("headers", {}), "authorization": f"NVX {world.hashes['user']}"}
    reply = await world.client.post("/v2/user/get_info", headers=headers, **asked)
    assert reply.json()["user_info"]["creation_date"] == "2024-03-09T07:00:00-05:00"
    panel = await world.call("panel/user/read", user_id=world.ids["user"], iso_datetime=True)
    assert panel["value"]["creation_date"] == "2024-03-09T12:00:00Z"


async def test_every_date_of_a_reply_is_written_alike(world: World) -> None:
    """Of somebody in UTC the offset is Z, in states as in the time of the reply."""
    async with world.services.database.begin() as connection:
        await connection.execute(update(users).values(time_zone="UTC"))
    world.services.accounts.sessions.forget_user(world.ids["user"])
    tracker = await world.register("one")
    await world.report(tracker, Message(time=NOON, digest_of=b"1", latitude=1.0, longitude=2.0))
    reply = await world.call("tracker/get_state", tracker_id=tracker["id"], iso_datetime=True)
    dates = {reply["user_time"], reply["state"]["gps"]["updated"], reply["state"]["last_update"]}
    assert dates == {"2024-03-09T12:00:00Z"}


async def test_lists_of_words_may_be_bare(world: World) -> None:
    """As the documents write them: ``codes=[model_1, model_2, ...]``."""
    for codes in ("[tt1_wp, telfmb920]", "[tt1_wp,telfmb920]", '["tt1_wp","telfmb920"]'):
        sent = {"hash": world.hashes["user"], "codes": codes}
        reply = world.checked(await world.client.get("/v2/tracker/list_models", params=sent))
        assert {model["code"] for model in reply["list"]} == {"tt1_wp", "telfmb920"}
    for codes in ("tt1_wp", "[tt1_wp", "[tt1_wp,]", "[,]", "[null x]"):
        assert await world.code("tracker/list_models", codes=codes) == 7


async def test_a_head_is_a_get_without_its_body(world: World) -> None:
    sent = {"hash": world.hashes["user"]}
    get, head = [
        await world.client.request(method, "/v2/user/get_tariff_restrictions", params=sent)
        for method in ("GET", "HEAD")
    ]
    assert (head.status_code, head.content, get.status_code) == (200, b"", 200)
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == get.headers["content-type"]


async def test_dates_are_in_the_users_zone(world: World) -> None:
    info = await world.call("user/get_info")
    assert info["user_info"]["creation_date"] == "2024-03-09 07:00:00"


async def test_two_parts_of_a_body_are_one_body(world: World) -> None:
    async def chunks() -> Any:
        yield b'{"hash": "'
        yield world.hashes["user"].encode() + b'"}'

    reply = await world.client.post("/v2/user/get_info", content=chunks())
    assert world.checked(reply)["success"]


async def test_a_path_that_is_not_there_is_a_wrong_handler_or_method(world: World) -> None:
    for path, code in (
        ("nothing/at/all", 111),
        ("user/frobnicate", 112),
        ("panel/user/frobnicate", 112),
        ("panel/api/key/list", 111),
        ("panel", 111),
        ("v2", 111),
        ("user\x00", 111),
        ("%C3%A9t%C3%A9", 111),
    ):
        reply = await world.client.post("/v2/" + path.replace("\x00", "%00"))
        assert world.checked(reply)["status"]["code"] == code, path
        assert reply.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
async def test_other_methods_are_wrong(world: World, method: str) -> None:
    reply = await world.client.request(method, "/v2/user/get_info")
    assert world.checked(reply)["status"] == {"code": 112, "description": "Wrong method"}
