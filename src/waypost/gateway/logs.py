"""Log lines that outsiders can cause, kept from flooding the log."""

from __future__ import annotations

from time import monotonic
from typing import Any

import structlog

log = structlog.get_logger()

#: So many lines of one event in so many seconds; what is beyond is counted.
LINES = 20
SECONDS = 10.0

_windows: dict[str, list[float]] = {}  # event -> [start, lines, suppressed]


def limited(event: str, **fields: Any) -> None:
    """A log line about something that devices or strangers did."""
    now = monotonic()
    window = _windows.setdefault(event, [now, 0, 0])
    if now - window[0] > SECONDS:
        if window[2]:
            log.info(event, suppressed=int(window[2]))
        window[:] = [now, 0, 0]
    if window[1] < LINES:
        window[1] += 1
        log.info(event, **fields)
    else:
        window[2] += 1
