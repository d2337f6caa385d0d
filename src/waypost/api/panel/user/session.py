"""``user/session/create`` of the panel."""

from __future__ import annotations

from sqlalchemy import select

from waypost.accounts.model import SessionKind
from waypost.accounts.users import within
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.api.reply import Hashed
from waypost.store.tables import users


@panel_action(
    "user/session/create", permissions=["users:update", "user_sessions:create"], errors=[201]
)
async def create(call: PanelCall, user_id: int) -> Hashed:
    """Makes a session of a user: the panel's way into its interface. Users of sub-dealers need
    user_sessions:global too."""
    scope = within(call.account.dealer_id, sub_dealers=call.account.may("user_sessions:global"))
    async with call.services.database.begin() as connection:
        row = (
            await connection.execute(
                select(users.c.id, users.c.activated).where(users.c.id == user_id, scope)
            )
        ).first()
        if row is None:
            raise ApiError(201)
        if not row.activated:
            raise ApiError(103)
        hash_ = await call.services.accounts.sessions.create_for_user(
            connection, row.id, SessionKind.GRANTED, call.now, limited=False
        )
    return Hashed(hash_)
