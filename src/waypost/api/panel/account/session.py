"""``account/auth``, ``account/logout``, ``account/get_permissions``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import PanelCall, PublicCall, panel_action


class Authenticated(msgspec.Struct):
    """A new session and what it may do: category -> operations."""

    hash: str
    permissions: dict[str, list[str]]


class Permissions(msgspec.Struct):
    permissions: dict[str, list[str]]


@panel_action("account/auth", public=True, errors=[11, 102, 105])
async def auth(
    call: PublicCall,
    login: Annotated[str, msgspec.Meta(min_length=1, max_length=255)],
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=255)],
) -> Authenticated:
    """Logs in to the panel by the dealer's number: the hash of a session that lives 24 hours."""
    hash_, account = await call.services.accounts.log_in_panel(
        login, password, call.address, call.now
    )
    return Authenticated(hash_, account.permissions)


@panel_action("account/logout")
async def logout(call: PanelCall) -> None:
    """Ends the session."""
    await call.services.accounts.sessions.end(call.session)


@panel_action("account/get_permissions")
async def get_permissions(call: PanelCall) -> Permissions:
    """What the session may do."""
    return Permissions(call.account.permissions)
