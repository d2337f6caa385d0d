"""Devices over HTTP."""

from __future__ import annotations

import asyncio

import httpx
from gateway_world import Client, World, until


async def request(device: Client) -> tuple[int, dict[str, str], bytes]:
    """The next answer on the connection."""
    status = (await device.line()).split(" ")[1]
    headers = {}
    while (line := (await device.line()).strip()) != "":
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    body = await device.reader.readexactly(int(headers["content-length"]))
    return int(status), headers, body


async def test_answers_say_what_became_of_the_message(world: World) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.ports['web']}") as client:
        assert (await client.post("/", content="d1 a")).status_code == 200
        unknown = await client.post("/", content="new a")
        assert (unknown.status_code, unknown.text) == (403, "this device is not registered")
        bad = await client.post("/", content="d1 bad")
        assert (bad.status_code, bad.text) == (400, "this cannot be read")
        assert (await client.get("/")).status_code == 405
        world.ingest.error = RuntimeError("the disk is full")
        assert (await client.post("/", content="d1 b")).status_code == 500
        world.ingest.error = None
        world.directory.register("new", 5)
        assert (await client.post("/", content="new a")).status_code == 200
    assert world.ingest.stored == [(1, "a"), (5, "a")]


async def test_the_answer_waits_for_the_commit(world: World) -> None:
    world.ingest.manual = True
    device = await world.tcp("web")
    device.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a")
    await until(lambda: world.ingest.queue)
    assert await device.silent()
    world.ingest.commit()
    assert (await request(device))[0] == 200


async def test_keep_alive_pipelining_and_chunks(world: World) -> None:
    device = await world.tcp("web")
    device.send(
        "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a"
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nd1\r\n2\r\n b\r\n0\r\n\r\n"
        "GET / HTTP/1.1\r\n\r\n"
        "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\nd1 c"
    )
    answers = [await request(device) for _ in range(4)]
    assert [answer[0] for answer in answers] == [200, 200, 405, 200]
    assert [answer[1]["connection"] for answer in answers] == ["keep-alive"] * 3 + ["close"]
    assert await device.closed() == b""
    assert world.ingest.whats == ["a", "b", "c"]


async def test_a_head_in_pieces_and_a_client_that_asks_first(world: World) -> None:
    device = await world.tcp("web")
    for part in ("POST / HT", "TP/1.1\r\nExpect: 100-con", "tinue\r\nContent-Length: 4\r\n\r\n"):
        device.send(part)
        await asyncio.sleep(0.01)
    assert await device.line() == "HTTP/1.1 100 Continue\r"
    assert await device.line() == "\r"
    device.send("d1 a")
    assert (await request(device))[0] == 200


async def test_too_large_and_malformed_requests(world: World) -> None:
    cases = {
        "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + "x" * 5000: 413,
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + "x" * 2000: 413,
        "POST /" + "x" * 20_000 + " HTTP/1.1\r\n\r\n": 414,
        "POST / HTTP/1.1\r\nX: " + "x" * 20_000 + "\r\n\r\n": 431,
        "\x16\x03\x01 not http\r\n\r\n": 400,
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400,
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n": 400,
    }
    for text, status in cases.items():
        device = await world.tcp("web")
        device.send(text)
        assert (await request(device))[0] == status, text[:60]
        assert await device.closed() == b""


async def test_good_requests_before_a_bad_one_are_answered_first(world: World) -> None:
    device = await world.tcp("web")
    device.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 aNONSENSE\r\n\r\n")
    assert [(await request(device))[0], (await request(device))[0]] == [200, 400]
    assert await device.closed() == b""


async def test_slow_clients_are_timed_out(start: object) -> None:
    world = await start(connection_hello=1, connection_idle=1)  # type: ignore[operator]
    slow, quiet = await world.tcp("web"), await world.tcp("web")
    slow.send("POST / HTTP/1.1\r\nContent-Le")
    assert (await request(slow))[0] == 408
    assert await quiet.closed() == b""


async def test_a_proxy_may_send_for_many_devices(world: World) -> None:
    world.directory.register("d2", 2)
    device = await world.tcp("web")
    for number, name in enumerate(("d1", "d2", "d1", "new", "d2")):
        device.send(f"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n{(name + ' x')[:4]}")
        assert (await request(device))[0] == (403 if name == "new" else 200), number
    assert [kind for kind, _ in world.tap("d1")] == ["in", "out", "in", "out"]
    assert [kind for kind, _ in world.tap("d2")] == ["in", "out", "in", "out"]
    assert world.ingest.stored == [(1, "x"), (2, "x"), (1, "x"), (2, "x")]


async def test_a_client_that_does_not_wait_for_the_answer_is_stored(world: World) -> None:
    world.directory.delay = 0.05
    device = await world.tcp("web")
    device.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a")
    await device.close()
    await until(lambda: world.ingest.whats == ["a"])


async def test_a_directory_that_is_away(world: World) -> None:
    world.directory.error = OSError("no database")
    device = await world.tcp("web")
    device.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a")
    assert (await request(device))[0] == 500
    world.directory.error = None
    device.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a")
    assert (await request(device))[0] == 200
