"""``make run``: the demo shows a moving vehicle, and ends with whatever started it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from platform_process import environment

DEMO = Path(__file__).parents[2] / "scripts" / "run_demo.py"
PORTS = ["--http", "127.0.0.1:0", "--device-host", "127.0.0.1", "--device-port", "all=0"]


class Demo:
    """One run of the script, under ``make`` as far as it can tell."""

    def __init__(self, data_dir: Path) -> None:
        # The shell stands for make: it waits, and is whom the script watches.
        words = " ".join([sys.executable, str(DEMO), *PORTS])
        self.make = subprocess.Popen(
            ["sh", "-c", f"{words} & echo script $!; wait $!; exit $?"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(WAYPOST_DATA_DIR=str(data_dir), MAKELEVEL="1"),
            start_new_session=True,
        )
        self.data_dir = data_dir
        self.said = ""
        assert self.make.stdout is not None
        while "Stop with Ctrl-C" not in self.said:
            line = self.make.stdout.readline()
            assert line, self.make.communicate()[1]
            self.said += line
        found = re.search(r"script (\d+)", self.said)
        assert found is not None
        self.script = int(found[1])

    @property
    def server(self) -> int:
        """Its process; it is said in the data directory."""
        return int((self.data_dir / "waypost.lock").read_text())

    def look(self) -> dict[str, Any]:
        """What the line to be pasted shows."""
        found = re.search(r"curl -s '(\S+)'", self.said)
        assert found is not None, self.said
        with urllib.request.urlopen(found[1], timeout=20) as reply:
            state: dict[str, Any] = json.load(reply)["state"]
            return state

    def end(self) -> None:
        """Nothing of it is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.make.pid, signal.SIGKILL)
        self.make.communicate()


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[[], Demo]]:
    started: list[Demo] = []

    def make_run() -> Demo:
        started.append(Demo(data_dir))
        return started[-1]

    yield make_run
    for demo in started:
        demo.end()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def gone(process: int) -> bool:
    """Within ten seconds (a zombie is gone, too)."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_the_line_to_be_pasted_shows_a_vehicle_that_moves(start: Callable[[], Demo]) -> None:
    demo = start()
    assert Path(re.findall(r"Command line: (.*)", demo.said)[0]).name == "waypost"
    places = [demo.look()["gps"]["location"]]
    # Twice with three seconds between; more often only where it stands at a red light.
    for _ in range(15):
        time.sleep(3)
        places.append(demo.look()["gps"]["location"])
        if places[-1] != places[-2]:
            return
    raise AssertionError(places)


@pytest.mark.skipif(shutil.which("sh") is None, reason="stands for make")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("killed", ["server", "script", "make"])
def test_whatever_of_it_is_killed_the_rest_ends_and_it_can_start_again(
    killed: str, start: Callable[[], Demo]
) -> None:
    demo = start()
    login = (demo.data_dir / "first-login.json").read_text()
    processes = {"server": demo.server, "script": demo.script, "make": demo.make.pid}
    os.kill(processes[killed], signal.SIGKILL)
    if killed == "make":  # which the script looks for twice a second
        assert [name for name, process in processes.items() if not gone(process)] == []
    again = start()  # at once
    assert [name for name, process in processes.items() if not gone(process)] == []
    if killed == "server":
        assert demo.make.wait() == 128 + signal.SIGKILL
    assert again.look()["gps"]["location"]["lat"]
    assert (
        json.loads((again.data_dir / "first-login.json").read_text())["user"]
        == (json.loads(login)["user"])
    )
