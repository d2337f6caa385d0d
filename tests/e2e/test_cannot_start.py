"""What keeps the program from starting is said in one line, and it can be stopped meanwhile."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from platform_process import WAYPOST, environment

PORTS = ["--http", "127.0.0.1:0", "--device-host", "127.0.0.1", "--device-port", "all=0"]


@pytest.fixture
def silent_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*WAYPOST, "serve", *PORTS, *arguments],
        cwd=folder,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("data_dir", "settings", "said"),
    [
        ("file", {}, "data_dir: file cannot be used"),
        ("file/below", {}, "data_dir: file/below cannot be used"),
        ("broken", {}, "database: cannot be opened: broken: file is not a database"),
        ("new", {"WAYPOST_TLS_CERTIFICATE": "no.pem", "WAYPOST_TLS_KEY": "no.pem"}, "tls_"),
        ("new", {"WAYPOST_TLS_CERTIFICATE": "file", "WAYPOST_TLS_KEY": "file"}, "tls_"),
    ],
)
def test_what_is_in_the_way_is_said_in_a_line(
    data_dir: str, settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no directory")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "waypost.db").write_bytes(b"no database" * 1000)
    out, errors = serve(tmp_path, "--data-dir", data_dir, **settings).communicate(timeout=60)
    assert out == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith(f"waypost: {said}")


def test_a_port_that_another_program_has_is_said(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = subprocess.run(
            [*WAYPOST, "serve", "--data-dir", "data", "--http", address],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stdout) == (2, "")
    told = f"waypost: http: cannot listen on {address}: another program does"
    assert done.stderr.splitlines()[-1].startswith(told)
    assert not (tmp_path / "data").exists()


def test_it_can_be_stopped_while_it_waits_for_nats(silent_port: int, tmp_path: Path) -> None:
    nats = f"nats://127.0.0.1:{silent_port}"
    process = serve(tmp_path, "--data-dir", "data", "--nats", nats)
    end = time.monotonic() + 60
    while not (tmp_path / "data" / "points.db").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - asked < 8
    assert "Traceback" not in errors


def test_a_nats_that_is_not_there_is_said(silent_port: int, tmp_path: Path) -> None:
    nats = f"nats://127.0.0.1:{silent_port}"
    process = serve(tmp_path, "--data-dir", "data", "--nats", nats)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert errors.splitlines()[-1].startswith(f"waypost: nats: {nats} cannot be reached")
