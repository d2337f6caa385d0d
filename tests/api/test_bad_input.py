"""Whatever is sent, a documented error comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from api_world import World
from sqlalchemy.exc import IntegrityError, OperationalError

from waypost.settings import Settings

URL = "/v2/user/settings/update"


async def post(world: World, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    reply = await world.client.post(
        URL,
        content=body,
        params={"hash": world.hashes["user"]},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    answer = world.checked(reply)
    return answer["status"]["code"], answer


MALFORMED = {
    "cut": b'{"hash": "',
    "not an object": b"[1, 2]",
    "a number": b"1",
    "null": b"null",
    "two values": b'{"a": 1} {"b": 2}',
    "no utf-8": b'{"a": "\xff\xfe"}',
    "a surrogate in utf-8": b'{"a": "\xed\xa0\x80"}',
    "half a surrogate pair": b'{"locale": "\\ud800"}',
    "the other half": b'{"locale": "\\udc00x"}',
    "nested too deep": b'{"a":' * 100_000,
    "nested too deep in arrays": b'{"a":' + b"[" * 100_000,
    "a NUL": b'{"locale": "a\x00b"}',
    "an escaped NUL": b'{"locale": "a\\u0000b"}',
    "a NUL in a name": b'{"\\u0000": 1}',
    "a number out of bounds": b'{"a": 1e999}',
    "NaN": b'{"a": NaN}',
    "digits without end": b'{"a": ' + b"9" * 10_000 + b"}",
    "utf-16": '{"a": 1}'.encode("utf-16"),
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_json_that_cannot_be_read_is_a_wrong_format(world: World, what: str) -> None:
    code, answer = await post(world, MALFORMED[what], content_type="application/json")
    assert (code, answer["status"]["description"]) == (5, "Wrong request format")


@pytest.mark.parametrize(
    "body",
    [b"a=%FF%FE", b"a=%ED%A0%80", b"locale=%00", b"&".join(b"a%d=1" % n for n in range(5000))],
)
async def test_forms_that_cannot_be_read_are_a_wrong_format(world: World, body: bytes) -> None:
    code, _ = await post(world, body, content_type="application/x-www-form-urlencoded")
    assert code == 5
    reply = await world.client.get(f"{URL}?{body.decode()}")
    assert world.checked(reply)["status"]["code"] == 5


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
        ("multipart/form-data; boundary=" + "x" * 500, b"--x--"),
    ],
)
async def test_multipart_that_cannot_be_read_is_refused(
    world: World, content_type: str, body: bytes
) -> None:
    code, _ = await post(world, body, content_type=content_type)
    assert code == (5 if body else 7)


async def test_packed_bodies_are_refused(world: World) -> None:
    code, _ = await post(world, b"\x1f\x8b\x08", content_encoding="gzip")
    assert code == 5


async def test_a_json_type_without_an_object_is_a_wrong_format(world: World) -> None:
    assert (await post(world, b"hash=1", content_type="application/json"))[0] == 5


WRONG: dict[str, tuple[Any, str]] = {
    "time_zone": ("Europe/../etc/passwd", "time_zone"),
    "locale": ("'; DROP TABLE users --", "locale"),
    "measurement_system": ("furlongs", "measurement_system"),
    "geocoder": (17, "geocoder"),
    "translit": ("perhaps", "translit"),
    "balance_alert_settings": ({"emails": [1, None]}, "balance_alert_settings.emails[0]"),
    "file_storage_settings": ([], "file_storage_settings"),
}
RIGHT: dict[str, Any] = {
    "time_zone": "Europe/Berlin",
    "locale": "de",
    "measurement_system": "metric",
    "geocoder": "osm",
    "route_provider": "osrm",
    "translit": False,
    "balance_alert_settings": {"emails": []},
    "file_storage_settings": {},
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_parameter_is_named(world: World, name: str) -> None:
    value, named = WRONG[name]
    for params in (
        {**RIGHT, name: value},
        {**RIGHT, name: json.dumps(value) if not isinstance(value, str) else value},
    ):
        answer = await world.call("user/settings/update", **params)
        assert answer["status"]["code"] == 7
        assert [error["parameter"] for error in answer["errors"]] == [named]
        assert answer["errors"][0]["error"]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("missing", ["left out", None, ""])
async def test_a_missing_parameter_is_named(world: World, name: str, missing: Any) -> None:
    params = {**RIGHT, name: missing}
    if missing == "left out":
        del params[name]
    answer = await world.call("user/settings/update", **params)
    assert answer["status"] == {"code": 7, "description": "Invalid parameters"}
    assert [error["parameter"] for error in answer["errors"]] == [name]


async def test_every_wrong_parameter_is_named_at_once(world: World) -> None:
    answer = await world.call("user/settings/update", translit=[], geocoder={})
    objects = {"balance_alert_settings", "file_storage_settings"}
    assert {error["parameter"] for error in answer["errors"]} == set(RIGHT) - objects


@pytest.mark.parametrize(
    "number",
    [2**63, -(2**63) - 1, 10**30, "9" * 30, "9" * 5000, 1.5, "0x10", "١٢", True, [1]],
)
async def test_a_number_out_of_bounds_is_refused(world: World, number: Any) -> None:
    answer = await world.call("panel/user/read", user_id=number)
    assert answer["status"]["code"] == 7
    assert answer["errors"][0]["parameter"] == "user_id"
    nested = await world.call("panel/user/update", user={"id": number}, discount={})
    assert nested["status"]["code"] == 7


async def test_a_large_but_possible_number_is_just_not_found(world: World) -> None:
    assert await world.code("panel/user/read", user_id=2**63 - 1) == 201
    assert await world.code("panel/user/read", user_id=-1) == 201


@pytest.mark.parametrize("text", ['{"a"', "[" * 50_000, "{}x", '{"login": "\\u0000"}', "nul"])
async def test_an_object_in_a_string_that_cannot_be_read_names_its_parameter(
    world: World, text: str
) -> None:
    answer = await world.call("subuser/register", user=text, password="123456")
    assert answer["status"]["code"] == 7
    assert answer["errors"][0]["parameter"] == "user"


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.api_body = 2000
        return settings

    async def test_a_large_request_is_refused(self, world: World) -> None:
        code, _ = await post(world, b" " * 2001)
        assert code == 9

        async def endless() -> Any:
            for _ in range(100):
                yield b"x" * 100

        reply = await world.client.post(URL, content=endless())
        assert reply.status_code == 412
        assert world.checked(reply)["status"]["code"] == 9


class Broken:
    """A database that fails in its own way."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self.error = error

    def read(self) -> AbstractAsyncContextManager[Any]:
        raise self.error()

    begin = read


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (lambda: ConnectionRefusedError("no"), 14, 503),
        (lambda: OperationalError("", {}, Exception("x"), connection_invalidated=True), 14, 503),
        (lambda: IntegrityError("", {}, Exception("x")), 1, 500),
        (lambda: KeyError("secret"), 6, 500),
    ],
)
async def test_faults_of_ours_have_their_codes_and_tell_nothing(
    world: World, error: Callable[[], Exception], code: int, status: int
) -> None:
    world.services.database = Broken(error)  # type: ignore[assignment]
    reply = await world.client.post("/v2/user/get_info", json={"hash": world.hashes["user"]})
    answer = world.checked(reply)
    assert (answer["status"]["code"], reply.status_code) == (code, status)
    assert "secret" not in reply.text
    assert ("incident" in answer) is (code != 14)
    if code == 14:
        ready = await world.client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert (await world.client.get("/healthz")).status_code == 200
