"""Clients that read slowly, or not at all."""

from __future__ import annotations

import pytest
from live_world import LiveWorld, all_of, some_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("event", ["state", "state_batch"])
async def test_a_slow_reader_gets_the_newest_of_each(live: LiveWorld, event: str) -> None:
    trackers = [await live.world.register(f"Car {at}") for at in range(3)]
    slow, _ = await live.subscribe(all_of(event, rate_limit="100ms"))
    quick, _ = await live.subscribe(some_of("state", trackers[0]))
    await quick.event("state")
    slow.socket.transport.pause_reading()
    reports = 120
    for at in range(reports):
        for tracker in trackers:
            await live.report(tracker, speed=float(at), values={"hardware_key": "k" * 9000})
        seen = await quick.event("state")
    assert seen["data"]["gps"]["speed"] == reports - 1, "others are not held up"
    # Three states of 10 kB 120 times are 3.6 MB; a batch goes out every 100 ms.
    if event == "state":
        (waiting,) = [one for one in live.live.sockets if one.paused]
        assert waiting._transport.get_write_buffer_size() < 100_000
    slow.socket.transport.resume_reading()
    newest: dict[int, int] = {}
    count = 0
    while len(newest) < 3 or set(newest.values()) != {reports - 1}:
        found = await slow.event(event)
        for state in found["data"] if event == "state_batch" else [found["data"]]:
            newest[state["source_id"]] = state["gps"]["speed"]
            count += 1
    assert count < reports * 3 / 2, "not each of them"
    assert live.live.metrics.changes == reports * 3
    await slow.silent()
