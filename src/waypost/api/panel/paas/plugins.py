"""``paas/plugins/list``."""

from __future__ import annotations

from waypost.api.action import PanelCall, panel_action
from waypost.api.plugins import PluginObject, shown_plugins
from waypost.api.reply import Listed


@panel_action("paas/plugins/list", permissions=["base:get_dealer_info"])
async def list_(call: PanelCall) -> Listed[PluginObject]:
    """The plugins that the dealer's users have."""
    return Listed(shown_plugins())
