"""The console of a device: a real gateway, a device that speaks to it, and people who watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from live_world import Client, LiveWorld, until
from sqlalchemy import select, update
from websockets.exceptions import InvalidStatus

from waypost.fleet.directory import Directory
from waypost.gateway import Gateway
from waypost.settings import Settings
from waypost.store.tables import audit_log, panel_accounts

pytestmark = pytest.mark.anyio

IMEI = "135790246811220"
FIX = (
    "1,1,1,4.3,92,70.0,121.354335,31.222073,20260101013254,0460,0000,18d8,6141,00,2000.0,"
    "20260101093254"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        api_rate=0,
        http="127.0.0.1:0",
        device_host="127.0.0.1",
        device_port={"all": 0},
        command_timeout=2,
    )


class Device:
    """A Queclink tracker: it says where it is, and answers whatever it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._count = 0

    def report(self) -> str:
        self._count += 1
        text = f"+RESP:GTFRI,1F0101,{IMEI},,,00,{FIX},{self._count:04X}$"
        self.writer.write(text.encode())
        return text

    async def told(self, prefix: str = "AT+") -> str:
        while True:
            text = (await asyncio.wait_for(self.reader.readuntil(b"$"), 5)).decode()
            if text.startswith(prefix):
                return text

    def answer(self, serial: str) -> str:
        text = f"+ACK:GTRTO,1F0101,{IMEI},,RTO,{serial},20260101172830,11F0$"
        self.writer.write(text.encode())
        return text


class Place:
    """Where a device connects and people look at its console."""

    def __init__(self, live: LiveWorld, gateway: Gateway, tracker: dict[str, Any]) -> None:
        self.live = live
        self.gateway = gateway
        self.tracker = tracker

    async def device(self) -> Device:
        port = self.gateway.ports["gl200"]
        return Device(*await asyncio.open_connection("127.0.0.1", port))

    async def key(self, **wrong: Any) -> dict[str, Any]:
        world = self.live.world
        made = await world.call("panel/tracker/console/connect", tracker_id=self.tracker["id"])
        assert made["success"], made
        shown = {
            "device": self.tracker["id"],
            "key": made["key"],
            "timestamp": made["timestamp"],
            "dealer_id": world.dealer_id,
        }
        return {**shown, **wrong}

    async def open(self, path: str = "/console", **wrong: Any) -> Client:
        shown = await self.key(**wrong)
        query = "&".join(f"{name}={value}" for name, value in shown.items() if value is not None)
        return await self.live.connect(f"{path}?{query}")

    async def refused(self, **wrong: Any) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as found:
            await self.open(**wrong)
        response = found.value.response
        return response.status_code, bytes(response.body or b"").decode()

    async def audited(self) -> list[Any]:
        async with self.live.world.services.database.read() as connection:
            return list((await connection.execute(select(audit_log))).all())


@pytest.fixture
async def place(live: LiveWorld, settings: Settings) -> AsyncIterator[Place]:
    services = live.world.services
    directory = await Directory.open(services.database, services.bus, settings)
    gateway = await Gateway.start(
        settings, services.database, services.bus, directory, live.world.ingest, services.commands
    )
    tracker = await live.world.register("Bus 5", model="qlgl200", device_id=IMEI)
    yield Place(live, gateway, tracker)
    await gateway.stop()
    await directory.close()


async def test_a_dialogue(place: Place) -> None:
    viewer = await place.open()
    assert IMEI in await viewer.output("*")
    device = await place.device()
    said = device.report()
    assert await viewer.output("<") == said
    found = await viewer.next()
    while found["type"] != "status":
        found = await viewer.next()
    rows = dict(found["data"])
    assert rows["Latitude"] == "31.2220730"
    assert rows["Location valid"] == "yes"
    assert rows["Time"] == "2026-01-01 01:32:54.0"
    assert all(isinstance(value, str) for value in rows.values())

    await viewer.send("AT+GTRTO=gl200,1,,,,,,00A1$")
    assert await viewer.output("#") == "1: AT+GTRTO=gl200,1,,,,,,00A1$"
    assert await device.told() == "AT+GTRTO=gl200,1,,,,,,00A1$"
    assert "AT+GTRTO=gl200,1,,,,,,00A1$" in await viewer.output(">")
    said = device.answer("00A1")
    assert await viewer.output("<") == said
    assert (await viewer.output("=")).startswith("1: ")


