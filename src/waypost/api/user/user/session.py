"""``user/auth``, ``user/logout``, ``user/session/renew``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from waypost.api.action import PublicCall, UserCall, user_action
from waypost.text import PRINTABLE


class Authenticated(msgspec.Struct, kw_only=True):
    """A new session. With ``second_factor_required`` it has yet to become one: its hash is good for
    ``user/auth/code/*`` alone, and ``factor_type`` says how the code comes."""

    type: Literal["authenticated", "second_factor_required"] = "authenticated"
    factor_type: Literal["email"] | msgspec.UnsetType = msgspec.UNSET
    hash: str


@user_action("user/auth", public=True, errors=[11, 102, 103, 104, 105, 275])
async def auth(
    call: PublicCall,
    login: Annotated[str, msgspec.Meta(min_length=1, max_length=255)],
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=PRINTABLE)],
    dealer_id: int | None = None,
) -> Authenticated:
    """Logs a user in: the hash of a session that lives 30 days, or of half of one where the user
    has to bring a code from an e-mail.

    With ``dealer_id`` the user must belong to that dealer."""
    accounts = call.services.accounts
    made = await accounts.log_in_user(login, password, dealer_id, call.address, call.now)
    if made.factor is None:
        return Authenticated(hash=made.hash)
    return Authenticated(type="second_factor_required", factor_type=made.factor, hash=made.hash)


@user_action("user/logout", session_only=True)
async def logout(call: UserCall) -> None:
    """Ends the session."""
    await call.services.accounts.sessions.end(call.session)


@user_action("user/session/renew", session_only=True)
async def renew(call: UserCall) -> None:
    """Lets the session live another 30 days."""
    await call.services.accounts.sessions.renew(call.session, call.now)
