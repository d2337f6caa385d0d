"""A server killed between a command and its answer: what was to be delivered is, what was to go out
once does not go out twice, and people see which is which."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from platform_process import Platform, Tracker, eventually

RELIABLE, ONCE = "352093081452251", "352093081452269"


def heard(device: Tracker) -> str:
    """The next command, which is not answered."""
    head = device.read(8)
    body = device.read(int.from_bytes(head[4:], "big") + 4)
    return body[7:-5].decode()


def test_a_kill_between_a_command_and_its_answer(data_dir: Path, database_url: str) -> None:
    platform = Platform(data_dir, WAYPOST_DATABASE=database_url).start()
    session = platform.user_hash()
    trackers = {imei: platform.register(session, imei)["id"] for imei in (RELIABLE, ONCE)}

    def history(imei: str) -> dict[str, Any]:
        listed = platform.call(
            "tracker/command/history/list", hash=session, tracker_id=trackers[imei]
        )
        assert listed["count"] == 1, listed
        (one,) = listed["list"]
        return dict(one)

    devices = {imei: Tracker(imei, platform.port("teltonika")) for imei in trackers}
    for imei, tracker_id in trackers.items():
        answer = platform.call(
            "tracker/raw_command/send",
            hash=session,
            tracker_id=tracker_id,
            command="getver",
            reliable=imei == RELIABLE,
        )
        assert answer == {"success": True}
        assert heard(devices[imei]) == "getver"
        assert history(imei)["state"] == "sent"
    platform.kill()
    platform.start()

    lost = history(ONCE)
    assert (lost["state"], lost["error"]) == ("failed", "the server stopped before an answer")
    assert [one["outcome"] for one in lost["attempts"]] == ["gateway_lost"]
    waiting = history(RELIABLE)
    assert (waiting["state"], waiting["finished"]) == ("queued", None)
    assert waiting["error"] == "the server stopped before an answer"
    count = "tracker/command/unconfirmed/count"
    for imei, number in ((RELIABLE, 1), (ONCE, 0)):
        found = platform.call(count, hash=session, tracker_id=trackers[imei])
        assert found == {"success": True, "count": number}

    devices = {imei: Tracker(imei, platform.port("teltonika")) for imei in trackers}
    assert devices[RELIABLE].command() == "getver"
    done = eventually(
        lambda: (one := history(RELIABLE))["state"] == "acknowledged" and one,
    )
    assert done["answer"] == "done: getver"
    assert [(one["number"], one["outcome"]) for one in done["attempts"]] == [
        (1, "gateway_lost"),
        (2, "answered"),
    ]
    devices[ONCE].connection.settimeout(0.3)
    with pytest.raises(socket.timeout):
        devices[ONCE].read(1)
    assert history(ONCE)["state"] == "failed"
    assert platform.stop() == 0
