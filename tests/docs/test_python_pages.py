"""The pages with Python are run as they are written, a page after the other from top to bottom."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from platform_process import Platform  # noqa: E402


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A server with a few vehicles that drive."""
    with Platform(tmp_path_factory.mktemp("pages") / "data", "--demo", "4") as platform:
        session = platform.user_hash()
        for _ in range(100):
            state = platform.call("tracker/get_state", hash=session, tracker_id=1)
            if state["success"] and state["state"]["gps"]["updated"]:
                break
            time.sleep(0.1)
        yield platform


@pytest.mark.timeout(120)
@pytest.mark.parametrize("page", ["client.md", "live.md"])
def test_the_page_works_as_it_is_written(platform: Platform, page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text()
    script = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.S | re.M))
    address = platform.ready["http"].removeprefix("http://")
    for told, real in (
        ("127.0.0.1:8080", address),
        ("THE USER PASSWORD", platform.login["user"]["password"]),
        ("THE PANEL PASSWORD", platform.login["panel"]["password"]),
    ):
        assert told in script
        script = script.replace(told, real)
    file = tmp_path / "page.py"
    file.write_text(script)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
