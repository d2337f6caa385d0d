"""How moments and durations are written for clients."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from waypost.moments import write_duration, write_second


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "PT0S"),
        (1, "PT0.001S"),
        (120_000, "PT2M"),
        (271_575, "PT4M31.575S"),
        (3_600_000, "PT1H"),
        (3_661_500, "PT1H1M1.5S"),
    ],
)
def test_durations(ms: int, text: str) -> None:
    assert write_duration(ms) == text


@pytest.mark.parametrize(
    ("zone", "iso", "text"),
    [
        ("UTC", False, "2024-03-09 12:00:00"),
        ("UTC", True, "2024-03-09T12:00:00Z"),
        ("Europe/London", True, "2024-03-09T12:00:00Z"),
        ("Asia/Kathmandu", True, "2024-03-09T17:45:00+05:45"),
        ("America/New_York", False, "2024-03-09 07:00:00"),
    ],
)
def test_moments(zone: str, iso: bool, text: str) -> None:
    assert write_second(1_709_985_600, ZoneInfo(zone), iso) == text


def test_moments_beyond_the_calendar_are_written_all_the_same() -> None:
    for second in (-(10**15), 10**15):
        for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Midway"):
            assert write_second(second, ZoneInfo(zone), True)
