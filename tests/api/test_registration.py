"""What sets devices up: where it sends them, by which way it goes, and why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_world import World
from fleet_steps import APN, add_bundle, connect, queue
from sqlalchemy import insert, select, update

from waypost.protocols import find_protocol
from waypost.settings import Settings
from waypost.store.tables import commands, inbox, sim_cards, sources

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("all_instructions")]

IMEI = "356938035643809"
PHONE = "79123122312"
TOLD = {
    "server": {"host": "gps.example.org", "port": 5027, "transport": "tcp"},
    "apn": {"name": "fast.tmobile.com", "user": "tmobile"},
    "interval": 60,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        api_rate=0,
        sms_provider="log",
        public_address="https://gps.example.org:8443/",
        device_port={"teltonika": 5027},
    )


async def errors(world: World) -> list[str | None]:
    async with world.services.database.read() as connection:
        found = await connection.execute(select(commands.c.error).order_by(commands.c.id))
        return list(found.scalars())


async def appear(world: World, device_id: str, seconds_ago: float = 5) -> None:
    """A device that nobody registered is connected."""
    at = world.clock.now - int(seconds_ago * 1000)
    async with world.services.database.begin() as connection:
        await connection.execute(
            insert(inbox).values(
                device_id=device_id,
                protocol="teltonika",
                address="192.0.2.7",
                first_seen_at=at,
                last_seen_at=at,
                count=1,
            )
        )


async def test_a_device_is_told_this_servers_address_its_protocols_port_and_the_interval(
    world: World,
) -> None:
    await world.register("one", phone=PHONE, **APN)
    assert await queue(world) == [("sms", "registration", None, "queued", TOLD)]


async def test_a_connected_device_hears_it_over_its_connection_too(world: World) -> None:
    await appear(world, "0" + IMEI)
    await world.register("one", device_id=IMEI, phone=PHONE, **APN)
    assert await queue(world) == [
        ("sms", "registration", None, "queued", TOLD),
        ("gprs", "registration", None, "queued", TOLD),
    ]


async def test_a_connected_device_needs_no_number(world: World) -> None:
    await appear(world, IMEI)
    await world.register("one", device_id=IMEI, **APN)
    assert await queue(world) == [("gprs", "registration", None, "queued", TOLD)]
    await appear(world, "356938035643817", seconds_ago=3600)
    await world.register("two", device_id="356938035643817", **APN)
    assert len(await queue(world)) == 1, "long gone"


async def test_quick_registering_sends_no_sms(world: World) -> None:
    await add_bundle(world, IMEI, factory_preset=False)
    await appear(world, IMEI)
    quick = {"label": "one", "group_id": 0, "imei": IMEI}
    assert await world.code("tracker/register_quick", **quick) == 0
    assert [told[:2] for told in await queue(world)] == [("gprs", "registration")]


async def test_a_new_device_in_an_old_ones_place_is_told_likewise(world: World) -> None:
    made = await world.register("one")
    await connect(world, made)
    await appear(world, IMEI)
    new = {"model": "telfmb920", "device_id": IMEI, "plugin_id": 44, "phone": PHONE, **APN}
    reply = await world.call("tracker/replace", tracker_id=made["id"], label="one", **new)
    assert reply["success"], reply
    assert await queue(world) == [
        ("sms", "registration", None, "queued", TOLD),
        ("gprs", "registration", None, "queued", TOLD),
    ]


async def test_the_interval_is_that_of_the_tracking_mode(world: World) -> None:
    made = await world.register("one")
    await connect(world, made)
    read = await world.call("tracker/settings/tracking/read", tracker_id=made["id"])
    mode = {**read["value"], "tracking_interval": 90}
    update = {"tracker_id": made["id"], "tracking_settings": mode}
    assert await world.code("tracker/settings/tracking/update", **update) == 0
    new = {"model": "telfmb920", "device_id": IMEI, "plugin_id": 44, "phone": PHONE}
    reply = await world.call("tracker/replace", tracker_id=made["id"], label="one", **new)
    assert reply["success"], reply
    assert (await queue(world))[-1][4]["interval"] == 90


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"public_address": ""}, "public_address is empty"),
        ({"device_port": {"all": 0}}, "the port of teltonika is not known"),
        ({"tls_protocols": ["teltonika"]}, "speaks TLS"),
    ],
)
async def test_why_it_cannot_be_told_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], reason: str
) -> None:
    for name, value in changed.items():
        monkeypatch.setattr(world.services.settings, name, value)
    await world.register("one", phone=PHONE, **APN)
    ((_, _, _, state, told),) = await queue(world)
    assert state == "failed"
    assert told == {"apn": TOLD["apn"], "interval": 60}
    (error,) = await errors(world)
    assert error is not None
    assert reason in error


async def test_a_port_that_the_gateway_chose(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.services.settings, "device_port", {"all": 0})
    world.services.fleet.addresses.opened({"teltonika": 40123})
    await world.register("one", phone=PHONE, **APN)
    assert (await queue(world))[0][4]["server"]["port"] == 40123


async def test_a_model_without_instructions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = find_protocol("teltonika")
    monkeypatch.setattr(protocol, "can_tell", classmethod(lambda *_: False))
    await world.register("one", phone=PHONE, **APN)
    assert [told[3] for told in await queue(world)] == ["failed"]
    assert await errors(world) == [
        "there are no instructions for devices of model telfmb120: registration"
    ]


async def test_without_an_access_point_it_is_the_operators(world: World) -> None:
    vodafone = {"name": "internet.vodafone.net", "user": "internet", "password": "internet"}
    made = await world.register("one", phone="201001234567")
    ((_, _, _, _, told),) = await queue(world)
    assert told["apn"] == vodafone
    whole = {"success": True, "value": vodafone}
    assert await world.call("tracker/apn_settings/read", tracker_id=made["id"]) == whole
    assert await world.call("apn_settings/read", phone="201009999999") == whole
    assert await world.code("apn_settings/read", phone="491701234567") == 201
    given = await world.register("two", phone="201001234568", **APN)
    assert (await queue(world))[-1][4]["apn"] == TOLD["apn"]
    reply = await world.call("tracker/apn_settings/read", tracker_id=given["id"])
    assert reply["value"]["name"] == TOLD["apn"]["name"]


async def test_of_a_dealers_sim_card_its_own_access_point_comes_first(world: World) -> None:
    """That which the dealer says, else its issuer's."""
    iccid = "8946012345678901234"
    await add_bundle(world, IMEI, iccid=iccid, factory_preset=False)
    await world.register("one", device_id=IMEI)
    assert (await queue(world))[-1][4]["apn"] == {"name": "iot.example"}
    async with world.services.database.begin() as connection:
        await connection.execute(update(sim_cards).values(apn=""))
        await connection.execute(update(sources).values(phone=None, sim_card_id=None))
        await connection.execute(update(sources).values(device_id="356938035643817"))
    await world.register("two", device_id=IMEI)
    assert (await queue(world))[-1][4]["apn"] == {"name": "online.telia.se"}
