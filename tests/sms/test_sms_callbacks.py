"""What HTTP providers call: reports and messages from outside, and everybody who is no provider."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_opening import open_services, quick_passwords
from sms_http_provider import HttpProvider, open_provider
from sms_stage import PHONES, Stage, add_devices

from waypost.api.http import HttpApi
from waypost.settings import Settings
from waypost.sms import callbacks, inbound

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef"


class World:
    """A server with an HTTP provider, and the provider's way back."""

    def __init__(self, stage: Stage, client: httpx.AsyncClient, provider: HttpProvider) -> None:
        self.stage = stage
        self.client = client
        self.provider = provider

    async def call(self, kind: str, json: Any = None, **more: Any) -> int:
        """Status of a call that knows the secret."""
        params = {"secret": SECRET, **more.pop("params", {})}
        if json is not None:
            more["json"] = json
        reply = await self.client.post(f"/sms/http/{kind}", params=params, **more)
        return reply.status_code

    async def sent(self, source_id: int = 1, **how: Any) -> int:
        """A command that the provider has."""
        command = await self.stage.tell("getver", source_id, **how)
        await self.stage.sent(command)
        return command


@asynccontextmanager
async def open_world(data_dir: Path, **more: Any) -> AsyncIterator[World]:
    async with open_provider() as provider:
        settings = Settings(
            data_dir=data_dir,
            sms_provider="http",
            sms_http_url=provider.url,
            sms_http_message_id='"id": "([^"]+)"',
            sms_http_secret=SECRET,
            sms_rate=0,
            **more,
        )
        async with open_services(settings, quick_passwords()) as services:
            await add_devices(services.database)
            stage = Stage(settings, services.database, services.bus)  # type: ignore[arg-type]
            services.sms = stage.inbound
            transport = httpx.ASGITransport(HttpApi(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
                await stage.start()
                yield World(stage, client, provider)
                await stage.stop()


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[World]:
    async with open_world(data_dir) as world:
        yield world


async def test_a_report_ends_the_command(world: World) -> None:
    command = await world.sent()
    assert await world.call("delivery", {"id": "h-1", "status": "sent"}) == 200
    assert (await world.stage.command(command)).finished_at is None
    assert await world.call("delivery", {"id": "h-1", "status": "DELIVERED"}) == 200
    row = await world.stage.command(command)
    assert (row.state, await world.stage.attempts(command)) == ("acknowledged", ["delivered"])
    # Once more, and then the contrary: nothing changes.
    assert await world.call("delivery", {"id": "h-1", "status": "delivered"}) == 200
    assert await world.call("delivery", {"id": "h-1", "status": "failed"}) == 200
    assert (await world.stage.command(command)).state == "acknowledged"


async def test_a_report_of_failure(world: World) -> None:
    once = await world.sent(reliable=False)
    again = await world.sent(2)
    form = {"data": {"id": "h-1", "status": "undelivered"}}
    assert await world.call("delivery", **form) == 200
    row = await world.stage.command(once)
    assert (row.state, row.error) == ("failed", "the network reports undelivered")
    reply = await world.client.get(
        "/sms/http/delivery", params={"secret": SECRET, "id": "h-2", "status": "UNDELIV"}
    )
    assert reply.status_code == 200
    row = await world.stage.command(again)
    assert (row.state, row.attempts) == ("queued", 1)
    assert row.due_at > row.sent_at


async def test_the_secret(world: World) -> None:
    command = await world.sent()
    report = {"id": "h-1", "status": "delivered"}

    async def code(path: str = "/sms/http/delivery", **how: Any) -> int:
        return (await world.client.post(path, json=how.pop("json", report), **how)).status_code

    basic = base64.b64encode(f"anybody:{SECRET}".encode()).decode()
    wrong = base64.b64encode(b"anybody:wrong").decode()
    assert await code() == 403
    assert await code(params={"secret": "wrong"}) == 403
    assert await code(params={"secret": ""}) == 403
    assert await code(params={"secret": "ü" * 16}) == 403
    assert await code(json={**report, "secret": 7}) == 403
    assert await code(json={**report, "secret": None}) == 403
    for header in ("Bearer wrong", f"Basic {wrong}", "Basic ???", "Basic", "", f"Digest {SECRET}"):
        assert await code(headers={"Authorization": header}) == 403
    # Nobody is told what is wrong with a request before the secret is right.
    assert (await world.client.post("/sms/http/delivery", content=b"{")).status_code == 403
    assert (await world.stage.command(command)).state == "sent"
    # One of many is written down, or strangers could fill the database.
    assert [one[0] for one in await world.stage.incoming()] == ["forged"]
    assert await code(headers={"Authorization": f"Bearer {SECRET}"}) == 200
    assert await code(headers={"Authorization": f"Basic {basic}"}) == 200
    assert await code(json={**report, "secret": SECRET}) == 200
    assert (await world.stage.command(command)).state == "acknowledged"


async def test_what_is_not_in_a_call(world: World) -> None:
    for kind, given, missing in (
        ("delivery", {"status": "delivered"}, "id"),
        ("delivery", {"id": "", "status": "delivered"}, "id"),
        ("delivery", {"id": ["h-1"], "status": "delivered"}, "id"),
        ("delivery", {"id": "h-1"}, "status"),
        ("incoming", {"text": "hello"}, "from"),
        ("incoming", {"from": PHONES[1]}, "text"),
        ("incoming", {"from": None, "text": "x"}, "from"),
    ):
        reply = await world.client.post(f"/sms/http/{kind}", params={"secret": SECRET}, json=given)
        assert (reply.status_code, reply.text) == (400, f"there is no {missing}")
    for content in (b"{", b'{"a": 1} x', b"[1, 2", b'{"id": "\\ud800"}'):
        reply = await world.client.post(
            "/sms/http/delivery",
            headers={"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
            content=content,
        )
        assert (reply.status_code, reply.text) == (400, "the request cannot be read")
    assert await world.call("delivery", content=b"") == 400
    assert await world.stage.incoming() == []


async def test_other_addresses_and_methods(world: World, data_dir: Path) -> None:
    reply = await world.client.put("/sms/http/delivery", params={"secret": SECRET})
    assert reply.status_code == 405
    for path in ("/sms/smpp/delivery", "/sms/http/other", "/sms/http", "/sms/HTTP/delivery"):
        reply = await world.client.post(path, params={"secret": SECRET}, json={"id": "1"})
        assert reply.status_code not in (200, 500), path
        assert reply.json()["success"] is False


async def test_oversized_calls(data_dir: Path) -> None:
    async with open_world(data_dir, api_body=1000, api_rate=0) as world:
        big = {"from": PHONES[1], "text": "x" * 2000}
        assert await world.call("incoming", big) == 413
        assert await world.stage.incoming() == []


async def test_too_many_messages_in_one_call(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "MOST", 3)
    async with open_world(data_dir, sms_http_list="results") as world:
        one = {"id": "x", "status": "delivered"}
        assert await world.call("delivery", {"results": [one] * 3}) == 200
        assert await world.call("delivery", {"results": [one] * 4}) == 400
        assert await world.call("delivery", {"results": one}) == 400
        assert await world.call("delivery", {"results": [one, 7]}) == 400
        assert await world.call("delivery", {}) == 400
        assert await world.call("delivery", {"results": []}) == 200


async def test_a_report_that_comes_before_the_answer(world: World) -> None:
    world.provider.slow = 0.5
    command = await world.stage.tell("getver")
    await world.stage.until(command, lambda _: world.provider.requests)
    assert await world.call("delivery", {"id": "h-1", "status": "delivered"}) == 200
    await world.stage.becomes(command, "acknowledged")
    assert await world.stage.attempts(command) == ["delivered"]


async def test_reports_on_what_nobody_knows(world: World) -> None:
    assert await world.call("delivery", {"id": "nobody's", "status": "delivered"}) == 200
    assert await world.call("delivery", {"id": "x" * 5000, "status": "failed"}) == 200
    assert await world.call("delivery", {"id": 12345678901234567890, "status": "failed"}) == 200


async def test_an_answer_ends_its_command(world: World) -> None:
    command = await world.sent()
    said = {"from": "+" + PHONES[1], "to": "100", "text": "Ver:1 ü", "id": "in-1"}
    for _ in range(2):  # what comes twice is one message
        assert await world.call("incoming", said) == 200
    row = await world.stage.command(command)
    assert (row.state, row.answer) == ("acknowledged", "Ver:1 ü")
    assert await world.stage.incoming() == [("answer", "+" + PHONES[1], "Ver:1 ü", command)]


async def test_a_sender_that_is_no_device(world: World) -> None:
    command = await world.sent()
    for sender in ("491709999999", "BANK", "", "🚚", "x" * 5000):
        assert await world.call("incoming", {"from": sender, "text": "me"}) in (200, 400)
    assert {one[0] for one in await world.stage.incoming()} == {"unknown"}
    assert (await world.stage.command(command)).state == "sent"


async def test_another_providers_names(data_dir: Path) -> None:
    chosen = {
        "sms_http_list": "results",
        "sms_http_delivery_id": "message.ids.0",
        "sms_http_delivery_status": "status.code",
        "sms_http_delivered": ["3", "true"],
        "sms_http_failed": ["5"],
        "sms_http_incoming_from": "sender",
        "sms_http_incoming_text": "body",
        "sms_http_incoming_id": "",
    }
    async with open_world(data_dir, **chosen) as world:
        first, second = await world.sent(), await world.sent(2, reliable=False)
        told = [
            {"message": {"ids": ["h-1"]}, "status": {"code": 3}},
            {"message": {"ids": ["h-2"]}, "status": {"code": 5}},
            {"message": {"ids": ["h-3"]}, "status": {"code": True}},
        ]
        assert await world.call("delivery", {"results": told}) == 200
        assert (await world.stage.command(first)).state == "acknowledged"
        assert (await world.stage.command(second)).error == "the network reports 5"
        said = [{"sender": PHONES[2], "body": text} for text in ("", "two")]
        assert await world.call("incoming", {"results": said}) == 200
        assert sorted(one[2] for one in await world.stage.incoming()) == ["", "two"]


async def test_a_list_that_is_all_there_is(data_dir: Path) -> None:
    async with open_world(data_dir, sms_http_list="[]") as world:
        command = await world.sent()
        assert await world.call("delivery", [{"id": "h-1", "status": "delivered"}]) == 200
        assert (await world.stage.command(command)).state == "acknowledged"


async def test_what_cannot_be_stored_is_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "MOST_WAITING", 0)
    report = {"id": "h-1", "status": "delivered"}
    assert await world.call("delivery", report) == 503
    monkeypatch.setattr(inbound, "MOST_WAITING", 10)
    assert await world.call("delivery", report) == 200


async def test_strangers_are_slowed_down(data_dir: Path) -> None:
    async with open_world(data_dir, api_rate=5) as world:
        codes = [
            (await world.client.post("/sms/http/delivery", json={"id": "x"})).status_code
            for _ in range(40)
        ]
        assert set(codes) == {403, 429}
        # The provider is not.
        for number in range(40):
            assert await world.call("delivery", {"id": f"{number}", "status": "sent"}) == 200


async def test_without_a_secret_nobody_may_call(data_dir: Path) -> None:
    async with open_world(data_dir) as world:
        world.stage.settings.sms_http_secret = ""
        assert await world.call("delivery", {"id": "h-1", "status": "delivered"}) == 403
        assert (
            await world.call("delivery", {"id": "1", "status": "x"}, params={"secret": ""}) == 403
        )
