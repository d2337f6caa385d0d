"""Devices over MQTT, with a real client (paho) and with bytes of our own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from gateway_world import Client, World, until
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties

from waypost.gateway.mqtt_codec import MqttError, Reader

V311, V5 = paho.MQTTv311, paho.MQTTv5
CONNECT = bytes.fromhex("101000044d5154540402003c000464657631")  # 3.1.1, clean, id dev1
CONNECT5 = bytes.fromhex("101100044d5154540502003c00000464657631")


class Device:
    """A paho client whose events the test can wait for."""

    def __init__(self, version: int, **options: Any) -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=options.pop("client_id", "dev"), protocol=version
        )
        self.acknowledged: list[tuple[int, Any]] = []
        self.connected: Any = None
        self.disconnected: Any = None
        self.subscribed: list[Any] = []
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = self._on_subscribe

    def _on_connect(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        self.connected = code

    def _on_disconnect(self, client: Any, data: Any, flags: Any, code: Any, props: Any) -> None:
        self.disconnected = code

    def _on_publish(self, client: Any, data: Any, mid: int, code: Any, properties: Any) -> None:
        self.acknowledged.append((mid, code))

    def _on_subscribe(self, client: Any, data: Any, mid: int, codes: Any, props: Any) -> None:
        self.subscribed += codes


@contextlib.asynccontextmanager
async def connected(world: World, version: int, **options: Any) -> AsyncIterator[Device]:
    """A device whose CONNECT was answered."""
    username, password = options.pop("login", ("web_device", "x"))
    keepalive = options.pop("keepalive", 60)
    device = Device(version, **options)
    device.client.username_pw_set(username, password)
    device.client.connect_async("127.0.0.1", world.ports["mqtt"], keepalive)
    device.client.loop_start()
    try:
        await until(lambda: device.connected is not None)
        yield device
    finally:
        await asyncio.to_thread(device.client.disconnect)
        await asyncio.to_thread(device.client.loop_stop)


@pytest.mark.parametrize("version", [V311, V5])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_messages_are_acknowledged_after_the_commit(
    world: World, version: int, qos: int
) -> None:
    world.ingest.manual = True
    async with connected(world, version) as device:
        assert not device.connected.is_failure
        device.client.publish("web/d1", "a", qos)
        await until(lambda: world.ingest.queue)
        await asyncio.sleep(0.1)
        assert len(device.acknowledged) == (qos == 0)
        world.ingest.commit()
        await until(lambda: device.acknowledged)
        assert not device.acknowledged[0][1].is_failure
    assert world.ingest.stored == [(1, "a")]


@pytest.mark.parametrize("version", [V311, V5])
async def test_many_messages_under_way(world: World, version: int) -> None:
    async with connected(world, version) as device:
        for number in range(200):
            device.client.publish("web/d1", str(number), 1)
        await until(lambda: len(device.acknowledged) == 200)
    assert world.ingest.whats == [str(number) for number in range(200)]


@pytest.mark.parametrize("version", [V311, V5])
async def test_what_cannot_be_stored_is_sent_again(world: World, version: int) -> None:
    world.ingest.error = RuntimeError("the disk is full")
    async with connected(world, version) as device:
        device.client.publish("web/d1", "a", 1)
        await until(lambda: device.disconnected is not None)
        assert not device.acknowledged
        world.ingest.error = None
        await until(lambda: device.acknowledged, 8)
    assert world.ingest.stored == [(1, "a")]


@pytest.mark.parametrize("version", [V311, V5])
async def test_an_unregistered_device_is_taken_up_once_claimed(world: World, version: int) -> None:
    async with connected(world, version) as device:
        for what in "abc":
            device.client.publish("web/new", what, 1)
        await asyncio.sleep(0.2)
        assert not device.acknowledged
        world.directory.register("new", 5)
        await until(lambda: len(device.acknowledged) == 3)
    assert world.ingest.stored == [(5, "a"), (5, "b"), (5, "c")]


async def test_passwords(world: World) -> None:
    world.directory.register("safe", 6, password="secret")
    async with connected(world, V5, login=("web_device", "secret")) as device:
        device.client.publish("web/safe", "a", 1)
        await until(lambda: device.acknowledged)
        assert not device.acknowledged[0][1].is_failure
    async with connected(world, V5, login=("web_device", "guess")) as device:
        device.client.publish("web/safe", "b", 1)
        await until(lambda: device.acknowledged)
        assert device.acknowledged[0][1].value == 0x87
    async with connected(world, V311, login=("web_device", "guess")) as device:
        device.client.publish("web/safe", "b", 1)
        await until(lambda: device.disconnected is not None)
    assert world.ingest.stored == [(6, "a")]


@pytest.mark.parametrize(("version", "code"), [(V311, "Not authorized"), (V5, "Not authorized")])
async def test_an_unknown_user_is_refused(world: World, version: int, code: str) -> None:
    async with connected(world, version, login=("somebody", "x")) as device:
        assert device.connected.is_failure


async def test_unreadable_messages(world: World) -> None:
    async with connected(world, V5) as device:
        device.client.publish("web/d1", "bad", 1)
        device.client.publish("elsewhere/d1", "a", 1)
        device.client.publish("web/d1", "good", 1)
        await until(lambda: len(device.acknowledged) == 3)
        assert [code.value for _, code in device.acknowledged] == [0x99, 0x90, 0]
    async with connected(world, V311) as device:
        device.client.publish("web/d1", "bad", 0)
        device.client.publish("web/d1", "good", 1)
        await until(lambda: len(device.acknowledged) == 2)
        device.client.publish("web/d1", "bad", 1)
        await until(lambda: device.disconnected is not None)
    assert world.ingest.whats == ["good", "good"]


async def test_a_message_over_the_bound_closes_with_the_reason(world: World) -> None:
    async with connected(world, V5) as device:
        device.client.publish("web/d1", "x" * 5000, 1)
        await until(lambda: device.disconnected is not None)
        assert device.disconnected.value == 0x95


@pytest.mark.parametrize("version", [V311, V5])
async def test_subscriptions_are_granted_and_stay_silent(world: World, version: int) -> None:
    async with connected(world, version) as device:
        device.client.subscribe([("web/d1/commands", 0), ("#", 2)])
        await until(lambda: device.subscribed)
        assert [code.value for code in device.subscribed] == [0, 1]
        device.client.unsubscribe("#")
        device.client.publish("web/d1", "a", 1)
        await until(lambda: device.acknowledged)


async def test_a_device_that_publishes_and_leaves_is_stored(world: World) -> None:
    world.directory.delay = 0.1
    async with connected(world, V311) as device:
        device.client.publish("web/d1", "a", 0)
    await until(lambda: world.ingest.whats == ["a"])


async def test_keep_alive(world: World) -> None:
    device = await world.tcp("mqtt")
    device.send(CONNECT[:10] + b"\x00\x01" + CONNECT[12:])
    assert await device.reader.readexactly(4) == b"\x20\x02\x00\x00"
    begin = time.monotonic()
    device.send(b"\xc0\x00")
    assert await device.reader.readexactly(2) == b"\xd0\x00"
    assert await device.closed() == b""
    assert 1.2 < time.monotonic() - begin < 4


BROKEN = {
    "not CONNECT first": (b"\xc0\x00", b""),
    "an old version": (bytes.fromhex("100e00044d5154540302003c00026162"), b"\x20\x02\x00\x01"),
    "a wrong name": (bytes.fromhex("100e00044d515458040200300002616200"), b""),
    "reserved flag": (bytes.fromhex("101000044d5154540403003c000464657631"), b""),
    "reserved bits of SUBSCRIBE": (CONNECT + b"\x80\x06\x00\x01\x00\x01a\x00", b"\x20\x02\x00\x00"),
    "CONNECT twice": (CONNECT + CONNECT, b"\x20\x02\x00\x00"),
    "PUBLISH of QoS 3": (CONNECT + b"\x36\x05\x00\x01a\x00\x01", b"\x20\x02\x00\x00"),
    "PUBLISH without its id": (CONNECT + b"\x32\x03\x00\x01a", b"\x20\x02\x00\x00"),
    "a topic with a wildcard": (CONNECT + b"\x30\x03\x00\x01#", b"\x20\x02\x00\x00"),
    "a topic that is no text": (CONNECT + b"\x30\x03\x00\x01\xff", b"\x20\x02\x00\x00"),
    "a length without end": (CONNECT + b"\x30\xff\xff\xff\xff\x7f", b"\x20\x02\x00\x00"),
    "a large packet": (CONNECT + b"\x30\xff\xff\xff\x7f", b"\x20\x02\x00\x00"),
    "a large CONNECT": (b"\x10\xff\xff\x7f" + b"\x00" * 100, b""),
    "a packet from a server": (CONNECT + b"\xd0\x00", b"\x20\x02\x00\x00"),
    "SUBSCRIBE to nothing": (CONNECT + b"\x82\x02\x00\x01", b"\x20\x02\x00\x00"),
    "no id, no clean session": (
        bytes.fromhex("100c00044d5154540400003c0000"),
        b"\x20\x02\x00\x02",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_packets_close_with_a_reason(world: World, case: str) -> None:
    sent, answer = BROKEN[case]
    device = await world.tcp("mqtt")
    device.send(sent)
    assert await device.closed() == answer
    assert world.notes()[-1].startswith("closed: ")


async def test_a_flood_of_properties_is_refused_at_once(world: World) -> None:
    device = await world.tcp("mqtt")
    properties = b"\x26\x00\x00\x00\x00" * 15_000
    body = b"\x00\x06web/d1" + _varint(len(properties)) + properties + b"a"
    device.send(CONNECT5 + b"\x30" + _varint(len(body)) + body)
    begin = time.monotonic()
    assert (await device.closed())[-2:] != b""
    assert time.monotonic() - begin < 2
    assert "properties of 75000 bytes" in world.notes()[-1]


async def test_mqtt_5_says_what_it_offers(world: World) -> None:
    device = Device(V5, client_id="")
    seen: list[Properties] = []

    def on_connect(client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        seen.append(properties)

    device.client.on_connect = on_connect
    device.client.connect_async("127.0.0.1", world.ports["mqtt"])
    device.client.loop_start()
    await until(lambda: seen)
    await asyncio.to_thread(device.client.disconnect)
    await asyncio.to_thread(device.client.loop_stop)
    assert seen[0].ReceiveMaximum == 64
    assert seen[0].AssignedClientIdentifier.startswith("device-")


async def test_the_session_and_the_tap_name_the_device(world: World) -> None:
    async with connected(world, V311) as device:
        device.client.publish("web/d1", "a", 1)
        await until(lambda: device.acknowledged)
        (session,) = world.gateway.sessions.find("d1")
        assert (session.protocol, session.transport) == ("web", "mqtt")
    assert tuple(kind for kind, _ in world.tap("d1")[:2]) == ("in", "out")


async def test_mqtt_on_the_auto_port(world: World) -> None:
    device: Client = await world.tcp("auto")
    device.send(CONNECT[:7])
    await asyncio.sleep(0.02)
    device.send(CONNECT[7:])
    assert await device.reader.readexactly(4) == b"\x20\x02\x00\x00"


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


@given(
    st.sampled_from([CONNECT, CONNECT5]),
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.tuples(st.integers(0, 255), st.binary(max_size=60)).map(
                lambda made: bytes([made[0]]) + _varint(len(made[1])) + made[1]
            ),
        ),
        max_size=4,
    ),
)
def test_any_bytes_are_packets_or_a_clear_error(start: bytes, parts: list[bytes]) -> None:
    reader = Reader(1000)
    reader.buffer += start + b"".join(parts)
    size = len(reader.buffer) + 1
    with contextlib.suppress(MqttError):
        while reader.next() is not None:
            assert len(reader.buffer) < size
            size = len(reader.buffer)
