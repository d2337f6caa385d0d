"""The command line is a contract: its words, its exit codes, and that it shows no traceback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from waypost import __version__
from waypost.cli import main
from waypost.settings import Settings


def run(*arguments: str) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """The settings of each server that would have started."""
    started: list[Settings] = []
    monkeypatch.setattr("waypost.runtime.serve", started.append)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WAYPOST_")]:
        monkeypatch.delenv(name)
    return started


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


def test_every_option_of_serve_reaches_the_settings(served: list[Settings]) -> None:
    assert run("serve") == 0
    options = (
        "--data-dir d --database postgresql://h/b --nats nats://h --http 0.0.0.0:0 "
        "--device-host 127.0.0.1 --device-port all=0 --device-port teltonika=5027 gl200=1 "
        "--role api --role gateway --demo 3"
    )
    assert run("serve", *options.split()) == 0
    plain, full = served
    assert plain == Settings()
    assert full.data_dir == Path("d")
    assert (full.database, full.nats) == ("postgresql://h/b", "nats://h")
    assert (full.http, full.device_host) == ("0.0.0.0:0", "127.0.0.1")
    assert full.device_port == {"all": 0, "teltonika": 5027, "gl200": 1}
    assert (full.roles, full.demo) == (["api", "gateway"], 3)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    served: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "waypost.toml").write_text('http = "h:1"\napi_rate = 1\ndemo = 1\n')
    monkeypatch.setenv("WAYPOST_API_RATE", "2")
    monkeypatch.setenv("WAYPOST_DEMO", "2")
    assert run("serve", "--demo", "3") == 0
    assert (served[0].http, served[0].api_rate, served[0].demo) == ("h:1", 2, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("serve --role api", "PostgreSQL"),
        ("serve --role boss", "boss"),
        ("serve --demo many", "many"),
        ("serve --demo -1", "demo"),
        ("serve --device-port 5027", "PROTOCOL=PORT"),
        ("serve --device-port all=70000", "65535"),
        ("serve --no-such-option", "no-such-option"),
        ("serve stray", "stray"),
        ("nosuch", "nosuch"),
        ("emulate --protocol teltonika --to nowhere", "HOST:PORT"),
        ("emulate --protocol nosuch --to h:1", "nosuch"),
        ("emulate --protocol gl200 --to h:1 --interval 0.5", "1 s"),
        ("emulate --protocol gl200 --to h:1 --transport mqtt", "mqtt"),
        ("emulate --protocol gl200 --to h:1 --transport pigeon", "pigeon"),
        ("emulate --protocol gl200 --to h:1 --first-id 12", "IMEI"),
        ("emulate --protocol gl200 --to h:1 --first-id 999999999999999 --devices 2", "digits"),
        ("emulate --protocol gl200 --to h:1 --devices 0", "at least 1"),
        ("admin tap", "DEVICE"),
        ("admin cells import", "file"),
        ("decode teltonika", "bytes are missing"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_a_line(
    arguments: str, said: str, served: list[Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments.split()) == 2
    told = capfd.readouterr()
    assert said in told.err
    assert told.err.startswith("waypost: ")
    assert "Traceback" not in told.err
    assert told.out == ""
    assert served == []


@pytest.mark.parametrize(
    "arguments",
    [
        "admin points count --data-dir nothing",
        "admin tracker import no.csv --user a@b.c --data-dir nothing",
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "waypost.cli", *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("waypost: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_starting_costs_nothing_that_the_command_does_not_need() -> None:
    script = (
        "import sys, waypost.cli; "
        "print([name for name in ('sqlalchemy', 'starlette', 'uvloop', 'asyncpg', 'waypost.fleet') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def emulated(*arguments: str, end: signal.Signals | None = None) -> dict[str, Any]:
    """The summary of ``waypost emulate`` against a server that takes all Teltonika packets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(17)
            writer.write(b"\x01")
            while True:
                head = await reader.readexactly(8)
                body = await reader.readexactly(int.from_bytes(head[4:], "big") + 4)
                taken.set()
                writer.write(body[1].to_bytes(4, "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    taken = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    words = f"emulate --protocol teltonika --to 127.0.0.1:{port}".split()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "waypost.cli", *words, *arguments, stdout=subprocess.PIPE
    )
    if end is not None:
        await asyncio.wait_for(taken.wait(), 30)
        process.send_signal(end)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    server.close()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.anyio
async def test_emulate_ends_when_all_reports_are_acknowledged() -> None:
    summary = await emulated("--devices", "4", "--interval", "0.05", "--reports", "10")
    assert summary["devices"] == summary["connections"] == 4
    assert summary["reports"] == summary["sent"] == summary["acknowledged"] == 40
    assert summary["waiting"] == summary["repeated"] == 0


@pytest.mark.anyio
async def test_emulate_says_what_it_did_when_it_is_stopped() -> None:
    summary = await emulated("--interval", "0.05", end=signal.SIGTERM)
    assert summary["acknowledged"] > 0
    assert summary["sent"] == summary["acknowledged"] + summary["waiting"]
