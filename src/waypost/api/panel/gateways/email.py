"""``gateways/email/list``."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.api.action import PanelCall, panel_action


class EmailGateways(msgspec.Struct):
    """The dealer's own gateways, those that it may borrow, and the one in use."""

    bound_gateway: int | None
    own: list[dict[str, Any]]
    leasable: list[dict[str, Any]]


@panel_action("gateways/email/list", permissions=["email_gateways:read"])
async def list_(call: PanelCall) -> EmailGateways:
    """Gateways for e-mail. This server has none."""
    return EmailGateways(None, [], [])
