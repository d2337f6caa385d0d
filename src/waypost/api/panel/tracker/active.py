"""``tracker/active/history/list``: which trackers were active in which month."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import invalid
from waypost.api.reply import Listed
from waypost.fleet.active_history import ActiveMonth, active_history, month_of
from waypost.text import END

Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])" + END)]
"""A month, ``yyyy-MM``."""


@panel_action(
    "tracker/active/history/list", permissions=["trackers:read|trackers:report"], errors=[211]
)
async def list_(call: PanelCall, from_: Month, to: Month) -> Listed[ActiveMonth]:
    """The trackers that connected in each month, at most 24 of them."""
    try:
        first, last = month_of(from_), month_of(to)
    except ValueError:
        raise invalid("from", "is not a possible month") from None
    async with call.services.database.read() as connection:
        return Listed(await active_history(connection, call.account.dealer_id, first, last))
