"""``make run``: the platform on its embedded databases with a demo fleet, and where to look."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("WAYPOST_DATA_DIR", "data"))
VEHICLES = "20"


def call(address: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(
        address + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def show(ready: dict[str, Any]) -> None:
    """Says where things are, and gives one command that shows a vehicle."""
    address = ready["http"]
    print(f"\nWaypost is running. API: {address}   Documentation: {address}/docs")
    ports = ", ".join(f"{name} {port}" for name, port in sorted(ready["ports"].items()))
    print(f"Device ports: {ports}")
    print(f"Log-ins: {DATA / 'first-login.json'}")
    try:
        login = json.loads((DATA / "first-login.json").read_text())["user"]
        session = call(address, "/user/auth", **login)["hash"]
        tracker = _moving(address, session)
    except (OSError, KeyError, urllib.error.HTTPError):
        print("(The first log-in no longer works, so there is no ready command to paste.)")
        return
    print("\nPaste this into a second terminal, a few times, to see a vehicle of the demo move:\n")
    print(f"curl -s '{address}/tracker/get_state?hash={session}&tracker_id={tracker}'\n")
    print("Stop with Ctrl-C; the data stays, and the next `make run` goes on with it.", flush=True)


def _moving(address: str, session: str) -> int:
    """A demo vehicle that is on its way; waits a little for the first reports."""
    trackers = [item["id"] for item in call(address, "/tracker/list", hash=session)["list"]]
    for _ in range(40):
        states = call(address, "/tracker/get_states", hash=session, trackers=trackers)["states"]
        for tracker, state in states.items():
            if state["movement_status"] == "moving" and state["gps"]["speed"] > 10:
                return int(tracker)
        time.sleep(0.25)
    return int(trackers[0])


def main() -> int:
    command = [sys.executable, "-m", "waypost.cli", "serve", "--demo", VEHICLES]
    command += ["--data-dir", str(DATA), *sys.argv[1:]]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches the server too; it stops in its own time and we wait for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    line = server.stdout.readline() if server.stdout else ""
    if line:
        show(json.loads(line))
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
