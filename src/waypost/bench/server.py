"""A server of its own for a measurement: started, filled with devices, stopped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

#: The first emulated device; the rest follow by number.
FIRST_IMEI = 352_000_000_000_000


class BenchError(Exception):
    """The measurement cannot be made; the text says why."""


class Load(msgspec.Struct):
    """What the load generator measured; times in ms, ``answered`` in records or requests."""

    answered: int
    exchanges: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_seconds: float


def build_generator(folder: Path) -> Path:
    """Compiles ``load.c``. Raises :class:`BenchError` where there is no C compiler."""
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        raise BenchError(
            "no C compiler (cc, gcc or clang): the load generator must cost far less than the "
            "server, so it is a small C program that is compiled here"
        )
    program = folder / "load"
    source = Path(__file__).with_name("load.c")
    subprocess.run([compiler, "-O2", "-o", program, source], check=True)  # noqa: S603
    return program


class Server:
    """``waypost serve`` in a process of its own, in a temporary data directory."""

    def __init__(self, database: str = "", **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="waypost-bench-"))
        self.data_dir = self.folder / "data"
        self.database = database
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        self.generator = build_generator(self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BenchError("the server does not run")
        return self._process.pid

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "WAYPOST_API_RATE": "0",
            "WAYPOST_CONNECTIONS_PER_ADDRESS": "0",
            "WAYPOST_DATA_DIR": str(self.data_dir),
            "WAYPOST_DATABASE": self.database,
            "WAYPOST_LOG_LEVEL": "warning",
            **self._settings,
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "waypost.cli", "serve"]
        command += ["--http", "127.0.0.1:0", "--device-host", "127.0.0.1"]
        command += ["--device-port", "all=0"]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, text=True, env=self._environment()
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise BenchError(f"the server did not start (exit code {self._process.wait()})")
        self.ready = json.loads(line)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def admin(self, *arguments: str) -> Any:
        """``waypost admin ...``; returns the JSON of its last line."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "waypost.cli", "admin", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise BenchError(f"admin {' '.join(arguments)}: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    @property
    def first_login(self) -> dict[str, Any]:
        login: dict[str, Any] = json.loads((self.data_dir / "first-login.json").read_text())
        return login

    def register(self, count: int, first: int = 0) -> None:
        """Registers ``count`` Teltonika devices, as an operator would import them."""
        path = self.folder / "devices.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["label", "model", "device_id"])
            for number in range(first, first + count):
                writer.writerow([f"Load {number}", "telfmb920", str(FIRST_IMEI + number)])
        self.admin("tracker", "import", str(path), "--user", self.first_login["user"]["login"])

    def points(self) -> int:
        return int(self.admin("points", "count")["points"])

    def _run(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603
            [str(self.generator), *arguments], stdout=subprocess.PIPE, text=True
        )

    def load_devices(
        self, *, connections: int, records: int, seconds: float, start_ms: int, first: int = 0
    ) -> subprocess.Popen[str]:
        """Starts the device load in the background, from the device of this number on."""
        port = str(self.ready["ports"]["teltonika"])
        return self._run(
            "teltonika",
            "127.0.0.1",
            port,
            str(connections),
            str(records),
            str(seconds),
            str(FIRST_IMEI + first),
            str(start_ms),
        )

    def load_http(self, request: bytes, *, connections: int, seconds: float) -> Load:
        """Repeats one request over keep-alive connections."""
        path = self.folder / "request"
        path.write_bytes(request)
        port = self.ready["http"].rpartition(":")[2]
        return finish(
            self._run("http", "127.0.0.1", port, str(connections), str(seconds), str(path))
        )

    def rss(self) -> int:
        """Resident memory of the server, bytes, without its process that writes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """Processor time that the server and its processes have used."""
        used, pids = 0, [str(self.pid)]
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            pids += (thread / "children").read_text().split()
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")


def finish(process: subprocess.Popen[str]) -> Load:
    """Waits for a load and reads what it measured."""
    out, _ = process.communicate()
    if process.returncode:
        raise BenchError(f"the load generator failed with {process.returncode}")
    return msgspec.json.decode(out, type=Load)


def call(address: str, path: str, body: dict[str, Any]) -> Any:
    """One call of the API."""
    request = urllib.request.Request(  # noqa: S310
        address + path, msgspec.json.encode(body), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def http_request(path: str, body: dict[str, Any]) -> bytes:
    """A JSON POST as bytes."""
    data = msgspec.json.encode(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    ).encode() + data
