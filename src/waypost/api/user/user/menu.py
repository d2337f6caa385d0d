"""``user/menu/read``."""

from __future__ import annotations

from waypost.accounts.menus import Application, Menu, menu_of
from waypost.api.action import UserCall, user_action
from waypost.api.reply import Value


@user_action("user/menu/read")
async def read(call: UserCall, application: Application = "navixy_web") -> Value[Menu]:
    """The menu of the account's interface."""
    async with call.services.database.read() as connection:
        return Value(await menu_of(connection, call.user.dealer_id, call.user.account_id))
