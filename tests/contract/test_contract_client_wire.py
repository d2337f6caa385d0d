"""What the client does where a server is busy, away, or something else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from waypost.client import (
    AsyncClient,
    Client,
    CodeRequired,
    Page,
    Refused,
    Retries,
    UnexpectedReply,
    Unreachable,
)

QUICK = Retries(most=3, first=0.001, longest=0.002)
BUSY = {"success": False, "status": {"code": 15, "description": "Too many requests"}}


def answering(
    *answers: tuple[int, Any],
) -> tuple[Callable[[httpx.Request], httpx.Response], list[Any]]:
    """A server that gives these answers in turn, the last one for ever, and what it was sent."""
    heard: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(json.loads(request.content))
        status, content = answers[min(len(heard), len(answers)) - 1]
        if isinstance(content, Exception):
            raise content
        if isinstance(content, str):
            return httpx.Response(status, text=content)
        return httpx.Response(status, json=content)

    return answer, heard


def client_for(*answers: tuple[int, Any]) -> tuple[Client, list[Any]]:
    answer, heard = answering(*answers)
    transport = httpx.MockTransport(answer)
    return Client("http://waypost", hash="0" * 32, retries=QUICK, transport=transport), heard


def test_a_call_that_was_one_too_many_is_made_again() -> None:
    client, heard = client_for((429, BUSY), (400, BUSY), (200, {"success": True, "list": []}))
    assert client.tracker.list() == []
    assert len(heard) == 3


def test_but_not_for_ever() -> None:
    client, heard = client_for((429, BUSY))
    with pytest.raises(Refused) as busy:
        client.tracker.list()
    assert (busy.value.code, len(heard)) == (15, 4)


async def test_with_an_event_loop_likewise() -> None:
    answer, heard = answering((429, BUSY), (200, {"success": True, "list": []}))
    transport = httpx.MockTransport(answer)
    async with AsyncClient("http://waypost", retries=QUICK, transport=transport) as client:
        assert await client.tracker.list() == []
    assert len(heard) == 2


def test_other_refusals_come_at_once() -> None:
    gone = {"success": False, "status": {"code": 14, "description": "away"}, "list": [1]}
    client, heard = client_for((503, gone))
    with pytest.raises(Refused) as refused:
        client.tracker.list()
    assert (refused.value.code, refused.value.http, refused.value.extra) == (14, 503, {"list": [1]})
    assert len(heard) == 1


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset")]
)
async def test_no_answer_is_an_error_of_its_own(error: Exception) -> None:
    client, _ = client_for((200, error))
    with pytest.raises(Unreachable):
        client.tracker.list()
    answer, _ = answering((200, error))
    async with AsyncClient("http://waypost", transport=httpx.MockTransport(answer)) as other:
        with pytest.raises(Unreachable):
            await other.tracker.list()


@pytest.mark.parametrize(
    "answer",
    [
        (502, "<html>Bad gateway</html>"),
        (404, ""),
        (500, []),
        (400, {"success": False}),
        (400, {"success": False, "status": 5}),
        (200, "<html>Log in to the hotel's network</html>"),
        (200, {"success": True}),
        (200, {"success": True, "list": [{"id": "x"}]}),
    ],
)
def test_an_answer_that_is_not_the_apis_is_called_so(answer: tuple[int, Any]) -> None:
    client, _ = client_for(answer)
    with pytest.raises(UnexpectedReply):
        client.tracker.list()


def test_fields_that_are_new_do_not_matter() -> None:
    client, _ = client_for((200, {"success": True, "id": 7, "colour": "red"}))
    assert client.tracker.group.create(title="a", color="000000") == 7


def test_what_is_left_out_is_not_sent_and_moments_are_said_with_their_offset() -> None:
    client, heard = client_for((200, {"success": True, "list": [], "limit_exceeded": False}))
    start = datetime(2024, 3, 9, 12, 0, 0, tzinfo=UTC)
    client.track.list(tracker_id=1, from_=start, to=datetime(2024, 3, 9, 13, 0, 0))  # noqa: DTZ001
    client.tracker.list()
    assert heard == [
        {"tracker_id": 1, "from": "2024-03-09T12:00:00.000+00:00", "to": "2024-03-09 13:00:00"},
        {},
    ]


def half_a_log_in(request: httpx.Request) -> httpx.Response:
    """A server that asks for the code 123456."""
    sent = json.loads(request.content)
    reply: dict[str, Any]
    if request.url.path == "/v2/user/auth":
        reply = {"type": "second_factor_required", "factor_type": "email", "hash": "1" * 32}
    elif request.url.path == "/v2/user/auth/code/verify" and sent == {"code": "123456"}:
        assert request.headers["authorization"] == f"NVX {'1' * 32}"
        reply = {"hash": "2" * 32}
    else:
        assert request.headers["authorization"] == f"NVX {'2' * 32}"
        reply = {"list": []}
    return httpx.Response(200, json={"success": True, **reply})


async def test_a_code_is_asked_for_where_one_has_to_be_brought() -> None:
    transport = httpx.MockTransport(half_a_log_in)
    with Client("http://waypost", transport=transport) as client:
        with pytest.raises(CodeRequired) as asked:
            client.log_in("user@example.org", "secret")
        assert asked.value.hash == "1" * 32
        assert client.hash is None
        assert client.log_in("user@example.org", "secret", code=lambda: "123456") == "2" * 32
        assert client.tracker.list() == []

    async def ask() -> str:
        return "123456"

    for code in (ask, lambda: "123456"):
        async with AsyncClient("http://waypost", transport=transport) as other:
            assert await other.log_in("user@example.org", "secret", code=code) == "2" * 32
            assert await other.tracker.list() == []


def pages_of(total: int) -> Callable[[httpx.Request], httpx.Response]:
    """A server with a list of so many codes."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        some = range(total)[sent["offset"] : sent["offset"] + sent["limit"]]
        items = [{"id": n, "name": f"tariff {n}", "extra": sent.get("filter")} for n in some]
        return httpx.Response(200, json={"success": True, "list": items, "count": total})

    return answer