async def test_several_viewers_and_the_audit(place: Place) -> None:
    one = await place.open()
    two = await place.open("/panel/console", device=IMEI)
    device = await place.device()
    device.report()
    for viewer in (one, two):
        assert "GTFRI" in await viewer.output("<")
    await one.send("AT+GTRTO=gl200,1,,,,,,00A2$")
    for viewer in (one, two):
        assert "00A2" in await viewer.output("#")
    await device.told()
    await two.send('{"command": "41 54 2b 24", "type": "hex"}')
    assert "41 54 2b 24" in await one.output("#")
    rows = await place.audited()
    panel = place.live.world.ids["panel"]
    assert [(row.action, row.panel_account_id, row.tracker_id) for row in rows] == [
        ("console/command", panel, place.tracker["id"])
    ] * 2
    assert rows[0].details["command"] == "AT+GTRTO=gl200,1,,,,,,00A2$"
    assert rows[1].details["type"] == "hex"
    assert rows[0].address == "127.0.0.1"
    await one.socket.close()
    device.report()
    assert "GTFRI" in await two.output("<")
    assert len(place.live.live.consoles._rooms) == 1
    await two.socket.close()
    await until(lambda: not place.live.live.consoles._rooms)


async def test_a_device_that_is_away_is_waited_for(place: Place) -> None:
    viewer = await place.open()
    await viewer.output("*")
    await viewer.send("AT+GTRTO=gl200,1,,,,,,00A5$")
    await viewer.output("#")
    assert await viewer.output("*") == "1: waits for the device"
    device = await place.device()
    device.report()
    assert "00A5" in await device.told()
    device.answer("00A5")
    assert (await viewer.output("=")).startswith("1: ")


async def test_no_answer_is_told(place: Place) -> None:
    viewer = await place.open()
    device = await place.device()
    device.report()
    await viewer.send("AT+GTRTO=gl200,1,,,,,,00A3$")
    await device.told()
    assert "no answer" in await viewer.output("!", 10)


async def test_commands_that_cannot_be(place: Place) -> None:
    viewer = await place.open()
    await viewer.send("x" * 8193)
    assert "8192" in await viewer.output("!")
    await viewer.send('{"command": "zz", "type": "hex"}')
    assert "hexadecimal" in await viewer.output("!")
    await viewer.send('{"command": 5}')
    await viewer.output("!")
    await viewer.socket.send(b"\xff\xfe")
    await viewer.output("!")
    await viewer.send("   ")
    assert await place.audited() == []
    device = await place.device()
    device.report()
    await viewer.send("two $ in $ it")
    assert "end it early" in await viewer.output("!")


async def test_who_may_not_come_in(place: Place) -> None:
    world = place.live.world
    other = await world.register("Other")
    for wrong, code in (
        ({"key": "0" * 40}, 4),
        ({"timestamp": 1}, 4),
        ({"dealer_id": world.dealer_id + 1}, 4),
        ({"key": None}, 7),
        ({"timestamp": "soon"}, 7),
        ({"dealer_id": None}, 7),
        ({"device": None}, 7),
        ({"device": other["id"]}, 201),
    ):
        status, body = await place.refused(**wrong)
        assert f'"code":{code},' in body, (wrong, body)
        assert status == (403 if code == 4 else 400)
    shown = await place.key()
    world.clock.pass_(301)
    status, body = await place.refused(key=shown["key"], timestamp=shown["timestamp"])
    assert '"code":4,' in body, "a key is good for five minutes"


async def test_a_console_is_closed_when_its_time_is_over(place: Place) -> None:
    world = place.live.world
    viewer = await place.open()
    await viewer.output("*")
    ids = {"tracker_id": place.tracker["id"]}
    assert (await world.call("panel/tracker/source/update", **ids, blocked=True))["success"]
    await viewer.output("!")
    assert await viewer.closed() == 1008
    assert (await world.call("panel/tracker/source/update", **ids, blocked=False))["success"]

    viewer = await place.open()
    async with world.services.database.begin() as connection:
        await connection.execute(update(panel_accounts).values(blocked=True))
    await viewer.send("AT+GTRTO=gl200,1,,,,,,00A4$")
    assert await viewer.closed() == 1008
    assert await place.audited() == []


async def test_a_viewer_who_does_not_read(place: Place) -> None:
    slow, quick = await place.open(), await place.open()
    await quick.output("*")
    slow.socket.transport.pause_reading()
    device = await place.device()
    sent = seen = 0
    for _ in range(50):
        # Not faster than anybody could read.
        sent += sum(len(device.report()) for _ in range(100))
        while seen < sent:
            seen += len(await quick.output("<"))
    assert seen == sent, "whoever reads sees every byte"
    slow.socket.transport.resume_reading()
    left_out = 0
    last = ""
    while f"{5000:04X}$" not in last:
        found = await slow.next()
        if found["type"] == "output":
            last = found["msg"]
            if "lines left out" in last:
                left_out += int(last.split()[1])
    assert left_out > 0
