"""``api/key/*``, which is also ``user/api_key/*``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from waypost.accounts import keys
from waypost.accounts.sessions import session_key
from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Listed, Value
from waypost.text import PRINTABLE


class ApiKey(msgspec.Struct):
    hash: str
    create_date: str
    title: str


@user_action("api/key/create", "user/api_key/create", right="admin", login_only=True, errors=[268])
async def create(
    call: UserCall,
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)],
) -> Value[ApiKey]:
    """Makes an API key: a hash that does not end by itself. An account has at most 20."""
    async with call.services.database.begin() as connection:
        hash_ = await keys.create(connection, call.user.id, title, call.now)
    return Value(ApiKey(hash_, call.time(call.now), title))


@user_action("api/key/list", "user/api_key/list", right="admin", login_only=True)
async def list_(call: UserCall) -> Listed[ApiKey]:
    """The account's API keys, oldest first."""
    async with call.services.database.read() as connection:
        rows = await keys.of_user(connection, call.user.id)
    return Listed([_shown(call, row) for row in rows])


@user_action("api/key/delete", "user/api_key/delete", right="admin", login_only=True, errors=[201])
async def delete(call: UserCall, key: str | None = None, api_key: str | None = None) -> None:
    """Deletes an API key, named by ``key`` (or ``api_key``); it is refused from then on."""
    hash_ = key or api_key
    if not hash_:
        raise invalid("key", "is required")
    if "\0" in hash_:
        raise ApiError(201)
    async with call.services.database.begin() as connection:
        await keys.remove(connection, call.user.id, hash_)
    call.services.accounts.sessions.forget([session_key(hash_)])


def _shown(call: UserCall, row: Any) -> ApiKey:
    return ApiKey(row.hash, call.time(row.created_at), row.title)
