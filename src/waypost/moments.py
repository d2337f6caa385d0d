"""How moments are written for clients."""

from __future__ import annotations

from datetime import datetime, tzinfo

#: A day inside what a calendar can write, so that it can in every zone.
_FIRST, _LAST = -62_135_500_000, 253_402_200_000


def in_calendar(second: int) -> int:
    """A second since 1970, or the nearest that can be written."""
    return min(max(second, _FIRST), _LAST)


def write_second(second: int, zone: tzinfo, iso: bool) -> str:
    """A second since 1970 in ``zone``, as ``2021-05-20 13:49:09``; with ``iso`` as ISO 8601 with
    offset, which is ``Z`` for none."""
    moment = datetime.fromtimestamp(in_calendar(second), zone)
    if iso:
        return moment.isoformat().replace("+00:00", "Z")
    return moment.replace(tzinfo=None).isoformat(" ")


def write_duration(ms: int) -> str:
    """A duration in milliseconds (0 or more) as ISO 8601 has it: ``PT2M``, ``PT4M31.575S``."""
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    parts = (f"{hours}H" if hours else "", f"{minutes}M" if minutes else "")
    text = "".join(parts) + (f"{seconds}S" if rest else "")
    return f"PT{text or '0S'}"
