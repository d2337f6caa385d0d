"""Menus of the users' interface that a dealer may change: for all its users, or for one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import change_dealer, load_dealer, lock_dealer
from waypost.accounts.users import within
from waypost.refusal import Refused
from waypost.store.tables import users
from waypost.text import PRINTABLE

Application = Literal["navixy_web"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=PRINTABLE)]


class MenuItem(msgspec.Struct):
    name: Name


class MenuGroup(msgspec.Struct, omit_defaults=True):
    name: Name
    items: Annotated[list[MenuItem], msgspec.Meta(max_length=100)] = []


Items = Annotated[list[MenuItem], msgspec.Meta(max_length=100)]


class Menu(msgspec.Struct, kw_only=True):
    """Which sections there are, in which order."""

    application: Application = "navixy_web"
    account_menu: Items = []
    main_menu: Annotated[list[MenuGroup], msgspec.Meta(max_length=100)] = []
    footer_menu: Items = []


def _group(name: str, *items: str) -> MenuGroup:
    return MenuGroup(name, [MenuItem(item) for item in items])


#: The menu until a dealer changes it.
DEFAULT = Menu(
    account_menu=[MenuItem(name) for name in ("subusers", "info", "tags")],
    main_menu=[
        _group("online_main", "online"),
        _group("reports_main", "reports", "schedule"),
        _group("fleet_main", "fleet"),
    ],
    footer_menu=[MenuItem(name) for name in ("registration", "notifications", "configuration")],
)


async def default_menu(connection: AsyncConnection, dealer_id: int) -> Menu:
    """The menu of a dealer's users."""
    stored = (await load_dealer(connection, dealer_id)).settings.get("menu")
    return DEFAULT if stored is None else msgspec.convert(stored, Menu)


async def set_default_menu(connection: AsyncConnection, dealer_id: int, menu: Menu) -> None:
    row = await lock_dealer(connection, dealer_id)
    settings = {**row.settings, "menu": msgspec.to_builtins(menu)}
    await change_dealer(connection, dealer_id, settings=settings)


async def menu_of(connection: AsyncConnection, dealer_id: int, user_id: int) -> Menu:
    """The menu of a user: its own, or that of all. Raises :class:`Refused` 201 for one that the
    dealer does not have, or a sub-user."""
    settings = await _settings(connection, dealer_id, user_id)
    if "menu" in settings:
        return msgspec.convert(settings["menu"], Menu)
    return await default_menu(connection, dealer_id)


async def set_menu(connection: AsyncConnection, dealer_id: int, user_id: int, menu: Menu) -> None:
    """Gives a user a menu of its own. Raises like :func:`menu_of`."""
    settings = await _settings(connection, dealer_id, user_id, lock=True)
    await connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(settings={**settings, "menu": msgspec.to_builtins(menu)})
    )


async def _settings(
    connection: AsyncConnection, dealer_id: int, user_id: int, *, lock: bool = False
) -> dict[str, Any]:
    query = select(users.c.settings).where(
        users.c.id == user_id, within(dealer_id, sub_dealers=False)
    )
    if lock:
        query = query.with_for_update()
    settings: dict[str, Any] | None = await connection.scalar(query)
    if settings is None:
        raise Refused(201)
    return settings
