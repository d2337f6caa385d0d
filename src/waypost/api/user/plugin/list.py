"""``plugin/list``."""

from __future__ import annotations

from waypost.api.action import UserCall, user_action
from waypost.api.plugins import PluginObject, shown_plugins
from waypost.api.reply import Listed


@user_action("plugin/list")
async def list_(call: UserCall) -> Listed[PluginObject]:
    """The ways to register trackers, and for which models each is."""
    return Listed(shown_plugins())
