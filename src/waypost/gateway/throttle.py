"""Slowing down a connection that sends more than it may (``connection_rate``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waypost.clock import now_ms

if TYPE_CHECKING:
    from waypost.gateway.connection import Connection


class Throttle:
    """So many frames a second on average, and as many at once."""

    __slots__ = ("allowance", "last", "rate", "timer")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.allowance = float(rate)
        self.last = now_ms()
        self.timer = False

    def take(self) -> None:
        self.allowance -= 1.0

    def waits(self, connection: Connection) -> bool:
        """Must the connection wait? Then it gets a turn when its time has come."""
        now = now_ms()
        earned = self.allowance + (now - self.last) * self.rate / 1000
        self.allowance, self.last = min(float(self.rate), earned), now
        if self.allowance >= 1.0:
            return False
        if not self.timer:
            self.timer = True
            delay = (1.0 - self.allowance) / self.rate
            connection.gateway.loop.call_later(max(delay, 0.01), self._go_on, connection)
        return True

    def _go_on(self, connection: Connection) -> None:
        self.timer = False
        connection.gateway.pump.add(connection)
