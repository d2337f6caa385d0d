"""``equipment/list``."""

from __future__ import annotations

from waypost.api.action import PanelCall, panel_action
from waypost.api.reply import Listed
from waypost.billing.equipment import Equipment, all_equipment


@panel_action("equipment/list", permissions=["tracker_bundles:read"])
async def list_(call: PanelCall) -> Listed[Equipment]:
    """What bundles can be made of."""
    return Listed(list(all_equipment().values()))
