"""Nothing acknowledged is lost, nothing is stored twice, and states tell the newest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from waypost.bus.local import LocalBus
from waypost.fleet.states import States
from waypost.ingest import Ingest, LiveSource
from waypost.store.points import LATE, Points, SourceBatch
from waypost.telemetry.message import Message
from waypost.telemetry.state import decode_state

NOW = 1_790_000_000_000


@pytest.fixture
async def ingest(points: Points) -> AsyncIterator[Ingest]:
    running = Ingest(points, LocalBus(), owner="test")
    running.start()
    yield running
    await running.close()


def report(at: int, speed: float = 50.0, **values: object) -> Message:
    return Message(
        time=at,
        digest_of=b"%d %f %r" % (at, speed, values),
        latitude=41.0,
        longitude=2.0 + at % 1000 / 1e6,
        speed=speed,
        satellites=9,
        values=dict(values),
    )


async def store(ingest: Ingest, live: LiveSource, *messages: Message, now: int = NOW) -> None:
    """Submits and waits for the acknowledgement."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finished(error: BaseException | None) -> None:
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    ingest.submit(live, messages, now, finished)
    await done


async def test_acknowledged_is_stored_once(ingest: Ingest, points: Points) -> None:
    live = await ingest.open(1, 366)
    packet = [report(NOW - 1000 * n) for n in range(20, 0, -1)]
    await store(ingest, live, *packet)
    await store(ingest, live, *packet)
    await store(ingest, live, *reversed(packet))
    assert await points.count(1) == 20
    state = decode_state((await points.states([1]))[1].data)
    assert state.gps is not None
    assert state.gps.time == state.newest == NOW - 1000
    assert state.received == NOW


async def test_points_that_are_to_be_kept_for_a_century(ingest: Ingest, points: Points) -> None:
    live = await ingest.open(1, 100 * 366)
    await store(ingest, live, report(NOW - 1000), report(NOW))
    await points.expire(NOW + 80 * 366 * 86_400_000)
    assert await points.count(1) == 2


async def test_a_late_message_enters_history_and_not_the_state(
    ingest: Ingest, points: Points
) -> None:
    live = await ingest.open(1, 366)
    await store(ingest, live, report(NOW - 1000, ignition=True))
    await store(ingest, live, report(NOW - 9000, ignition=False, board_voltage=12.5))
    found, _ = await points.read(1, 0, NOW, limit=10)
    assert [bool(point.flags & LATE) for point in found] == [True, False]
    state = decode_state((await points.states([1]))[1].data)
    assert state.gps is not None
    assert state.gps.time == NOW - 1000
    assert state.values["ignition"] == (True, NOW - 1000)
    assert state.values["board_voltage"] == (12.5, NOW - 9000)


async def test_a_time_in_the_future_is_kept_and_marked_and_moves_nothing(
    ingest: Ingest, points: Points
) -> None:
    live = await ingest.open(1, 366)
    await store(ingest, live, report(NOW + 3_600_000), report(NOW))
    await store(ingest, live, report(NOW + 1000))
    assert await points.count(1) == 3
    state = decode_state((await points.states([1]))[1].data)
    assert state.gps is not None
    assert state.gps.time == NOW + 1000


async def test_of_a_packet_the_newest_values_count_but_all_of_the_movement(
    ingest: Ingest, points: Points
) -> None:
    live = await ingest.open(1, 366)
    packet = [report(NOW - 3000, 50, a=1), report(NOW - 2000, 0, a=2), report(NOW - 1000, 0, a=3)]
    await store(ingest, live, *packet)
    state = decode_state((await points.states([1]))[1].data)
    assert state.values["a"] == (3, NOW - 1000)
    assert state.motion.last_moving == NOW - 3000
    assert not state.motion.moving
    assert state.motion.since == NOW - 2000


async def test_sources_of_one_process_share_one_commit(ingest: Ingest, points: Points) -> None:
    lives = [await ingest.open(n, 366) for n in range(1, 101)]
    started = time.monotonic()
    await asyncio.gather(
        *(store(ingest, live, report(NOW + n)) for live in lives for n in range(3))
    )
    assert await points.count() == 300
    assert time.monotonic() - started < 30


async def test_a_source_that_moved_to_another_process_is_taken_back(points: Points) -> None:
    first = Ingest(points, LocalBus(), owner="a")
    second = Ingest(points, LocalBus(), owner="b")
    first.start()
    second.start()
    here = await first.open(1, 366)
    await store(first, here, report(NOW - 5000))
    there = await second.open(1, 366)
    await store(second, there, report(NOW - 4000), report(NOW - 1000))
    # The old connection still has something: stored, and the newer state stays.
    await store(first, here, report(NOW - 4000), report(NOW - 3000))
    assert await points.count(1) == 4
    state = decode_state((await points.states([1]))[1].data)
    assert state.gps is not None
    assert state.gps.time == NOW - 1000
    await store(second, there, report(NOW))
    assert await points.count(1) == 5
    await first.close()
    await second.close()


