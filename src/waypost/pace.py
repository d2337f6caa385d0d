"""How long a piece of the devices' work may hold the event loop.

People's requests run on the same loop. While somebody asks, pieces are short, and a request waits
for few of them; otherwise they are longer, which costs less for each record.
"""

from __future__ import annotations

from time import perf_counter

#: Length of a piece, seconds: usually, and while somebody asks.
LONG, SHORT = 0.000_1, 0.000_01
#: Seconds after a request in which another one is expected.
ATTENTIVE = 1.0

_until = 0.0


def somebody_asks() -> None:
    """A request has come."""
    global _until
    _until = perf_counter() + ATTENTIVE


def piece_ends() -> float:
    """When (``perf_counter``) a piece of work that begins now should make room for others."""
    now = perf_counter()
    return now + (SHORT if now < _until else LONG)


def share(usual: int) -> int:
    """How much of something that takes ``usual`` in one go should be done in one go now."""
    return usual // 4 if perf_counter() < _until else usual
