"""``subuser/security_group/*``: sets of rights that sub-users have."""

from __future__ import annotations

from typing import Annotated

import msgspec
from sqlalchemy import insert, select, update

from waypost.accounts import subusers
from waypost.accounts.person import Big
from waypost.accounts.subusers import check_feature
from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Identified, Listed
from waypost.catalog.rights import ASSIGNABLE_RIGHTS
from waypost.store.tables import security_groups, users
from waypost.text import END, PRINTABLE


class Privileges(msgspec.Struct, omit_defaults=True):
    """Rights, and how far back history may be viewed (``2h``, ``3d``, ``5m``, ``1y``)."""

    rights: Annotated[list[str], msgspec.Meta(max_length=100)]
    store_period: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,4}[hdmy]" + END)] | None = (
        None
    )


class SecurityGroup(msgspec.Struct):
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)]
    privileges: Privileges
    id: Big | None = None


class ShownGroup(msgspec.Struct):
    id: int
    label: str
    privileges: Privileges


@user_action("subuser/security_group/create", right="admin", errors=[236])
async def create(call: UserCall, group: SecurityGroup) -> Identified:
    """Makes a security group."""
    rights = _rights(group)
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        group_id = await connection.scalar(
            insert(security_groups)
            .values(
                user_id=call.user.id,
                label=group.label,
                rights=rights,
                store_period=group.privileges.store_period,
            )
            .returning(security_groups.c.id)
        )
    assert group_id is not None  # noqa: S101 - an insert returns its row
    return Identified(group_id)


@user_action("subuser/security_group/list", right="admin", errors=[236])
async def list_(call: UserCall) -> Listed[ShownGroup]:
    """All security groups of the account."""
    async with call.services.database.read() as connection:
        await check_feature(connection, call.user.id)
        rows = await connection.execute(
            select(security_groups)
            .where(security_groups.c.user_id == call.user.id)
            .order_by(security_groups.c.id)
        )
        return Listed(
            [
                ShownGroup(row.id, row.label, Privileges(row.rights, row.store_period))
                for row in rows
            ]
        )


@user_action("subuser/security_group/update", right="admin", errors=[201, 236])
async def change(call: UserCall, group: SecurityGroup) -> None:
    """Changes the security group ``group.id``; those in it have its new rights at once."""
    if group.id is None:
        raise invalid("group.id", "is required")
    rights = _rights(group)
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.check_group(connection, call.user.id, group.id)
        await connection.execute(
            update(security_groups)
            .where(security_groups.c.id == group.id)
            .values(label=group.label, rights=rights, store_period=group.privileges.store_period)
        )
        members = await subusers.members(connection, group.id)
    _tell(call, members)


@user_action("subuser/security_group/delete", right="admin", errors=[201, 236])
async def delete(call: UserCall, security_group_id: int) -> None:
    """Deletes a security group; those in it have no rights from then on."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.check_group(connection, call.user.id, security_group_id)
        members = await subusers.remove_group(connection, security_group_id)
    _tell(call, members)


@user_action("subuser/security_group/assign", right="admin", errors=[201, 236])
async def assign(
    call: UserCall,
    group_id: int | None,
    subuser_ids: Annotated[list[int], msgspec.Meta(max_length=1000)],
) -> None:
    """Puts sub-users into a security group, or (null) into none."""
    async with call.services.database.begin() as connection:
        await check_feature(connection, call.user.id)
        await subusers.check_group(connection, call.user.id, group_id)
        own = {row.id for row in await subusers.of_master(connection, call.user.id)}
        if not own.issuperset(subuser_ids):
            raise ApiError(201)
        await connection.execute(
            update(users).where(users.c.id.in_(subuser_ids)).values(security_group_id=group_id)
        )
    _tell(call, subuser_ids)


def _rights(group: SecurityGroup) -> list[str]:
    """The rights, each once. ``admin`` is nobody's to give."""
    for right in group.privileges.rights:
        if right not in ASSIGNABLE_RIGHTS:
            raise invalid("group.privileges.rights", f"no right that can be given: {right[:60]}")
    return sorted(set(group.privileges.rights))


def _tell(call: UserCall, user_ids: list[int]) -> None:
    for user_id in user_ids:
        call.services.accounts.sessions.forget_user(user_id)
