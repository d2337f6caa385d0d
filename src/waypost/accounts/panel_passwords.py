"""New passwords of panel accounts: none that the account had lately."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.passwords import Passwords, password_fault
from waypost.refusal import Refused, invalid
from waypost.store.engine import Database
from waypost.store.tables import former_passwords, panel_accounts, sessions

#: How many passwords, the present one among them, cannot be taken again.
HISTORY = 10


class NewPassword(msgspec.Struct, frozen=True):
    """A password that an account may have, and the hash of the one that it is to replace."""

    account_id: int
    former: str
    hash: str


async def prepare_password(
    database: Database, passwords: Passwords, account_id: int, new: str, parameter: str
) -> NewPassword:
    """Checks a new password, and hashes it, before any transaction: it takes its time. Raises
    :class:`Refused` 7 (``parameter``) for one that breaks the rules or was used lately."""
    fault = password_fault(new)
    if fault:
        raise invalid(parameter, fault)
    async with database.read() as connection:
        current = (
            await connection.execute(
                select(panel_accounts.c.password_hash).where(panel_accounts.c.id == account_id)
            )
        ).scalar_one()
        former = await connection.scalars(
            select(former_passwords.c.password_hash)
            .where(former_passwords.c.panel_account_id == account_id)
            .order_by(former_passwords.c.id.desc())
            .limit(HISTORY - 1)
        )
        known = [current, *former]
    for stored in known:
        if await passwords.verify(stored, new):
            raise invalid(parameter, "Password was recently used.")
    return NewPassword(account_id, current, await passwords.hash(new))


async def store_password(
    connection: AsyncConnection, new: NewPassword, now: int, *, keep: bytes | None = None
) -> list[bytes]:
    """Stores it and ends the account's sessions, but for ``keep``; the keys of those that ended.
    Raises :class:`Refused` 248 where the password was changed meanwhile."""
    account = panel_accounts.c.id == new.account_id
    changed = await connection.execute(
        update(panel_accounts)
        .where(account, panel_accounts.c.password_hash == new.former)
        .values(password_hash=new.hash)
    )
    if changed.rowcount != 1:
        raise Refused(248)
    owned = former_passwords.c.panel_account_id == new.account_id
    await connection.execute(
        insert(former_passwords).values(
            panel_account_id=new.account_id, password_hash=new.former, replaced_at=now
        )
    )
    kept = (
        select(former_passwords.c.id)
        .where(owned)
        .order_by(former_passwords.c.id.desc())
        .limit(HISTORY)
    )
    await connection.execute(
        delete(former_passwords).where(owned, former_passwords.c.id.not_in(kept))
    )
    ended = delete(sessions).where(sessions.c.panel_account_id == new.account_id)
    if keep is not None:
        ended = ended.where(sessions.c.key != keep)
    return list(await connection.scalars(ended.returning(sessions.c.key)))
