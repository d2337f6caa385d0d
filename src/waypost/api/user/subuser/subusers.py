"""``subuser/register``, ``list``, ``update``, ``delete``, ``session/create``."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.accounts import subusers
from waypost.accounts import users as accounts
from waypost.accounts.model import SessionKind
from waypost.accounts.passwords import subuser_password_fault
from waypost.accounts.person import Subuser, details_of
from waypost.accounts.subusers import check_feature
from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Hashed, Identified, Listed


class ShownSubuser(msgspec.Struct, kw_only=True):
    """A sub-user as its master sees it."""

    id: int
    activated: bool
    login: str
    first_name: str
    middle_name: str
    last_name: str
    legal_type: str
    phone: str
    post_country: str
    post_index: str
    post_region: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_index: str
    registered_region: str
    registered_city: str
    registered_street_address: str
    state_reg_num: str
    tin: str
    legal_name: str
    iec: str
    security_group_id: int | None
    creation_date: str


@user_action("subuser/register", right="admin", errors=[201, 206, 236])
async def register(call: UserCall, user: Subuser, password: str) -> Identified:
    """Makes a sub-user of the account. It sees no tracker until some are bound to it."""
    fault = subuser_password_fault(password)
    if fault:
        raise invalid("password", fault)
    hash_ = await call.services.accounts.passwords.hash(password)
    group_id = user.security_group_id or None
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.check_group(connection, call.user.id, group_id)
        return Identified(
            await accounts.create(
                connection,
                user,
                call.now,
                dealer_id=call.user.dealer_id,
                master_id=call.user.id,
                password_hash=hash_,
                time_zone=call.user.time_zone,
                locale=call.user.locale,
                measurement_system=call.user.measurement_system,
                security_group_id=group_id,
            )
        )


@user_action("subuser/list", right="admin", errors=[236])
async def list_(call: UserCall) -> Listed[ShownSubuser]:
    """All sub-users of the account."""
    async with call.services.database.read() as connection:
        await check_feature(connection, call.user.id)
        rows = await subusers.of_master(connection, call.user.id)
    return Listed([_shown(call, row) for row in rows])


@user_action("subuser/update", right="admin", errors=[201, 206, 236])
async def change(call: UserCall, user: Subuser) -> None:
    """Changes the sub-user ``user.id``."""
    if not user.id:
        raise invalid("user.id", "is required")
    ended: list[bytes] = []
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        row = await subusers.find(connection, call.user.id, user.id)
        columns: dict[str, Any] = {}
        if not isinstance(user.security_group_id, msgspec.UnsetType):
            columns["security_group_id"] = user.security_group_id or None
            await subusers.check_group(connection, call.user.id, columns["security_group_id"])
        if user.legal_type:
            columns["legal_type"] = user.legal_type
        await accounts.change(connection, row, user, **columns)
        if user.activated is False:
            ended = await call.services.accounts.sessions.end_all_of(connection, row.id)
    call.services.accounts.sessions.forget(ended)
    call.services.accounts.sessions.forget_user(row.id)


@user_action("subuser/delete", right="admin", errors=[201, 236])
async def delete(call: UserCall, subuser_id: int) -> None:
    """Deletes a sub-user for good; its sessions end."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        row = await subusers.find(connection, call.user.id, subuser_id)
        ended = await call.services.accounts.sessions.end_all_of(connection, row.id)
        await subusers.remove(connection, row.id)
    call.services.accounts.sessions.forget(ended)
    call.services.accounts.sessions.forget_user(row.id)


@user_action("subuser/session/create", right="admin", errors=[103, 201, 236])
async def create_session(call: UserCall, subuser_id: int) -> Hashed:
    """Makes a session of a sub-user."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        row = await subusers.find(connection, call.user.id, subuser_id)
        if not row.activated:
            raise ApiError(103)
        return Hashed(
            await call.services.accounts.sessions.create_for_user(
                connection, row.id, SessionKind.GRANTED, call.now
            )
        )


def _shown(call: UserCall, row: Any) -> ShownSubuser:
    details = details_of(row)
    del details["okpo_code"]
    return ShownSubuser(
        id=row.id,
        activated=row.activated,
        login=row.login,
        first_name=row.first_name,
        middle_name=row.middle_name,
        last_name=row.last_name,
        legal_type=row.legal_type,
        legal_name=row.legal_name,
        phone=row.phone,
        security_group_id=row.security_group_id,
        creation_date=call.time(row.created_at),
        **details,
    )
