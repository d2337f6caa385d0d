"""The time zones of the world, as ``timezone/list`` shows them.

From the tables of the time zone database itself: ``zone.tab`` (which zone is used in which
country) and the links of ``tzdata.zi`` (older and other names of a zone).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import msgspec


class TimeZone(msgspec.Struct, frozen=True):
    """``base_offset`` and ``dst_offset`` are hours; the second is 0 where clocks do not change."""

    zone_id: str
    description: str
    base_offset: float
    dst_offset: int | float
    country_code: str
    alt_ids: list[str]


@cache
def all_time_zones(year: int) -> list[TimeZone]:
    """Every zone, west to east, with the rules of ``year``."""
    countries = _countries()
    links = _links()
    found = []
    for zone_id, country in [*countries.items(), ("UTC", "")]:
        base, dst = _offsets(ZoneInfo(zone_id), year)
        city = zone_id.rpartition("/")[2].replace("_", " ")
        other = sorted(name for name in links.get(zone_id, ()) if name not in countries)
        found.append(TimeZone(zone_id, city, base, dst, country, other))
    found.sort(key=lambda zone: (zone.base_offset, zone.zone_id))
    return found


def _offsets(zone: ZoneInfo, year: int) -> tuple[float, int | float]:
    """Offset of winter time, and how much summer time adds, in hours."""
    offsets = []
    for month in range(1, 13):
        moment = datetime(year, month, 1, tzinfo=UTC).astimezone(zone)
        offsets.append(moment.utcoffset() or timedelta())
    base, most = min(offsets), max(offsets)
    added = (most - base) / timedelta(hours=1)
    return base / timedelta(hours=1), int(added) if added == int(added) else added


def _table(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def _countries() -> dict[str, str]:
    return {fields[2]: fields[0] for fields in _table("zone.tab")}


def _links() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fields in _table("tzdata.zi"):
        if fields[0] == "L":
            found.setdefault(fields[1], []).append(fields[2])
    found["UTC"] = ["Etc/UTC", *(name for name in found.get("Etc/UTC", ()) if name != "UTC")]
    return found
