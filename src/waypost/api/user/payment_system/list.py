"""``payment_system/list``."""

from __future__ import annotations

import msgspec

from waypost.accounts.dealers import load_dealer, ui_settings
from waypost.api.action import UserCall, user_action
from waypost.api.reply import Listed


class PaymentSystem(msgspec.Struct):
    """A way to pay: the dealer's own page."""

    type: str
    url: str
    #: ISO 4217.
    currency: str


@user_action("payment_system/list", right="payment_create")
async def list_(call: UserCall) -> Listed[PaymentSystem]:
    """How the account can be filled: by the page that the dealer names in its settings, if any."""
    async with call.services.database.read() as connection:
        settings = ui_settings(await load_dealer(connection, call.user.dealer_id))
    if not settings["payment_link"]:
        return Listed([])
    return Listed([PaymentSystem("link", settings["payment_link"], settings["currency"])])
