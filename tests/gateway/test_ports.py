"""Which ports are open, what a wrong setting says, TLS, and the port that recognises protocols."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gateway_world import PROTOCOLS, World, until

from waypost.gateway import auto
from waypost.gateway.listeners import Protocols, plan
from waypost.protocols import all_protocols
from waypost.protocols.base import ProtocolError
from waypost.settings import Settings, SettingsError


async def test_every_protocol_has_a_port_and_the_shared_ones(world: World) -> None:
    assert set(world.ports) == {"line", "mark", "web", "mqtt", "auto"}
    assert len(set(world.ports.values())) == 5
    # TCP and UDP of a protocol share the number.
    device = await world.udp("line")
    device.send("PING\n")
    assert await device.line() == "PONG"


def test_default_ports_and_names() -> None:
    ports = {port.name: port.number for port in plan(Settings(), Protocols(PROTOCOLS))}
    assert ports == {"line": 4001, "mark": 4002, "web": 4003, "mqtt": 1883, "auto": 5000}
    wanted = Settings(device_port={"lines": 7000, "all": 0, "auto": 7001})
    ports = {port.name: port.number for port in plan(wanted, Protocols(PROTOCOLS))}
    assert ports == {"line": 7000, "mark": 0, "web": 0, "mqtt": 0, "auto": 7001}


def test_the_real_protocols_have_ports_of_their_own() -> None:
    ports = plan(Settings(), Protocols(all_protocols()))
    numbers = [port.number for port in ports]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"device_port": {"nonsense": 1}}, "no protocol is named 'nonsense'"),
        ({"tls_protocols": ["nonsense"]}, "no protocol is named 'nonsense'"),
        ({"tls_protocols": ["line"]}, "tls_protocols needs tls_certificate"),
    ],
)
def test_wrong_settings_are_named(values: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        plan(Settings(**values), Protocols(PROTOCOLS))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_a_port_in_use_is_a_clear_error(start: Any, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(SettingsError) as error:
            await start(device_port={"all": 0, "line": number})
    assert str(error.value) == (
        f"port {number} on 127.0.0.1 for line is in use by another program; "
        "choose another with --device-port line=PORT (device_port in waypost.toml)"
    )


async def test_an_address_that_is_not_ours(start: Any) -> None:
    with pytest.raises(SettingsError, match="cannot be opened"):
        await start(device_host="192.0.2.1")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    subject = ("-subj", "/CN=localhost", "-days", "2")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *subject, "-keyout", key, "-out", chain],
        check=True,
        capture_output=True,
    )
    return chain, key


async def test_devices_over_tls(start: Any, certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    world: World = await start(
        tls_certificate=chain, tls_key=key, tls_protocols=["lines", "web", "mqtt", "auto"]
    )
    world.directory.register("d1", 1)
    context = ssl.create_default_context(cafile=str(chain))
    context.check_hostname = False
    for port in ("line", "auto"):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.ports[port], ssl=context)
        writer.write(b"HELLO d1\nDATA a\n")
        assert await reader.readline() == b"OK\n"
        assert await reader.readline() == b"ACK a\n"
        writer.write(b"BYE\n")
        assert await reader.read() == b"BYE\n"
        writer.close()
    plain = await world.tcp("line")
    plain.send("HELLO d1\n")
    await plain.closed()
    assert world.ingest.whats == ["a", "a"]


async def test_a_certificate_that_cannot_be_read(start: Any, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(SettingsError, match="tls_certificate"):
        await start(tls_certificate=missing, tls_key=missing, tls_protocols=["line"])


# The port that recognises protocols.


@pytest.mark.parametrize("cut", [0, 1, 3, 7])
async def test_recognised_over_tcp(world: World, cut: int) -> None:
    data = b"HELLO d1\nDATA a\n"
    device = await world.tcp("auto")
    device.send(data[:cut])
    await asyncio.sleep(0.02)
    device.send(data[cut:])
    assert [await device.line(), await device.line()] == ["OK", "ACK a"]
    assert b"".join(text for kind, text in world.tap("d1") if kind == "in") == data  # type: ignore[misc]


async def test_another_protocol_and_http(world: World) -> None:
    device = await world.tcp("auto")
    device.send(b"\x7e\x08HELLO d1\x7e\x06DATA a")
    assert [await device.line(), await device.line()] == ["OK", "ACK a"]
    web = await world.tcp("auto")
    web.send("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nd1 a")
    assert await web.line() == "HTTP/1.1 200 OK\r"


async def test_what_nobody_speaks_is_closed(world: World) -> None:
    device = await world.tcp("auto")
    device.send(b"\x00\x00nonsense")
    assert await device.closed() == b""
    assert any("no protocol begins with 00 00 6e" in note for note in world.notes())
    assert world.gateway.admission.count == 0


async def test_a_doubtful_beginning_is_decided_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "SECONDS", 0.05)
    device = await world.tcp("auto")
    device.send("HELL")
    await until(lambda: world.gateway.metrics.of("line").connections == 1)
    device.send("O d1\n")
    assert await device.line() == "OK"


async def test_one_that_says_nothing_is_closed(start: Any) -> None:
    world = await start(connection_hello=1)
    device = await world.tcp("auto")
    assert await device.closed() == b""
    assert any("did not say what it speaks" in note for note in world.notes())


def test_the_choice_among_doubtful_ones() -> None:
    line, mark = PROTOCOLS["line"], PROTOCOLS["mark"]

    class Any1(line):  # type: ignore[misc, valid-type]
        recognises = classmethod(lambda cls, start: None)

    class Any2(Any1):
        def frames(self, buffer: bytearray) -> list[bytes]:
            raise ProtocolError("not mine")

    candidates = {"a": Any2, "b": Any1, "c": mark}
    assert auto.choose(b"HELLO x\n", candidates, last=False) is None
    assert auto.choose(b"HELLO x\n", candidates, last=True) == "b"
    assert auto.choose(b"HELL", candidates, last=True) == "a"
    assert auto.choose(b"\x7e", candidates, last=False) == "c"
    with pytest.raises(ProtocolError):
        auto.choose(b"\x00", {"c": mark}, last=True)
