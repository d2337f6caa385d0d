"""Connection status: what a person may expect of a device now. Pure; the clock is an argument."""

from __future__ import annotations

from typing import Literal

from waypost.telemetry.state import State

Connection = Literal["active", "idle", "signal_lost", "just_registered", "just_replaced", "offline"]

#: A fix this old no longer counts as current.
FIX_MS = 5 * 60 * 1000
#: A device that says nothing for this long after registration is offline.
NEWCOMER_MS = 60 * 60 * 1000


def connection_status(
    state: State | None,
    now: int,
    *,
    registered: int,
    replaced: int | None = None,
    timeout_ms: int = 10 * 60 * 1000,
) -> tuple[Connection, int | None]:
    """The status at ``now`` and when it changes by time alone (ms, None: never).

    ``registered`` and ``replaced`` are when the device was registered, and when it took the place
    of another; ``timeout_ms`` is how long its model may be silent.
    """
    began = max(registered, replaced or 0)
    heard = state.received if state is not None else None
    if state is None or heard is None or heard < began:
        newcomer = began + NEWCOMER_MS
        if now >= newcomer:
            return "offline", None
        return ("just_replaced" if replaced else "just_registered"), newcomer
    silent = heard + timeout_ms
    if now >= silent:
        return "signal_lost", None
    stale = state.gps.time + FIX_MS if state.gps is not None and state.gps.valid else 0
    if now < stale:
        return "active", min(stale, silent)
    return "idle", silent