class Shaky:
    """A points store whose commits fail on demand, before or after they are done."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.poison: int | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._points, name)

    async def commit(self, batches: list[SourceBatch]) -> None:
        if self.before:
            raise self.before.pop()
        if any(batch.source_id == self.poison for batch in batches):
            raise ValueError("a value that does not fit")
        await self._points.commit(batches)
        if self.after:
            raise self.after.pop()


async def test_a_database_that_goes_away_is_waited_for(points: Points) -> None:
    shaky = Shaky(points)
    ingest = Ingest(shaky, LocalBus(), owner="a")  # type: ignore[arg-type]
    ingest.start()
    live = await ingest.open(1, 366)
    shaky.before = [ConnectionResetError(), TimeoutError()]
    await store(ingest, live, report(NOW - 2000), report(NOW - 1000))
    # The connection breaks after the commit was done: nothing is doubled.
    shaky.after = [ConnectionResetError()]
    await store(ingest, live, report(NOW), report(NOW + 1000))
    assert await points.count(1) == 4
    await ingest.close()


async def test_what_one_source_cannot_store_hurts_no_other(points: Points) -> None:
    shaky = Shaky(points)
    shaky.poison = 3
    ingest = Ingest(shaky, LocalBus(), owner="a")  # type: ignore[arg-type]
    ingest.start()
    lives = [await ingest.open(n, 366) for n in range(1, 6)]
    outcomes = await asyncio.gather(
        *(store(ingest, live, report(NOW)) for live in lives), return_exceptions=True
    )
    assert [outcome is None for outcome in outcomes] == [True, True, False, True, True]
    assert await points.count() == 4
    shaky.poison = None
    await store(ingest, lives[2], report(NOW))
    assert await points.count() == 5
    await ingest.close()


async def test_stopping_commits_what_is_queued(points: Points) -> None:
    ingest = Ingest(points, LocalBus(), owner="a")
    ingest.start()
    live = await ingest.open(1, 366)
    outcomes: list[BaseException | None] = []
    for n in range(50):
        ingest.submit(live, [report(NOW + n)], NOW, outcomes.append)
    await ingest.close()
    assert outcomes == [None] * 50
    assert await points.count(1) == 50
    ingest.submit(live, [report(NOW + 99)], NOW, outcomes.append)
    assert isinstance(outcomes[-1], Exception)


async def test_a_full_queue_says_so_until_there_is_room(points: Points) -> None:
    ingest = Ingest(points, LocalBus(), owner="a", queue=10)
    live = await ingest.open(1, 366)
    ingest.submit(live, [report(NOW + n) for n in range(12)], NOW, lambda error: None)
    assert ingest.full
    waiting = asyncio.ensure_future(ingest.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    ingest.start()
    await asyncio.wait_for(waiting, 10)
    await ingest.close()


async def test_what_columns_cannot_hold_is_kept_without_them(
    ingest: Ingest, points: Points
) -> None:
    live = await ingest.open(1, 366)
    odd = Message(
        time=NOW,
        digest_of=b"odd",
        latitude=95.0,
        longitude=2.0,
        speed=float("nan"),
        altitude=float("inf"),
        hdop=1e300,
        heading=100000,
        satellites=10**6,
        event_id=2**40,
        values={"x": float("nan"), "y": b"\x00\xff", "z": 2**70},
    )
    untimed = Message(time=None, digest_of=b"", values={"battery_level": 50})
    past = Message(time=-5, digest_of=b"past", values={})
    await store(ingest, live, odd, untimed, untimed, past)
    found, _ = await points.read(1, 0, NOW + 1, limit=10)
    assert len(found) == 4
    assert all(point.latitude is None and point.speed is None for point in found)


async def test_readers_see_each_commit(ingest: Ingest, points: Points) -> None:
    bus = ingest._bus
    states = States(points, bus, single_process=True)
    await states.start()
    live = await ingest.open(1, 366)
    assert (await states.get([1]))[1].state is None
    await store(ingest, live, report(NOW))
    known = states.peek(1)
    assert known is not None
    assert known.state is not None
    assert known.state.newest == NOW
    assert known.version == live.version == 1
    assert msgspec.structs.asdict(known.state.motion)["moving"] is True
    await states.close()
