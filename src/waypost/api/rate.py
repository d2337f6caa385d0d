"""How many requests a second one caller may make."""

from __future__ import annotations

from collections import deque


class RateLimit:
    """At most ``rate`` requests in any second for each name; 0: no limit. Time is in seconds and
    never goes back."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._seen: dict[str, deque[float]] = {}
        self._swept = 0.0

    def allows(self, name: str, now: float) -> bool:
        """Counts a request of ``name``; False: one too many, and it does not count."""
        if not self.rate:
            return True
        seen = self._seen.get(name)
        if seen is None:
            if now - self._swept > 10:
                self._sweep(now)
            self._seen[name] = deque((now,), self.rate)
            return True
        if len(seen) == self.rate and now - seen[0] < 1:
            return False
        seen.append(now)
        return True

    def _sweep(self, now: float) -> None:
        self._swept = now
        for name in [name for name, seen in self._seen.items() if now - seen[-1] > 1]:
            del self._seen[name]