@pytest.mark.parametrize("total", [0, 1, 5, 6, 7])
async def test_long_lists_come_page_by_page(total: int) -> None:
    class Item(msgspec.Struct):
        id: int

    transport = httpx.MockTransport(pages_of(total))
    with Client("http://waypost", transport=transport) as client:

        def some(**parameters: Any) -> Page[Item]:
            return client.call("panel", "tracker/list", parameters, Page[Item])

        found = [item.id for item in client.pages(some, limit=3, filter="x")]
    assert found == list(range(total))
    async with AsyncClient("http://waypost", transport=transport) as other:

        async def more(**parameters: Any) -> Page[Item]:
            return await other.call("panel", "tracker/list", parameters, Page[Item])

        assert [item.id async for item in other.pages(more, limit=3)] == found


def test_nulls_may_be_left_out() -> None:
    """As the vendor's servers do."""
    source = {"id": 1, "device_id": "1", "model": "m", "blocked": False, "creation_date": "d"}
    tracker = {"id": 1, "label": "x", "group_id": 0, "clone": False, "tag_bindings": []}
    client, _ = client_for((200, {"success": True, "value": {**tracker, "source": source}}))
    assert client.tracker.read(tracker_id=1).source.phone is None


def test_it_needs_httpx_and_msgspec_and_nothing_of_the_server() -> None:
    script = (
        "import sys; before = set(sys.modules); import waypost.client; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    needed = {"waypost", "httpx", "msgspec", "httpcore", "h11", "anyio", "certifi", "idna"}
    others = set(done.stdout.split()) - set(sys.stdlib_module_names) - needed
    # What httpx itself looks for, if it is there.
    assert others <= {
        "sniffio",
        "typing_extensions",
        "click",
        "rich",
        "pygments",
        "markdown_it",
        "mdurl",
        "socksio",
        "brotli",
        "zstandard",
        "h2",
        "exceptiongroup",
        "attr",
        "attrs",
        "truststore",
    }, others
