"""``payment_system/list`` of the panel."""

from __future__ import annotations

from typing import Any

from waypost.api.action import PanelCall, panel_action
from waypost.api.reply import Listed


@panel_action("payment_system/list", permissions=["base:get_dealer_info"])
async def list_(call: PanelCall) -> Listed[dict[str, Any]]:
    """How the dealer can pay for the platform: it is the dealer's own, so in no way."""
    return Listed([])
