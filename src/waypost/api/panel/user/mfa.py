"""``user/mfa/settings/*`` of the panel: log-in with a second factor."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import func, select

from waypost.accounts.dealers import NO_MFA, change_dealer, load_dealer, lock_dealer, mfa_default
from waypost.accounts.users import set_mfa, within
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Value
from waypost.store.tables import users

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class MfaSettings(msgspec.Struct, omit_defaults=True):
    """``factor_types`` is needed where it is allowed."""

    type: Literal["allowed", "disallowed"]
    factor_types: list[Literal["email"]] = []

    def stored(self) -> dict[str, Any]:
        """Raises :class:`ApiError` 7 where the factors are missing."""
        if self.type == "disallowed":
            return {"type": self.type}
        if not self.factor_types:
            raise invalid("settings.factor_types", "is required")
        return {"type": self.type, "factor_types": sorted(set(self.factor_types))}


class Target(msgspec.Struct):
    """All users of the dealer, or those with ``ids``."""

    type: Literal["all", "selected"]
    ids: Annotated[list[Id], msgspec.Meta(max_length=10_000)] = []


def mfa_of(settings: dict[str, Any]) -> MfaSettings:
    """What a user's stored settings say."""
    return msgspec.convert(settings.get("mfa", NO_MFA), MfaSettings)


@panel_action("user/mfa/settings/read", permissions=["users:read"], errors=[201])
async def read(call: PanelCall, user_id: int) -> Value[MfaSettings]:
    """The settings of one user."""
    query = select(users.c.settings).where(
        users.c.id == user_id, within(call.account.dealer_id, sub_dealers=False)
    )
    async with call.services.database.read() as connection:
        settings = await connection.scalar(query)
    if settings is None:
        raise ApiError(201)
    return Value(mfa_of(settings))


@panel_action("user/mfa/settings/update", permissions=["users:update"], errors=[201])
async def update(call: PanelCall, target: Target, settings: MfaSettings) -> None:
    """Changes the settings of all users, or of some; 201 where one of them is not the dealer's."""
    stored = settings.stored()
    condition = within(call.account.dealer_id, sub_dealers=False)
    if target.type == "selected":
        if not target.ids:
            raise invalid("target.ids", "is required")
        condition &= users.c.id.in_(target.ids)
    async with call.services.database.begin() as connection:
        if target.type == "selected":
            count = await connection.scalar(
                select(func.count()).select_from(users).where(condition)
            )
            if count != len(set(target.ids)):
                raise ApiError(201)
        await set_mfa(connection, condition, stored)


@panel_action("user/mfa/settings/default/read", permissions=["users:read"])
async def read_default(call: PanelCall) -> Value[MfaSettings]:
    """What new users get."""
    async with call.services.database.read() as connection:
        row = await load_dealer(connection, call.account.dealer_id)
    return Value(msgspec.convert(mfa_default(row), MfaSettings))


@panel_action("user/mfa/settings/default/update", permissions=["users:update"])
async def update_default(call: PanelCall, settings: MfaSettings) -> None:
    """Changes what new users get."""
    stored = settings.stored()
    async with call.services.database.begin() as connection:
        row = await lock_dealer(connection, call.account.dealer_id)
        await change_dealer(connection, row.id, settings={**row.settings, "mfa": stored})
