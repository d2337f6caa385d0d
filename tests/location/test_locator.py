"""The worker behind ingest: what it looks up, what it leaves alone, and what it does under load."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastcrc import crc16
from location_provider import Provider, found

from waypost.bus.local import LocalBus
from waypost.ingest import Ingest, LiveSource
from waypost.location import locator as worker
from waypost.location.importing import import_cells
from waypost.location.locator import Locator
from waypost.location.resolver import Resolver
from waypost.parts import open_parts
from waypost.protocols.base import Device
from waypost.protocols.teltonika import Teltonika
from waypost.settings import Settings
from waypost.store.points import Point, Points
from waypost.telemetry.message import LBS, WIFI, Cell, Message, Wifi
from waypost.telemetry.records import Records

pytestmark = pytest.mark.anyio

NOW = 1_790_000_000_000
MINUTE = 60_000
HERE = Cell(5001, 301, 262, 1, -70)
THERE = Cell(5001, 302, 262, 1, -70)
WIFI_POINTS = [Wifi("00:11:22:33:44:55", -60), Wifi("00:11:22:33:44:56", -50)]
TABLE = [
    "GSM,262,1,5001,301,0,13.40,52.52,1000,40,1,1282569574,1300155341,0",
    "GSM,262,1,5001,302,0,13.44,52.50,1000,40,1,1282569574,1300155341,0",
]


class Desk:
    """Ingest, and the locator behind it."""

    def __init__(self, ingest: Ingest, points: Points, locator: Locator) -> None:
        self.ingest = ingest
        self.points = points
        self.locator = locator

    async def report(self, source_id: int, *messages: Message, received: int = NOW) -> None:
        live = await self.ingest.open(source_id, 366)
        stored: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self.ingest.submit(live, messages, received, stored.set_result)
        assert await stored is None
        self.ingest.release(live)

    async def located(self, source_id: int) -> list[Point]:
        every = await self.points.latest(source_id, 1000)
        return [point for point in reversed(every) if point.latitude is not None]

    async def until(self, source_id: int, count: int) -> list[Point]:
        """The positions of a source, once there are so many."""
        for _ in range(500):
            points = await self.located(source_id)
            if len(points) >= count:
                return points
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(points)} positions, not {count}")

    async def quiet(self) -> None:
        """Nothing waits any more."""
        await asyncio.sleep(2 * worker.PAUSE)
        for _ in range(500):
            if not (self.locator._queue or self.locator._known):
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(2 * worker.PAUSE)


Open = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def open_desk(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Open]:
    monkeypatch.setattr(worker, "PAUSE", 0.02)
    async with AsyncExitStack() as stack:

        async def start(table: list[str] | None = TABLE, database: str = "", **values: Any) -> Desk:
            if table:
                file = tmp_path / "cells.csv"
                file.write_text("\n".join(table))
                import_cells(data_dir, [file], show=lambda *_: None)
            settings = Settings(data_dir=data_dir, database=database, **values)
            parts = await open_parts(settings, stack)
            ingest = Ingest(parts.points, LocalBus(), owner="test")
            ingest.start()
            stack.push_async_callback(ingest.close)
            resolver = Resolver(settings)
            stack.push_async_callback(resolver.close)
            locator = Locator(resolver, ingest, parts.points)
            locator.start()
            stack.push_async_callback(locator.close)
            await asyncio.sleep(0)
            return Desk(ingest, parts.points, locator)

        yield start


def hears(*cells: Cell, time: int | None = NOW, **fields: Any) -> Message:
    digest = repr((cells, time, fields)).encode()
    return Message(time=time, digest_of=digest, cells=list(cells) or None, **fields)


async def test_a_position_with_its_precision_is_stored_once(
    open_desk: Open, database_url: str
) -> None:
    desk = await open_desk(database=database_url)
    for _ in range(3):
        await desk.report(7, hears(HERE, THERE))
        await desk.quiet()
        desk.locator._heard.clear()
    (point,) = await desk.located(7)
    assert (point.time, point.received, point.found_by) == (NOW, NOW, LBS)
    assert point.latitude == pytest.approx(52.51)
    assert point.precision is not None
    assert 2000 < point.precision < 3000
    assert point.values() == {}
    assert await desk.points.count(7) == 2
    live = await desk.ingest.open(7, 366)
    assert live.state.gps is not None
    assert live.state.gps.precision == point.precision


async def test_a_report_without_a_time_too(open_desk: Open, database_url: str) -> None:
    desk = await open_desk(database=database_url)
    for minutes in (0, 5):
        await desk.report(7, hears(HERE, time=None), received=NOW + minutes * MINUTE)
        await desk.quiet()
    (point,) = await desk.located(7)
    assert (point.time, point.received) == (NOW, NOW)
    assert await desk.points.count(7) == 2


async def test_every_report_of_a_packet_has_its_position(open_desk: Open) -> None:
    desk = await open_desk()
    packet = [
        hears(HERE, time=NOW - 5 * MINUTE, buffered=True),
        hears(THERE, time=NOW - 3 * MINUTE),
        hears(time=NOW - MINUTE),
        hears(HERE, time=NOW, latitude=52.0, longitude=13.0, valid=False),
    ]
    await desk.report(7, *packet)
    points = [point for point in await desk.until(7, 4) if point.valid]
    assert [point.longitude for point in points] == [13.4, 13.44, 13.4]
    assert [point.time for point in points] == [NOW - 5 * MINUTE, NOW - 3 * MINUTE, NOW]
    live = await desk.ingest.open(7, 366)
    # A fix that the device itself calls old gives way.
    assert live.state.gps is not None
    assert live.state.gps.longitude == 13.4


def teltonika_packet(*fixes: bool) -> bytes:
    """Records a minute apart (codec 8 Extended), with a fix or without, and the cell they hear."""
    body = bytes((0x8E, len(fixes)))
    for number, fix in enumerate(fixes):
        place = (100_000_000, 500_000_000, 100, 90, 9, 50) if fix else (0, 0, 0, 0, 0, 0)
        body += struct.pack(">QBiiHHBH", NOW + number * MINUTE, 0, *place)
        body += struct.pack(">HHH", 0, 3, 0)
        body += struct.pack(">HHHHH", 2, 205, HERE.cell_id, 206, HERE.lac)
        body += struct.pack(">HHIHH", 1, 241, 26201, 0, 0)
    body += bytes((len(fixes),))
    return struct.pack(">II", 0, len(body)) + body + crc16.arc(body).to_bytes(4, "big")


async def test_a_fix_that_is_lost_within_a_packet(open_desk: Open, database_url: str) -> None:
    desk = await open_desk(database=database_url)
    device = Device("352093081452251", "telfmb120")
    for source_id in range(1, 20):
        protocol = Teltonika()
        packet = teltonika_packet(True, True, True, False, False, False, True, True)
        messages = protocol.decode(packet, device).messages
        live = await desk.ingest.open(source_id, 366)
        stored: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        desk.ingest.submit(live, messages, NOW + 8 * MINUTE, stored.set_result)
        assert await stored is None
        desk.ingest.release(live)
    # By the last of them the decoder makes rows without messages.
    assert isinstance(messages, Records)
    for source_id in (1, 19):
        await desk.until(source_id, 6)
        await desk.quiet()
        found = [point for point in await desk.located(source_id) if point.found_by == LBS]
        assert (found[0].longitude, found[0].precision) == (13.4, 1000)
        assert {point.time for point in found} <= {NOW + n * MINUTE for n in (3, 4, 5)}


async def test_what_needs_no_position(open_desk: Open) -> None:
    desk = await open_desk()
    fix = {"latitude": 50.0, "longitude": 10.0}
    await desk.report(7, hears(HERE, **fix))
    await desk.report(7, hears(HERE, time=NOW + 30_000), received=NOW + 30_000)
    await desk.report(7, hears(HERE, time=NOW + 3_600_000))  # a clock that is wrong
    await desk.report(7, hears(time=NOW + 40_000, values={"battery_level": 5}))
    await desk.quiet()
    assert len(await desk.located(7)) == 1
    await desk.report(7, hears(HERE, time=NOW + 70_000), received=NOW + 70_000)
    await desk.until(7, 2)


async def test_who_hears_the_same_again_needs_no_other_position_for_a_minute(
    open_desk: Open,
) -> None:
    desk = await open_desk()
    for second in range(0, 150, 10):
        time = NOW + second * 1000
        await desk.report(7, hears(HERE, time=time, values={"n": second}), received=time)
    await desk.until(7, 3)
    await desk.quiet()
    assert [point.time - NOW for point in await desk.located(7)] == [0, 60_000, 120_000]


async def test_the_table_may_come_later(
    open_desk: Open, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK", 0.01)
    desk = await open_desk(table=None)
    assert desk.ingest.on_unlocated is None
    await desk.report(7, hears(HERE))
    file = tmp_path / "cells.csv"
    file.write_text("\n".join(TABLE))
    import_cells(data_dir, [file], show=lambda *_: None)
    await asyncio.sleep(0.1)
    await desk.report(7, hears(HERE, time=NOW + 1), received=NOW + 1)
    assert [point.time for point in await desk.until(7, 1)] == [NOW + 1]


async def test_access_points_are_for_the_provider_and_cells_for_the_table(open_desk: Open) -> None:
    with Provider(lambda body: found(48.1, 11.5, 27)) as provider:
        desk = await open_desk(location_url=provider.url, location_rate=0)
        await desk.report(1, hears(HERE))
        await desk.report(2, hears(wifi=WIFI_POINTS))
        await desk.report(3, hears(HERE, wifi=WIFI_POINTS))
        await desk.report(4, hears(Cell(5001, 999, 262, 1)))
        expected = {1: (13.4, LBS), 2: (11.5, WIFI), 3: (11.5, WIFI), 4: (11.5, LBS)}
        for source_id, (longitude, source) in expected.items():
            (point,) = await desk.until(source_id, 1)
            assert (point.longitude, point.found_by) == (longitude, source)
        assert len(provider.asked) == 3


async def test_while_the_provider_is_away_the_table_has_to_do(open_desk: Open) -> None:
    with Provider(lambda body: (500, b"")) as provider:
        desk = await open_desk(location_url=provider.url, location_rate=0)
        await desk.report(1, hears(Cell(5001, 999, 262, 1)))
        for source_id in range(2, 12):
            await desk.report(source_id, hears(HERE, wifi=WIFI_POINTS, values={"n": source_id}))
        for source_id in range(2, 12):
            (point,) = await desk.until(source_id, 1)
            assert (point.longitude, point.found_by) == (13.4, LBS)
        assert len(provider.asked) <= worker.REQUESTS
        # What only the provider can tell waits for it.
        assert await desk.located(1) == []


async def test_a_flood_of_reports_is_looked_up_as_far_as_it_can_be(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "WAITING", 300)
    desk = await open_desk()
    given_up = worker.POINTS.labels("given_up")._value.get()
    many = [hears(HERE, time=NOW + n * MINUTE) for n in range(1000)]
    await desk.report(7, *many, received=NOW + 1000 * MINUTE)
    assert len(desk.locator._queue) <= 300
    await desk.quiet()
    # The newest are the ones that count.
    points = await desk.located(7)
    assert len(points) == 300
    assert points[-1].time == NOW + 999 * MINUTE
    assert worker.POINTS.labels("given_up")._value.get() - given_up == 700


async def test_what_cannot_be_looked_up_holds_up_nothing(open_desk: Open) -> None:
    desk = await open_desk()

    async def fail(*_: Any) -> LiveSource:
        raise RuntimeError("a fault")

    sound, desk.ingest.open = desk.ingest.open, fail  # type: ignore[method-assign]
    desk.locator.note(await sound(7, 366), [hears(HERE)], NOW)
    await desk.quiet()
    desk.ingest.open = sound  # type: ignore[method-assign]
    await desk.report(7, hears(THERE, time=NOW + 5))
    (point,) = await desk.until(7, 1)
    assert point.longitude == 13.44
