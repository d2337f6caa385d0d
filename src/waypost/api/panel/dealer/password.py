"""``dealer/password/update``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlalchemy import select

from waypost.accounts.panel_passwords import prepare_password, store_password
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.store.tables import panel_accounts

Password = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


@panel_action("dealer/password/update", permissions=["password:update"], errors=[105, 245, 248])
async def update(call: PanelCall, old_password: Password, new_password: Password) -> None:
    """Changes the caller's password: 12 to 20 characters with an upper and a lower case letter, a
    digit and one of !@#$%^&*, none of the last ten. Its other sessions end."""
    accounts = call.services.accounts
    names = (f"panel {call.account.login}", f"address {call.address}")
    accounts.lockout.enter(names, call.now)
    query = select(panel_accounts.c.password_hash).where(panel_accounts.c.id == call.account.id)
    async with call.services.database.read() as connection:
        stored = await connection.scalar(query)
    if not await accounts.passwords.verify(stored, old_password):
        raise ApiError(248)
    accounts.lockout.succeeded(names)
    if new_password == old_password:
        raise ApiError(245)
    new = await prepare_password(
        call.services.database,
        accounts.passwords,
        call.account.id,
        new_password,
        "new_password",
    )
    async with call.services.database.begin() as connection:
        ended = await store_password(connection, new, call.now, keep=call.session.key)
    accounts.sessions.forget(ended)
