"""``timezone/list``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from waypost.accounts.timezones import TimeZone, all_time_zones
from waypost.api.action import PublicCall, panel_action
from waypost.api.reply import Listed
from waypost.text import LOCALE


@panel_action("timezone/list", public=True)
async def list_(
    call: PublicCall, locale: Annotated[str, msgspec.Meta(pattern=LOCALE)]
) -> Listed[TimeZone]:
    """All time zones, west to east."""
    year = datetime.fromtimestamp(call.now / 1000, UTC).year
    return Listed(await asyncio.to_thread(all_time_zones, year))
