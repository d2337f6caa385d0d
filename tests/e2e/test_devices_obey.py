"""A device out of its box, of each maker: registered by its number, it gets the SMS that points it
here, comes, is told how to track over its connection, and reports so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from platform_process import Platform
from sms_center import SmsCenter

from waypost.emulator.devices import kinds
from waypost.emulator.devices.base import Device
from waypost.emulator.fleet import demo_id
from waypost.emulator.links import link
from waypost.emulator.vehicle import Vehicle

pytestmark = pytest.mark.anyio

MAKERS = ("teltonika", "gl200", "atrack", "wondex", "gt06", "meitrack")
#: Seconds between two reports: at first, and as they are to be (a multiple of ten, since some
#: makers count in tens).
BEFORE, WANTED = 7200, 80
#: The devices' day passes so much faster than ours, and began an hour ago.
HASTE, AGO = 60, 3_600_000
DAY = 86_400_000


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = time.time_ns()
    monkeypatch.setattr(
        "waypost.emulator.links.now_ms",
        lambda: (begin + (time.time_ns() - begin) * HASTE) // 1_000_000 - AGO,
    )


@pytest.fixture(scope="module")
def center() -> Iterator[SmsCenter]:
    with SmsCenter() as running:
        yield running


@pytest.fixture(scope="module")
def platform(center: SmsCenter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data_dir: Path = tmp_path_factory.mktemp("obey") / "data"
    settings = center.environment(sms_rate=0)
    with Platform(data_dir, WAYPOST_PUBLIC_ADDRESS="http://127.0.0.1:1", **settings) as running:
        yield running


def midnight(moment: int) -> str:
    """Before a moment, ms."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d 00:00:00")


@asynccontextmanager
async def network(center: SmsCenter, phone: str, device: Device) -> AsyncIterator[list[str]]:
    """The mobile network: what the centre has for ``phone`` is put before the device, and what that
    answers goes back. Yields the texts."""
    texts: list[str] = []

    async def carry() -> None:
        while True:
            for text in center.texts(phone)[len(texts) :]:
                texts.append(text)
                answer = device.receive_sms(text)
                if answer is not None:
                    await asyncio.to_thread(center.deliver, f"+{phone}", answer)
            await asyncio.sleep(0.02)

    carrier = asyncio.create_task(carry())
    try:
        yield texts
    finally:
        carrier.cancel()
        await asyncio.wait([carrier])


async def becomes(what: str, ask: Any, seconds: float = 40) -> Any:
    """The first true value of ``ask``."""
    end = time.monotonic() + seconds
    while True:
        found = await ask()
        if found:
            return found
        assert time.monotonic() < end, f"never: {what}"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("maker", MAKERS)
async def test_a_device_is_registered_comes_and_tracks_as_it_is_told(
    platform: Platform, center: SmsCenter, maker: str
) -> None:
    number = MAKERS.index(maker) + 1
    kind, device_id, phone = kinds()[maker], demo_id(maker, number), f"88236000000{number:02d}"
    begin = time.time_ns() // 1_000_000 - AGO
    device = kind(device_id, Vehicle(number, begin), begin, interval=BEFORE * 1000)
    session = await asyncio.to_thread(platform.user_hash)

    async def call(path: str, **params: Any) -> Any:
        ask = partial(platform.call, path, hash=session, **params)
        reply = await asyncio.to_thread(ask)
        assert reply["success"], (path, reply)
        return reply

    way = link(device)
    way.start()
    try:
        async with network(center, phone, device) as texts:
            made = await call(
                "tracker/register",
                label=maker,
                group_id=0,
                plugin_id=44,
                model=kind.model,
                device_id=device_id,
                phone=phone,
                apn_name="iot.example",
            )
            here = {"tracker_id": made["value"]["id"]}

            async def status() -> str:
                state = (await call("tracker/get_state", **here))["state"]
                return str(state["connection_status"])

            async def has_come() -> bool:
                return device.online and await status() not in ("just_registered", "offline")

            assert await status() == "just_registered"
            await becomes("it comes", has_come)
            assert texts
            assert device.server == ("127.0.0.1", platform.port(maker))
            assert device.apn is not None
            assert device.apn.name == "iot.example"

            mode = (await call("tracker/settings/tracking/read", **here))["value"]
            mode |= {"tracking_interval": WANTED, "tracking_distance": 5000}
            await call("tracker/settings/tracking/update", **here, tracking_settings=mode)

            async def confirmed() -> dict[str, Any] | None:
                listed = (await call("tracker/settings/confirmation/list", **here))["list"]
                (found,) = [one for one in listed if one["name"] == "tracking"]
                assert found["state"] in ("queued", "sent", "acknowledged"), found["error"]
                return dict(found) if found["state"] == "acknowledged" else None

            found = await becomes("it confirms its tracking mode", confirmed)
            assert (found["confirmed"], found["different"]) == (found["wanted"], [])
            assert device.interval == WANTED * 1000

            async def reports() -> bool:
                day = {"from": midnight(begin), "to": midnight(begin + 2 * DAY)}
                points = (await call("track/read", **here, simplify=False, **day))["list"]
                times = [datetime.fromisoformat(one["get_time"]) for one in points]
                gaps = [int((b - a).total_seconds()) for a, b in pairwise(times)]
                return WANTED in gaps

            await becomes("it reports at the new interval", reports)

            history = await call("tracker/command/history/list", **here)
            kept = {(one["channel"], one["kind"]): one["state"] for one in history["list"]}
            assert kept["gprs", "tracking"] == "acknowledged"
            assert kept["sms", "registration"] in ("sent", "acknowledged")
    finally:
        await way.close()
