"""Fewer positions that draw the same line (Ramer, Douglas, Peucker). Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from waypost.telemetry.trips import Spot

#: A line of more positions than this is thinned out evenly first: the difference cannot be seen,
#: and the work stays bounded.
MOST = 20_000
#: A bend that is none: 0.1 m off the line, as degrees squared.
NOTHING = 1e-12


def simplified(spots: Sequence[Spot], limit: int) -> list[Spot]:
    """At most ``limit`` (at least 2) of ``spots``, first and last among them: those where the line
    bends most. All of them where there are no more than ``limit``."""
    if len(spots) <= limit:
        return list(spots)
    if len(spots) > MOST:
        step = (len(spots) - 1) / (MOST - 1)
        spots = [spots[round(step * index)] for index in range(MOST)]
    # Flat coordinates, good enough for what lies close together.
    scale = math.cos(math.radians(spots[0].latitude)) or 1e-9
    xs = [spot.longitude * scale for spot in spots]
    ys = [spot.latitude for spot in spots]
    kept = {0, len(spots) - 1}
    heap: list[tuple[float, int, int, int]] = []
    _offer(heap, xs, ys, 0, len(spots) - 1)
    while heap and len(kept) < limit:
        _, index, start, end = heapq.heappop(heap)
        kept.add(index)
        _offer(heap, xs, ys, start, index)
        _offer(heap, xs, ys, index, end)
    return [spots[index] for index in sorted(kept)]


def _offer(
    heap: list[tuple[float, int, int, int]],
    xs: list[float],
    ys: list[float],
    start: int,
    end: int,
) -> None:
    """Puts the position between ``start`` and ``end`` that lies farthest off their line."""
    if end - start < 2:
        return
    x0, y0 = xs[start], ys[start]
    dx, dy = xs[end] - x0, ys[end] - y0
    length = dx * dx + dy * dy
    farthest, place = -1.0, start + 1
    for index in range(start + 1, end):
        px, py = xs[index] - x0, ys[index] - y0
        if length > 0:
            along = min(1.0, max(0.0, (px * dx + py * dy) / length))
            px -= along * dx
            py -= along * dy
        off = px * px + py * py
        if off > farthest:
            farthest, place = off, index
    if farthest > NOTHING:
        heapq.heappush(heap, (-farthest, place, start, end))
