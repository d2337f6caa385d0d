"""Packets of many devices that wait for one transaction are stored like those that come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import structlog
from teltonika_packets import IMEI, TIME, record, records

from waypost import pace
from waypost.bus.local import LocalBus
from waypost.ingest import Ingest
from waypost.protocols.base import Device
from waypost.protocols.teltonika import Teltonika, planned
from waypost.store.points import Points
from waypost.telemetry.message import Message
from waypost.telemetry.records import Records
from waypost.telemetry.state import decode_state

RECEIVED = TIME + 3_600_000
DEVICES = 60


@pytest.fixture(params=[False, True], ids=["nobody_asks", "somebody_asks"])
def asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer packets are taken together while somebody asks."""
    monkeypatch.setattr(pace, "_until", float("inf") if request.param else 0.0)


@pytest.fixture(autouse=True)
def columns_are_loaded() -> None:
    planned.load()


def packet(number: int) -> Sequence[Message]:
    """A packet of a device: most are alike, one in ten has an event, a gap in its fixes, another
    network, a time that falls back, or a record of another kind."""
    parts = []
    for n in range(20):
        odd = n == 7 and number % 10
        elements = {
            1: [(239, n > 3), (240, 1), (21, 9 if odd == 1 else 4), (113, 97)],
            2: [(66, 12_000 + n + number), (67, 4050), (9, 40)],
            4: [(241, 24_602 if odd != 2 else 0), (16, n + number)],
            8: [(78, 0)],
        }
        if odd == 3:
            del elements[8]
        parts.append(
            record(
                elements,
                time=TIME + 1000 * n - (60_000 if odd == 4 else 0),
                latitude=0 if odd == 5 else 546_900_000 + n,
                longitude=0 if odd == 5 else 252_600_000 + number,
                satellites=0 if odd == 6 else 9,
                heading=721 if odd == 7 else n,
                event=239 if odd == 8 else 0,
            )
        )
    return _decoder.decode(records(*parts), Device(IMEI, "FMB120")).messages


_decoder = Teltonika()


async def stored(points: Points, source_id: int) -> list[Any]:
    """Points and state of a source, without whose they are."""
    found = []
    for point in (await points.read(source_id, 0, 2**60, limit=100))[0]:
        fields = msgspec.structs.asdict(point) | {"source_id": 0}
        content = fields.pop("content")
        found.append((fields, content and msgspec.msgpack.decode(content)))
    state = decode_state((await points.states([source_id]))[source_id].data)
    return [found, state]


@pytest.mark.usefixtures("asked")
async def test_together_as_alone(points: Points) -> None:
    for number in range(DEVICES):
        packet(number)  # so that there are plans
    ingest = Ingest(points, LocalBus(), owner="test")
    ingest.start()
    lives = [await ingest.open(source_id, 366) for source_id in range(2 * DEVICES)]
    outcomes: list[BaseException | None] = []
    packets = [packet(number) for number in range(DEVICES)]
    alone = [list(packet(number)) for number in range(DEVICES)]
    for live, messages in zip(lives, packets + alone, strict=True):
        ingest.submit(live, messages, RECEIVED, outcomes.append)
    # The same once more waits behind the first.
    for live in lives:
        again = packet(live.source_id % DEVICES)
        ingest.submit(live, again, RECEIVED + 1000, outcomes.append)
    await ingest.close()
    assert outcomes == [None] * (4 * DEVICES)
    for number in range(DEVICES):
        assert await stored(points, number) == await stored(points, DEVICES + number), number
    assert isinstance(packets[0], Records)
    # Neither together nor alone are the messages of a usual packet looked at.
    assert not packets[0].opened


async def test_what_cannot_be_prepared_hurts_nobody_else(
    points: Points,
) -> None:
    ingest = Ingest(points, LocalBus(), owner="test")
    ingest.start()
    lives = [await ingest.open(source_id, 366) for source_id in range(DEVICES)]
    broken = Message(time=TIME, digest_of=b"x", values={"x": 1})
    broken.satellites = "nine"  # type: ignore[assignment]
    outcomes: dict[int, BaseException | None] = {}
    for number, live in enumerate(lives):
        messages = [broken] if number == 5 else packet(number)
        ingest.submit(
            live, messages, RECEIVED, lambda error, n=number: outcomes.__setitem__(n, error)
        )
    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(ingest.close(), 30)
    assert str(outcomes.pop(5)) == "internal error"
    assert list(outcomes.values()) == [None] * (DEVICES - 1)
    assert await points.count() == 20 * (DEVICES - 1)
    assert [log["event"] for log in logs] == ["not_prepared"]
