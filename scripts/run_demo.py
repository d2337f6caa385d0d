"""``make run``: the platform on its embedded databases with a demo fleet, and where to look.

Whoever starts a demo wants it gone with what started it, even if that is killed: else it would go
on unseen and hold the ports. So the server stops when its standard input ends, which is a pipe of
this script's, and this script stops when ``make`` is gone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from waypost.settings import SettingsError
from waypost.store.lock import DataInUse, lock_data

DATA = Path(os.environ.get("WAYPOST_DATA_DIR", "data"))
VEHICLES = "20"
#: Seconds that a server takes to stop, at most.
STOPPING = 5
#: What this script is called with to be the server.
SERVER = "server"


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
    print(f"Command line: {Path(sys.executable).with_name('waypost')}")
    try:
        login = json.loads((DATA / "first-login.json").read_text())["user"]
        session = call(address, "/user/auth", **login)["hash"]
        tracker = _moving(address, session)
    except (OSError, KeyError, ValueError):
        print("(The first log-in no longer works, so there is no ready command to paste.)")
    else:
        print("\nPaste this into a second terminal, a few times: a vehicle of the demo, which says")
        print("every two seconds where it is. It drives, and waits at red lights.\n")
        print(f"curl -s '{address}/tracker/get_state?hash={session}&tracker_id={tracker}'\n")
    print("Stop with Ctrl-C; the data stays, and the next `make run` goes on with it.", flush=True)


def _moving(address: str, session: str) -> int:
    """A demo vehicle that is on its way; waits a little for the first reports. Raises KeyError
    where there is no vehicle."""
    trackers = [item["id"] for item in call(address, "/tracker/list", hash=session)["list"]]
    if not trackers:
        raise KeyError("trackers")
    wanted = {"trackers": trackers, "list_blocked": True}
    for _ in range(40):
        states = call(address, "/tracker/get_states", hash=session, **wanted)["states"]
        for tracker, state in states.items():
            if state["movement_status"] == "moving" and state["gps"]["speed"] > 10:
                return int(tracker)
        time.sleep(0.25)
    return int(trackers[0])


def _let_former_end() -> None:
    """A server whose launcher was killed a moment ago stops by itself, soon."""
    for _ in range(STOPPING * 10):
        try:
            lock_data(DATA).close()
        except DataInUse:
            time.sleep(0.1)
        except SettingsError:
            return  # the server says it
        else:
            return


def main(arguments: list[str]) -> int:
    _let_former_end()
    command = [sys.executable, __file__, SERVER, "--data-dir", str(DATA), *arguments]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches the server too; it stops in its own time and we wait for it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.terminate())
    if "MAKELEVEL" in os.environ:
        threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    line = server.stdout.readline() if server.stdout else ""
    if line:
        show(json.loads(line))
    status = server.wait()
    if status < 0:
        print(f"The server was killed by {signal.Signals(-status).name}.", file=sys.stderr)
        return 128 - status
    return status


def _end_with_parent(server: subprocess.Popen[str]) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    server.terminate()


def serve(arguments: list[str]) -> None:
    """The server itself, as ``waypost serve``."""
    from waypost.cli import main as waypost

    # Until it is up it can be ended without ado; Ctrl-C would be told with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_input, daemon=True).start()
    waypost(["serve", "--demo", VEHICLES, *arguments])


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    if sys.argv[1:2] == [SERVER]:
        serve(sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
