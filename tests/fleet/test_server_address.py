"""Where devices are told to report."""

from __future__ import annotations

import asyncio

import pytest

from waypost.bus.local import LocalBus
from waypost.fleet.server_address import Addresses
from waypost.protocols import find_protocol
from waypost.protocols.base import Protocol
from waypost.settings import Settings, SettingsError, load

pytestmark = pytest.mark.anyio


def protocol(name: str) -> type[Protocol]:
    found = find_protocol(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("gps.example.org", "gps.example.org"),
        ("gps.example.org:8080", "gps.example.org"),
        ("https://gps.example.org/panel", "gps.example.org"),
        ("203.0.113.9", "203.0.113.9"),
        ("http://[2001:db8::1]:8080", "2001:db8::1"),
        ("", ""),
    ],
)
def test_only_the_host_of_the_public_address_counts(address: str, host: str) -> None:
    assert Settings(public_address=address).public_host == host


@pytest.mark.parametrize(
    "address", ["https://", "a b", "gps.example.org,1", "http://[::1", "2001:db8::1"]
)
def test_what_is_no_address_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(SettingsError, match="public_address"):
        load({"public_address": address}, {})


async def test_ports_come_from_gateways_whoever_starts_first() -> None:
    bus = LocalBus()
    settings = Settings(public_address="gps.example.org", device_port={"all": 0})
    early = await Addresses.open(bus, settings)
    gateway = await Addresses.open(bus, settings)
    gateway.opened({"teltonika": 40001, "wondex": 40002})
    late = await Addresses.open(bus, settings)
    await asyncio.sleep(0)
    for one in (early, gateway, late):
        server = one.of(protocol("teltonika"))
        assert (server.host, server.port, server.transport) == ("gps.example.org", 40001, "tcp")
    for one in (early, gateway, late):
        await one.close()


async def test_before_a_gateway_was_heard_the_settings_count() -> None:
    bus = LocalBus()
    settings = Settings(public_address="gps.example.org", device_port={"teltonika": 7001})
    addresses = await Addresses.open(bus, settings)
    assert addresses.of(protocol("teltonika")).port == 7001
    assert addresses.of(protocol("gl200")).port == protocol("gl200").port
    await addresses.close()
