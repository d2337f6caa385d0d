"""What the client does where a server is busy, away, or something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from waypost.client import AsyncClient, Client, Refused, Retries, UnexpectedReply, Unreachable

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
