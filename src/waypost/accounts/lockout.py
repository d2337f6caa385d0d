"""Brakes on guessing passwords: failed log-ins counted by log-in and by address."""

from __future__ import annotations

from collections import deque

from waypost.refusal import Refused


class Lockout:
    """After ``attempts`` failures within ``window`` seconds further attempts are refused (code 105)
    until the window has passed. Counted in this process."""

    def __init__(self, attempts: int, window: int) -> None:
        self._attempts = attempts
        self._window = window * 1000
        self._failures: dict[str, deque[int]] = {}

    def enter(self, names: tuple[str, ...], now: int) -> None:
        """Begins an attempt, which counts as failed until :meth:`succeeded`, so that many at once
        gain nothing. Raises :class:`Refused`."""
        for name in names:
            failures = self._recent(name, now)
            if failures is not None and len(failures) >= self._attempts:
                raise Refused(105)
        for name in names:
            self._failures.setdefault(name, deque()).append(now)
        if len(self._failures) > 50_000:
            self._sweep(now)

    def succeeded(self, names: tuple[str, ...]) -> None:
        """The attempt was right: it does not count. Failures before it still do, else an attacker
        could clear the count with an account of their own."""
        for name in names:
            failures = self._failures.get(name)
            if failures:
                failures.pop()
                if not failures:
                    del self._failures[name]

    def _recent(self, name: str, now: int) -> deque[int] | None:
        failures = self._failures.get(name)
        if failures is not None:
            while failures and failures[0] <= now - self._window:
                failures.popleft()
            if not failures:
                del self._failures[name]
                return None
        return failures

    def _sweep(self, now: int) -> None:
        for name in list(self._failures):
            self._recent(name, now)
