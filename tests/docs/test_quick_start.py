"""The quick start is run as it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from platform_process import Platform  # noqa: E402


def shell_blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.S | re.M)


@pytest.mark.timeout(180)
def test_every_command_of_the_quick_start_works(tmp_path: Path) -> None:
    install, *blocks = shell_blocks("docs/quick-start.md")
    # Whoever types the later blocks finds `waypost` as this one says.
    assert "/bin/activate" in install.partition("\nwaypost serve")[0]
    with Platform(tmp_path / "data") as platform:
        script = "\n".join(blocks)
        for told, real in (
            ("http://127.0.0.1:8080", platform.ready["http"]),
            ("127.0.0.1:5027", f"127.0.0.1:{platform.port('teltonika')}"),
            ("THE USER PASSWORD", platform.login["user"]["password"]),
            ("THE PANEL PASSWORD", platform.login["panel"]["password"]),
        ):
            assert told in script
            script = script.replace(told, real)
        bin_folder = Path(sys.executable).parent
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={
                **platform.environment,
                "WAYPOST_DATA_DIR": str(platform.data_dir),
                "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"success":false' not in done.stdout.replace(" ", "")
        assert platform.admin("points", "count", "--device", "352093081452251") == {"points": 5}
        labels = {row["label"] for row in platform.rows("tracker", "list")}
        assert {"My car", "Van 1", "Van 2"} <= labels


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
