"""Counters and sensors on either engine: from messages to what is shown, across a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fleet_yard import NOON, Yard

from waypost.fleet.counters import history, set_value, settle_all, settled_counters, state_of
from waypost.fleet.rows import TrackerRow
from waypost.fleet.sensors import copy_sensors, create_sensor, list_sensors, parse_sensor
from waypost.ingest import Foldings, Ingest
from waypost.telemetry.message import Message
from waypost.telemetry.sensors import Metering

pytestmark = pytest.mark.anyio

MINUTE = 60_000
KM = 1 / 111.195


class Devices:
    """Sends messages as devices do."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.ingest: Ingest
        self.foldings: Foldings

    async def start(self) -> None:
        fleet = self.yard.fleet
        self.ingest = Ingest(fleet.points, fleet.bus, owner="test")
        self.ingest.start()
        self.foldings = await Foldings.open(fleet.database, fleet.bus, fleet.settings, self.ingest)

    async def stop(self) -> None:
        await self.foldings.close()
        await self.ingest.close()

    async def send(self, row: TrackerRow, *places: tuple[float, float]) -> None:
        """Fixes: minute, and kilometres north."""
        await self.foldings.settled()
        live = await self.ingest.open(row.source_id, 366)
        stored: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        messages = [
            Message(
                time=NOON + int(minute * MINUTE),
                digest_of=str((minute, km)).encode(),
                latitude=km * KM,
                longitude=10.0,
                speed=60.0,
            )
            for minute, km in places
        ]
        self.ingest.submit(live, messages, NOON + 60 * MINUTE, stored.set_result)
        assert await stored is None
        self.ingest.release(live)

    async def odometer(self, row: TrackerRow) -> float:
        fleet = self.yard.fleet
        (counter,) = await settled_counters(fleet, row)
        shown = counter.shown(await state_of(fleet, row.source_id))
        assert shown is not None
        return shown[0]


@pytest.fixture
async def devices(yard: Yard) -> AsyncIterator[Devices]:
    devices = Devices(yard)
    await devices.start()
    yield devices
    await devices.stop()


async def set_to(yard: Yard, row: TrackerRow, value: float) -> None:
    state = await state_of(yard.fleet, row.source_id)
    async with yard.fleet.write() as write:
        await set_value(write, await yard.locked(write, row), "odometer", value, state, NOON)


async def test_a_counter_survives_a_restart_and_late_messages(yard: Yard, devices: Devices) -> None:
    row = await yard.register("350000000000001")
    await set_to(yard, row, 100)
    await devices.send(row, (0, 0), (1, 1))
    await devices.stop()
    await devices.start()
    await devices.send(row, (2, 2), (10, 4))
    assert await devices.odometer(row) == pytest.approx(104, abs=0.01)
    await devices.send(row, (5, 7))
    assert await settle_all(yard.fleet, NOON) == 1
    assert await settle_all(yard.fleet, NOON) == 0
    assert await devices.odometer(row) == pytest.approx(110, abs=0.01)
    (counter,) = await settled_counters(yard.fleet, row)
    values = await history(yard.fleet, counter, NOON, NOON + 60 * MINUTE)
    assert [round(one.value) for one in values] == [100, 101, 102, 107, 110]


async def test_copies_keep_the_order_and_the_parts(yard: Yard) -> None:
    rows = [await yard.register(f"35000000000000{n}") for n in range(1, 5)]
    base, *targets = rows
    async with yard.fleet.write() as write:
        known: list[int] = []
        for number in range(1, 6):
            sensor = {
                "type": "metering",
                "sensor_type": "fuel",
                "name": str(number),
                "input_name": f"lls_level_{number}",
            }
            known.append(await create_sensor(write, base, parse_sensor(sensor)))
        parameters = {"parent_ids": known[1:3]}
        whole = {
            "type": "metering",
            "sensor_type": "fuel",
            "name": "All",
            "input_name": "composite",
        }
        await create_sensor(write, base, parse_sensor({**whole, "parameters": parameters}))
        await copy_sensors(write, base, targets)
    async with yard.fleet.database.read() as connection:
        for row in targets:
            copies = [one.sensor for one in await list_sensors(connection, row.source_id)]
            assert [one.name for one in copies] == ["1", "2", "3", "4", "5", "All"]
            last = copies[-1]
            assert isinstance(last, Metering)
            assert last.parent_ids == (copies[1].id, copies[2].id)
