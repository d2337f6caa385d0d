"""The bus, in one process and over a real NATS server."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from waypost.bus.base import matches
from waypost.bus.local import LocalBus
from waypost.bus.nats import NatsBus


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_nats(port: int) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).parent / "nats-server"
    found = str(program) if program.exists() else shutil.which("nats-server")
    assert found, "nats-server comes with the development dependencies"
    process = subprocess.Popen(
        [found, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return process
    raise AssertionError("nats-server did not start")


@pytest.fixture(scope="module")
def nats_url() -> Iterator[str]:
    port = free_port()
    process = start_nats(port)
    yield f"nats://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not happen in time")


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("state.*", "state.17", True),
        ("state.*", "state.17.x", False),
        ("fleet.>", "fleet.user.3", True),
        ("fleet.>", "fleet", False),
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("*.b", "a.b", True),
        ("a.*.c", "a.b.c", True),
    ],
)
def test_patterns(pattern: str, subject: str, fits: bool) -> None:
    assert matches(pattern, subject) is fits


async def test_in_one_process_a_message_is_heard_at_once_and_in_order() -> None:
    bus = LocalBus()
    heard: list[tuple[str, bytes]] = []
    subscription = await bus.subscribe("state.*", lambda *message: heard.append(message))
    bus.publish("state.1", b"a")
    bus.publish("state.2", b"b")
    bus.publish("other.1", b"c")
    assert heard == [("state.1", b"a"), ("state.2", b"b")]
    await subscription.close()
    bus.publish("state.3", b"d")
    assert len(heard) == 2
    await bus.close()


async def test_one_handler_that_fails_holds_up_no_other() -> None:
    bus = LocalBus()
    heard: list[str] = []

    def fails(subject: str, payload: bytes) -> None:
        raise RuntimeError("broken")

    async def slow(subject: str, payload: bytes) -> None:
        await asyncio.sleep(0.01)
        heard.append(subject)

    await bus.subscribe("x.>", fails)
    await bus.subscribe("x.>", slow)
    bus.publish("x.1")
    await bus.close()
    assert heard == ["x.1"]


async def test_processes_hear_each_other_once_and_in_order(nats_url: str) -> None:
    one, two = await NatsBus.open(nats_url), await NatsBus.open(nats_url)
    at_one: list[bytes] = []
    at_two: list[bytes] = []
    await one.subscribe("state.*", lambda _, payload: at_one.append(payload))
    await two.subscribe("state.*", lambda _, payload: at_two.append(payload))
    await asyncio.sleep(0.1)
    sent = [b"%d" % n for n in range(500)]
    for payload in sent:
        one.publish("state.1", payload)
    assert at_one == sent, "a process hears itself at once"
    await until(lambda: len(at_two) >= 500)
    await asyncio.sleep(0.05)
    assert at_two == sent
    assert at_one == sent, "and not a second time"
    await one.close()
    await two.close()


async def test_a_bus_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    server = start_nats(port)
    reconnected = asyncio.Event()
    one = await NatsBus.open(f"nats://127.0.0.1:{port}", reconnected.set)
    two = await NatsBus.open(f"nats://127.0.0.1:{port}")
    heard: list[bytes] = []
    own: list[bytes] = []
    await two.subscribe("a.>", lambda _, payload: heard.append(payload))
    await one.subscribe("a.>", lambda _, payload: own.append(payload))
    server.terminate()
    server.wait(10)
    one.publish("a.b", b"meanwhile")
    assert own == [b"meanwhile"], "the process itself goes on"
    server = start_nats(port)
    await asyncio.wait_for(reconnected.wait(), 20)

    async def publish_until_heard() -> None:
        while b"again" not in heard:
            one.publish("a.b", b"again")
            await asyncio.sleep(0.1)

    await asyncio.wait_for(publish_until_heard(), 20)
    await one.close()
    await two.close()
    server.terminate()
    server.wait(10)
