"""``waypost serve`` as a user runs it, and a tracker that speaks to it: nothing is imported from
the program but its command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAYPOST = [sys.executable, "-m", "waypost.cli"]


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WAYPOST_")}
    return {**clean, "WAYPOST_API_RATE": "0", "WAYPOST_LOG_LEVEL": "warning", **more}


class Platform:
    """One process of the platform."""

    def __init__(self, data_dir: Path, *arguments: str, **settings: str) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        self.environment = environment(**settings)
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        self.log = ""

    def start(self) -> Platform:
        command = [*WAYPOST, "serve", "--data-dir", str(self.data_dir)]
        command += ["--http", "127.0.0.1:0", "--device-host", "127.0.0.1"]
        command += ["--device-port", "all=0", *self.arguments]
        errors = (self.data_dir.parent / f"log-{time.time_ns()}").open("w+")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=self.environment
        )
        assert self.process.stdout is not None
        watchdog = threading.Timer(60, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.process.wait()
            errors.seek(0)
            raise AssertionError(f"did not start: {errors.read()}")
        self.ready = json.loads(line)
        return self

    def stop(self, how: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(60)
        self.process = None
        return code

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def __enter__(self) -> Platform:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()

    def port(self, protocol: str) -> int:
        return int(self.ready["ports"][protocol])

    @property
    def login(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "first-login.json").read_text())
        return found

    def call(self, path: str, **parameters: Any) -> dict[str, Any]:
        """A call of the API; a refusal too is returned, as the client gets it."""
        request = urllib.request.Request(
            f"{self.ready['http']}/{path}",
            json.dumps(parameters).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            found = json.loads(error.read())
        return found

    def user_hash(self) -> str:
        return str(self.call("user/auth", **self.login["user"])["hash"])

    def panel_hash(self) -> str:
        return str(self.call("panel/account/auth", **self.login["panel"])["hash"])

    def register(self, session: str, device_id: str, model: str = "telfmb920") -> dict[str, Any]:
        answer = self.call(
            "tracker/register",
            hash=session,
            label=f"Car {device_id}",
            group_id=0,
            model=model,
            plugin_id=44,
            device_id=device_id,
            phone="",
            apn_name="internet",
        )
        assert answer["success"], answer
        value: dict[str, Any] = answer["value"]
        return value

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """``waypost admin ...`` for commands that list: a line of JSON for each row."""
        return [json.loads(line) for line in self._admin(*arguments).splitlines()]

    def admin(self, *arguments: str) -> Any:
        """``waypost admin ...`` for commands that answer with one JSON value."""
        return json.loads(self._admin(*arguments))

    def _admin(self, *arguments: str) -> str:
        done = subprocess.run(
            [*WAYPOST, "admin", *arguments],
            env={**self.environment, "WAYPOST_DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def eventually(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """The first true value of ``condition``, asked again and again."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"did not become true in {seconds} s"
        time.sleep(0.05)


def crc16_ibm(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def record(time_ms: int, latitude: float, longitude: float, speed: int) -> bytes:
    head = struct.pack(
        ">QBiiHHBH",
        time_ms,
        0,
        round(longitude * 1e7),
        round(latitude * 1e7),
        100,
        90,
        9,
        speed,
    )
    # Event 0; one value of one byte: ignition on; none of the other sizes.
    return head + struct.pack(">HH", 0, 1) + struct.pack(">HHBHHHH", 1, 239, 1, 0, 0, 0, 0)


def without_fix(time_ms: int, lac: int, cell: int, operator: int) -> bytes:
    """A record without satellites and with the cell it hears."""
    head = struct.pack(">QBiiHHBH", time_ms, 0, 0, 0, 0, 0, 0, 0)
    words = struct.pack(">HHHHH", 2, 205, cell, 206, lac)
    return (
        head + struct.pack(">HHH", 0, 3, 0) + words + struct.pack(">HHIHH", 1, 241, operator, 0, 0)
    )


def packet(records: list[bytes]) -> bytes:
    body = bytes([0x8E, len(records)]) + b"".join(records) + bytes([len(records)])
    return struct.pack(">II", 0, len(body)) + body + struct.pack(">I", crc16_ibm(body))


class Tracker:
    """A Teltonika device over TCP (Data Sending Protocols: codec 8 Extended, codec 12)."""

    def __init__(self, imei: str, port: int) -> None:
        self.imei = imei
        self.connection = socket.create_connection(("127.0.0.1", port), 10)
        self.connection.settimeout(15)
        self.connection.sendall(struct.pack(">H", len(imei)) + imei.encode())
        assert self.read(1) == b"\x01"

    def read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self.connection.recv(count - len(found))
            if not part:
                raise ConnectionResetError("closed by the server")
            found += part
        return found

    def send(self, *records: bytes) -> int:
        """Sends a packet; returns how many records the server says it has stored."""
        self.connection.sendall(packet(list(records)))
        return int.from_bytes(self.read(4), "big")

    def ended(self) -> bool:
        """Has the server ended the connection? It sends nothing else just now."""
        self.connection.setblocking(False)
        try:
            return self.connection.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def command(self) -> str:
        """Waits for a command and answers it."""
        head = self.read(8)
        body = self.read(int.from_bytes(head[4:], "big") + 4)
        assert body[0] == 0x0C
        assert body[2] == 0x05
        text = body[7:-5].decode()
        answer = f"done: {text}".encode()
        reply = bytes([0x0C, 1, 6]) + struct.pack(">I", len(answer)) + answer + b"\x01"
        self.connection.sendall(
            struct.pack(">II", 0, len(reply)) + reply + struct.pack(">I", crc16_ibm(reply))
        )
        return text

    def close(self) -> None:
        self.connection.close()
