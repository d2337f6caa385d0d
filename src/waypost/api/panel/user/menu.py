"""``user/menu/*`` of the panel: menus of the users' interface."""

from __future__ import annotations

from waypost.accounts import menus
from waypost.accounts.menus import Application, Menu
from waypost.api.action import PanelCall, panel_action
from waypost.api.reply import Value


@panel_action("user/menu/read", permissions=["users:read"], errors=[201])
async def read(
    call: PanelCall, user_id: int, application: Application = "navixy_web"
) -> Value[Menu]:
    """The menu of a user (no sub-user): its own, or the default one."""
    async with call.services.database.read() as connection:
        return Value(await menus.menu_of(connection, call.account.dealer_id, user_id))


@panel_action("user/menu/update", permissions=["users:update"], errors=[201])
async def update(call: PanelCall, user_id: int, value: Menu) -> None:
    """Gives a user a menu of its own."""
    async with call.services.database.begin() as connection:
        await menus.set_menu(connection, call.account.dealer_id, user_id, value)


@panel_action("user/menu/default/read", permissions=["service_settings:read"])
async def read_default(call: PanelCall, application: Application = "navixy_web") -> Value[Menu]:
    """The menu of all users that have none of their own."""
    async with call.services.database.read() as connection:
        return Value(await menus.default_menu(connection, call.account.dealer_id))


@panel_action("user/menu/default/update", permissions=["service_settings:update"])
async def update_default(call: PanelCall, value: Menu) -> None:
    """Changes it."""
    async with call.services.database.begin() as connection:
        await menus.set_default_menu(connection, call.account.dealer_id, value)
