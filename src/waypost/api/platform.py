"""Limits of the platform that clients are told of."""

from __future__ import annotations

from typing import Any

from waypost.settings import Settings

#: Longest period of lists of what happened, days.
REPORT_DAYS = 90


def platform_limits(settings: Settings) -> dict[str, Any]:
    """By their names in ``dealer/get_ui_config``; periods as in ISO 8601."""
    return {
        "report.maxTimeSpan": f"P{REPORT_DAYS}D",
        "track.maxTimeSpan": f"P{settings.track_days}D",
        "fileStorage.hardMaxFileSize": settings.api_body,
    }
