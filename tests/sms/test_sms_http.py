"""The provider ``http`` against a real server, and the provider ``log``."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import structlog
from sms_http_provider import HttpProvider, open_provider
from sms_stage import PHONES, REGISTRATION, open_stage

from waypost.sms import provider as sms_provider

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef"
#: What has to be escaped wherever it goes.
HARD = 'a&b=c "d" <e> \\ 100% + ü € 🚚\nnext line {from} {"x": 1}'


@pytest.fixture
async def provider() -> AsyncIterator[HttpProvider]:
    async with open_provider() as provider:
        yield provider


def settings(provider: HttpProvider, **more: Any) -> dict[str, Any]:
    return {
        "sms_provider": "http",
        "sms_http_url": f"{provider.url}/send",
        "sms_http_headers": ["Content-Type: application/json", "Authorization: Bearer k-1"],
        "sms_http_body": '{"to": "+{to}", "text": "{text}", "from": "{from}", "ref": "{id}",'
        ' "seconds": {life}}',
        "sms_http_success": r'"id"',
        "sms_http_message_id": r'"id": *"([^"]+)"',
        "sms_http_secret": SECRET,
        "sms_sender": "Waypost",
        "sms_rate": 0,
        **more,
    }


async def test_json(provider: HttpProvider, data_dir: Path) -> None:
    async with open_stage(data_dir, **settings(provider)) as stage:
        command = await stage.tell(HARD)
        row = await stage.sent(command)
        assert (row.state, row.finished_at) == ("sent", None)
        assert await stage.attempts(command) == ["accepted"]
    (request,) = provider.requests
    assert (request["method"], request["path"]) == ("POST", "/send")
    assert request["headers"]["authorization"] == "Bearer k-1"
    body = json.loads(request["body"])
    seconds = body.pop("seconds")
    assert 3500 < seconds <= 3600
    assert body == {
        "to": "+" + PHONES[1],
        "text": HARD,
        "from": "Waypost",
        "ref": f"{command}-1",
    }


async def test_url_and_header(provider: HttpProvider, data_dir: Path) -> None:
    chosen = settings(
        provider,
        sms_http_method="GET",
        sms_http_url=provider.url + "/to/{to}?text={text}&key=k",
        sms_http_headers=["X-Text: {text}"],
        sms_http_body="",
    )
    async with open_stage(data_dir, **chosen) as stage:
        await stage.sent(await stage.tell(HARD))
    (request,) = provider.requests
    assert (request["method"], request["path"]) == ("GET", f"/to/{PHONES[1]}")
    assert request["query"] == {"text": HARD, "key": "k"}
    assert request["headers"]["x-text"].startswith('a&b=c "d" <e> \\ 100% + ? ? ??next')
    assert request["body"] == b""


async def test_form_and_xml(provider: HttpProvider, data_dir: Path) -> None:
    form = settings(
        provider,
        sms_http_headers=["Content-Type: application/x-www-form-urlencoded"],
        sms_http_body="to={to}&text={text}",
    )
    async with open_stage(data_dir / "form", **form) as stage:
        await stage.sent(await stage.tell(HARD))
    xml = settings(
        provider,
        sms_http_headers=["Content-Type: text/xml; charset=utf-8"],
        sms_http_body='<sms to="{to}" text="{text}"/>',
    )
    async with open_stage(data_dir / "xml", **xml) as stage:
        await stage.sent(await stage.tell(HARD))
    first, second = provider.requests
    assert parse_qs(first["body"].decode()) == {"to": [PHONES[1]], "text": [HARD]}
    text = re.search(r'text="([^"]*)"', second["body"].decode(), re.DOTALL)
    assert text is not None
    assert "&amp;b=c &quot;d&quot; &lt;e&gt;" in text[1]


async def test_a_provider_without_reports(provider: HttpProvider, data_dir: Path) -> None:
    for more in ({"sms_http_secret": ""}, {"sms_http_message_id": ""}):
        (name,) = more
        async with open_stage(data_dir / name, **settings(provider, **more)) as stage:
            command = await stage.tell("hello")
            row = await stage.until(command, lambda row: row.finished_at)
            assert (row.state, row.error) == ("sent", None)
            assert await stage.attempts(command) == ["unanswered"]


@pytest.mark.parametrize("answer", [b'{"id": ""}', b'{"id": null}'])
async def test_an_answer_without_an_id(
    provider: HttpProvider, data_dir: Path, answer: bytes
) -> None:
    provider.answers = [(200, answer)]
    async with open_stage(data_dir, **settings(provider)) as stage:
        row = await stage.until(await stage.tell("hello"), lambda row: row.finished_at)
        assert row.state == "sent"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((400, b'{"error": "no credit"}'), 'the provider answers 400: {"error": "no credit"}'),
        ((200, b'{"error": "no credit"}'), 'the provider answers 200: {"error": "no credit"}'),
        ((302, b""), "the provider answers 302"),
        ((200, b"\xff\xfe garbage \0"), "the provider answers 200: "),
        ((404, b"x" * 200_000), "the provider answers 404: xxx"),
    ],
)
async def test_what_the_provider_refuses(
    provider: HttpProvider, data_dir: Path, database_url: str, answer: Any, reason: str
) -> None:
    provider.answers = [answer]
    async with open_stage(data_dir, database_url, **settings(provider)) as stage:
        command = await stage.tell("hello")
        row = await stage.becomes(command, "failed")
        assert row.error.startswith(reason)
        assert len(row.error) < 300
        assert await stage.attempts(command) == ["refused"]


@pytest.mark.parametrize("reliable", [True, False])
async def test_500_is_uncertain(provider: HttpProvider, data_dir: Path, reliable: bool) -> None:
    provider.answers = [(500, b"oops")]
    chosen = settings(provider, command_timeout=1)
    async with open_stage(data_dir, **chosen) as stage:
        command = await stage.tell("hello", reliable=reliable)
        if reliable:
            _, outcomes = await stage.sent_again(command)
            assert outcomes == ["timeout", "accepted"]
            references = [json.loads(one["body"])["ref"] for one in provider.requests]
            assert references == [f"{command}-1", f"{command}-2"]
        else:
            row = await stage.becomes(command, "failed")
            assert row.error == "the provider answers 500: oops"


@pytest.mark.parametrize("reliable", [True, False])
async def test_no_answer_is_uncertain(
    provider: HttpProvider, data_dir: Path, reliable: bool
) -> None:
    """Not even where it says a byte now and then."""
    provider.answers = [None]
    chosen = settings(provider, sms_timeout=1, command_timeout=1)
    async with open_stage(data_dir, **chosen) as stage:
        command = await stage.tell("hello", reliable=reliable)
        await stage.sent(await stage.tell("to another", 2))
        if reliable:
            await stage.until(command, lambda row: row.attempts == 2)
        else:
            row = await stage.becomes(command, "failed")
            assert row.error == "no answer of the provider within 1 s"
        await asyncio.wait_for(provider.gone.wait(), 20)


@pytest.mark.parametrize("status", [429, 503])
async def test_not_so_fast(provider: HttpProvider, data_dir: Path, status: int) -> None:
    provider.answers = [(status, b"slow down")]
    async with open_stage(data_dir, **settings(provider)) as stage:
        command = await stage.tell("hello", reliable=False)
        row = await stage.sent(command)
        assert (row.state, row.attempts) == ("sent", 1)
    assert len(provider.requests) == 2


async def test_a_provider_that_is_not_there(
    provider: HttpProvider, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sms_provider, "LONGEST_TURN", 0.1)
    chosen = settings(provider, sms_http_url="http://127.0.0.1:1/send")
    async with open_stage(data_dir, **chosen) as stage:
        command = await stage.tell("hello", reliable=False)
        row = await stage.until(command, lambda row: row.error)
        assert (row.state, row.attempts) == ("queued", 0)
        assert row.error.startswith("the provider cannot be reached: ")
        await stage.expired("the provider cannot be reached: ")


async def test_a_request_that_cannot_be_made(provider: HttpProvider, data_dir: Path) -> None:
    chosen = settings(provider, sms_http_url="http://host:port{to}/")
    async with open_stage(data_dir, **chosen) as stage:
        row = await stage.becomes(await stage.tell("hello"), "failed")
        assert row.error.startswith("the templates make no request: ")


async def test_rate_and_window(provider: HttpProvider, data_dir: Path) -> None:
    provider.slow = 0.1
    chosen = settings(provider, sms_window=1)
    async with open_stage(data_dir, started=False, **chosen) as stage:
        told = [await stage.tell(f"{number}", 1 + number % 2) for number in range(6)]
        await stage.start()
        for command in told:
            await stage.sent(command)
    assert provider.most == 1


async def test_what_a_provider_says_of_a_text_with_passwords_is_not_shown(
    provider: HttpProvider, data_dir: Path
) -> None:
    provider.answers = [(400, b"bad text: devpass setparam ... 2003:apnsecret")]
    with structlog.testing.capture_logs() as logs:
        async with open_stage(data_dir, **settings(provider)) as stage:
            command = await stage.tell(REGISTRATION, kind="registration")
            row = await stage.becomes(command, "failed")
    assert row.error == "the provider answers 400"
    assert "devpass" in json.loads(provider.requests[0]["body"])["text"]
    assert "devpass" not in str(logs)
    assert "k-1" not in str(logs)


async def test_the_log(data_dir: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with open_stage(data_dir, sms_provider="log") as stage:
            command = await stage.tell(REGISTRATION, kind="registration")
            row = await stage.until(command, lambda row: row.finished_at)
            assert row.state == "sent"
    texts = [one["text"] for one in logs if one["event"] == "sms"]
    assert len(texts) == 2
    assert "gps.example.org" in texts[1]
    assert "devpass" not in str(logs)
    assert "apnsecret" not in str(logs)
