"""The console of a device: keys to it, who may use it, and what they did, in the audit log."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import panel_shut_out
from waypost.accounts.sessions import panel_account_of
from waypost.fleet.rows import TrackerRow
from waypost.refusal import Refused
from waypost.store.tables import (
    audit_log,
    console_keys,
    dealers,
    panel_accounts,
    trackers,
    users,
)

#: How long a key opens a console (ms). Once open, it stays so.
LIFE = 5 * 60 * 1000


class ConsoleKey(msgspec.Struct, frozen=True):
    """A key, and the moment (seconds since 1970) that has to be shown with it."""

    key: str
    timestamp: int


async def make_key(
    connection: AsyncConnection, row: TrackerRow, panel_account_id: int, now: int
) -> ConsoleKey:
    """A key to the console of the device of ``row``. Raises :class:`Refused` 230 for a tracker that
    is deleted or blocked."""
    if row.deleted or row.blocked:
        raise Refused(230)
    made = ConsoleKey(secrets.token_hex(20), now // 1000)
    await connection.execute(
        insert(console_keys).values(
            key=_digest(made.key),
            tracker_id=row.id,
            panel_account_id=panel_account_id,
            timestamp=made.timestamp,
            expires_at=now + LIFE,
        )
    )
    return made


class Holder(msgspec.Struct, frozen=True):
    """Whose key it is, and to which tracker's device."""

    tracker_id: int
    panel_account_id: int
    dealer_id: int


async def find_key(
    connection: AsyncConnection, shown: ConsoleKey, dealer_id: int, now: int
) -> Holder | None:
    """What this key opens for this dealer; None: nothing (any more)."""
    query = (
        select(console_keys.c.tracker_id, console_keys.c.panel_account_id)
        .join(trackers, trackers.c.id == console_keys.c.tracker_id)
        .join(users, users.c.id == trackers.c.user_id)
        .where(
            console_keys.c.key == _digest(shown.key),
            console_keys.c.timestamp == shown.timestamp,
            console_keys.c.expires_at > now,
            users.c.dealer_id == dealer_id,
        )
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Holder(row.tracker_id, row.panel_account_id, dealer_id)


async def may_command(connection: AsyncConnection, panel_account_id: int) -> bool:
    """May this panel account still command devices?"""
    row = (
        await connection.execute(
            select(panel_accounts, panel_shut_out().label("closed"))
            .join(dealers, dealers.c.id == panel_accounts.c.dealer_id)
            .where(panel_accounts.c.id == panel_account_id, ~panel_accounts.c.blocked)
        )
    ).first()
    return row is not None and not row.closed and panel_account_of(row).may("trackers:update")


async def note_command(
    connection: AsyncConnection,
    holder: Holder,
    *,
    address: str,
    now: int,
    kind: str,
    command: str,
    reliable: bool,
) -> None:
    """Writes into the audit log that somebody commands the device in its console."""
    await connection.execute(
        insert(audit_log).values(
            at=now,
            action="console/command",
            dealer_id=holder.dealer_id,
            panel_account_id=holder.panel_account_id,
            tracker_id=holder.tracker_id,
            address=address,
            details={"type": kind, "command": command, "reliable": reliable},
        )
    )


async def forget_keys(connection: AsyncConnection, now: int) -> None:
    """Deletes keys that open nothing any more."""
    await connection.execute(delete(console_keys).where(console_keys.c.expires_at <= now))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
