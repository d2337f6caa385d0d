"""What connections of live events may do, and what becomes of those that misbehave."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from live_world import LiveWorld, all_of, some_of, until
from websockets.exceptions import InvalidStatus

from waypost.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        api_rate=0,
        http="127.0.0.1:0",
        api_origins=["https://app.example.org"],
        live_connections_per_user=3,
        live_message=20_000,
        live_ping=1,
        live_hello=60,
    )


WRONG: list[tuple[Any, int, str | None]] = [
    ("{", 5, None),
    ("[]", 5, None),
    ("42", 5, None),
    ("\x00", 5, None),
    ('"' + "[" * 5000, 5, None),
    ("[" * 5000, 5, None),
    ({}, 5, None),
    ({"action": 5}, 5, None),
    ({"action": "fly"}, 112, None),
    ({"action": "subscribe"}, 7, "requests"),
    ({"action": "subscribe", "requests": {}}, 7, "requests"),
    ({"action": "subscribe", "requests": []}, 7, "requests"),
    ({"action": "subscribe", "requests": [None]}, 7, "requests[0]"),
    ({"action": "subscribe", "requests": [{}]}, 7, "requests[0].type"),
    ({"action": "subscribe", "requests": [{"type": "weather"}]}, 7, "requests[0].type"),
    ({"action": "subscribe", "requests": [{"type": "state"}]}, 7, "requests[0].target"),
    (
        {"action": "subscribe", "requests": [{"type": "state", "trackers": ["x"]}]},
        7,
        "requests[0].trackers[0]",
    ),
    (
        {"action": "subscribe", "requests": [{"type": "state", "target": {"type": "near"}}]},
        7,
        "requests[0].target.type",
    ),
    (
        {"action": "subscribe", "requests": [{"type": "state", "target": {"type": "selected"}}]},
        7,
        "requests[0].target.tracker_ids",
    ),
    (
        {"action": "subscribe", "requests": [all_of("state_batch", rate_limit="soon")]},
        7,
        "requests[0].rate_limit",
    ),
    (
        {"action": "subscribe", "requests": [all_of("state_batch", rate_limit="2000h")]},
        7,
        "requests[0].rate_limit",
    ),
    (
        {"action": "subscribe", "requests": [all_of("state", format="brief")]},
        7,
        "requests[0].format",
    ),
    ({"action": "subscribe", "events": ["weather"], "trackers": []}, 7, "events[0]"),
    ({"action": "subscribe", "events": ["state"]}, 7, "trackers"),
    ({"action": "subscribe", "requests": [all_of("state")]}, 3, None),
    ({"action": "unsubscribe", "requests": [all_of("state")], "hash": "no"}, 3, None),
    ({"action": "subscribe", "requests": [all_of("state")], "hash": "0" * 32}, 4, None),
]


async def test_wrong_messages_are_answered_and_do_no_harm(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    client = await live.connect()
    for message, code, parameter in WRONG:
        await client.send(message)
        answer = await client.next()
        assert (answer["type"], answer["status"]["code"]) == ("error", code), (message, answer)
        assert answer["status"]["description"]
        action = message.get("action") if isinstance(message, dict) else None
        named = isinstance(action, str)
        assert answer["action"] == (f"subscription/{action}" if named else "null")
        if parameter is not None:
            assert [one["parameter"] for one in answer["errors"]] == [parameter]
    await client.socket.send(b"\xff\xfe")
    assert (await client.next())["status"]["code"] == 5
    await client.send(live.wish(some_of("state", tracker)))
    assert (await client.next())["type"] == "response"
    panel = live.wish(all_of("state"), who="panel")
    await client.event("state")
    await client.send(panel)
    assert (await client.next())["status"]["code"] == 4, "a panel session is none of the user API"


async def test_an_error_names_what_was_asked(live: LiveWorld) -> None:
    client = await live.connect()
    wish = {"action": "subscribe", "hash": "x", "events": ["state"], "trackers": [15564]}
    await client.send(wish)
    assert await client.next() == {
        "type": "error",
        "action": "subscription/subscribe",
        "status": {"code": 3, "description": "Wrong hash"},
        "data": {"events": ["state"], "trackers": [15564]},
    }


async def test_the_hash_of_the_address_and_api_keys_are_good(live: LiveWorld) -> None:
    await live.world.register("One")
    key = await live.world.call("api/key/create", title="Map")
    client = await live.connect(f"/event/subscription?hash={key['value']['hash']}")
    await client.send({"action": "subscribe", "requests": [all_of("state")]})
    assert (await client.next())["type"] == "response"
    await client.event("state")


async def test_where_no_websocket_is(live: LiveWorld) -> None:
    async def status(path: str, **options: Any) -> int:
        with pytest.raises(InvalidStatus) as refused:
            await live.connect(path, **options)
        response = refused.value.response
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert b'"success":false' in bytes(response.body or b"")
        return int(response.status_code)

    assert await status("/tracker/list") == 404
    assert await status("/event/subscription", origin="https://evil.example.org") == 403
    assert await status("/event/subscription?" + "&".join("a=1" for _ in range(60))) == 400
    client = await live.connect(origin="https://app.example.org")
    await client.send("X")


async def test_too_many_connections_of_a_user(live: LiveWorld) -> None:
    clients = [await live.subscribe(all_of("state")) for _ in range(3)]
    assert all(answer["type"] == "response" for _, answer in clients)
    _, refused = await live.subscribe(all_of("state"))
    assert refused["status"]["code"] == 15
    _, other = await live.subscribe(all_of("state"), who="stranger")
    assert other["type"] == "response"
    await clients[0][0].socket.close()
    await asyncio.sleep(0.1)
    _, answer = await live.subscribe(all_of("state"))
    assert answer["type"] == "response"


async def test_a_message_that_is_too_long(live: LiveWorld) -> None:
    client = await live.connect()
    await client.send("x" * 20_001)
    assert await client.closed() == 1009
    pieces = await live.connect()
    with pytest.raises(Exception, match="1009"):  # noqa: PT012 - when it is noticed is open
        await pieces.socket.send("y" * 9000 for _ in range(100))
        await pieces.socket.recv()


async def test_who_never_subscribes_is_closed(live: LiveWorld) -> None:
    live.live.settings.live_hello = 1
    client = await live.connect()
    assert await client.closed(6) == 1000


async def test_a_client_that_is_gone_without_a_word(live: LiveWorld) -> None:
    """Its machine lost power: no pong comes."""
    raw = await _raw(live)
    await asyncio.sleep(0.1)
    assert len(live.live.sockets) == 1
    await until(lambda: not live.live.sockets)
    raw.close()
    assert live.live.metrics.gone == 1


async def test_a_living_client_is_kept(live: LiveWorld) -> None:
    live.live.settings.live_ping = 3  # a busy machine may answer after a second
    tracker = await live.world.register("One")
    client, _ = await live.subscribe(all_of("state"))
    await client.event("state")
    await client.silent(7)  # the library answers pings meanwhile
    await live.report(tracker)
    await client.event("state")


async def _raw(live: LiveWorld) -> socket.socket:
    """A connection after its handshake, without a library that answers anything."""
    host, port = live.address.removeprefix("ws://").split(":")
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await loop.sock_connect(raw, (host, int(port)))
    request = (
        f"GET /event/subscription HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    assert (await loop.sock_recv(raw, 1000)).startswith(b"HTTP/1.1 101")
    return raw


async def test_many_wishes_at_once(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    client = await live.connect()
    wish = live.wish(some_of("state", tracker))
    for _ in range(300):
        await client.send(wish)
    answers = 0
    while answers < 300:
        answers += (await client.next())["type"] == "response"


async def test_stopping_says_good_bye(live: LiveWorld) -> None:
    client, _ = await live.subscribe(all_of("state"))
    for connection in list(live.live.sockets):
        connection.shutdown()
    assert await client.closed() == 1001
