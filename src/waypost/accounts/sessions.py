"""Sessions and API keys: the 32 hex digits that speak for a caller.

Only a session's SHA-256 is kept. Resolved hashes stay in memory, so that a warm request costs no
query; ``accounts.session`` and ``fleet.user.*`` on the bus say what is no longer true, and where
other processes write too an entry is also believed for a few seconds only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import panel_shut_out, users_shut_out
from waypost.accounts.model import PanelAccount, Session, SessionKind, User
from waypost.bus.base import Bus, Subscription, id_in
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import (
    api_keys,
    dealers,
    panel_accounts,
    security_groups,
    sessions,
    users,
)

DAY = 86_400_000
USER_LIFE = 30 * DAY
PANEL_LIFE = DAY
#: How long a resolved hash is believed where other processes write to the database, ms.
SHARED_BELIEF = 5000
CACHE_SIZE = 100_000
SUBJECT = "accounts.session"

_HASH = re.compile(r"[0-9a-fA-F]{32}")

masters = users.alias("masters")


def session_key(hash_: str) -> bytes:
    """What is kept of a hash."""
    return hashlib.sha256(hash_.lower().encode()).digest()


def well_formed(hash_: str) -> bool:
    return _HASH.fullmatch(hash_) is not None


class _Entry(msgspec.Struct):
    session: Session
    loaded_at: int


class Sessions:
    """Finds, makes and ends sessions. Moments are milliseconds."""

    def __init__(self, database: Database, settings: Settings, bus: Bus) -> None:
        self._database = database
        self._settings = settings
        self._bus = bus
        self._belief = None if settings.single_process else SHARED_BELIEF
        self._known: dict[bytes, _Entry] = {}
        #: Counts invalidations: an answer read before one is not kept after it.
        self._generation = 0
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        self._subscriptions = [
            await self._bus.subscribe(SUBJECT, self._ended),
            await self._bus.subscribe("fleet.user.*", self._user_changed),
            await self._bus.subscribe("accounts.dealer.*", self._dealer_changed),
        ]

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()

    # -- finding

    async def find(
        self, hash_: str | None, now: int, *, panel: bool, second_factor: bool = False
    ) -> Session:
        """The valid session of a hash; with ``second_factor`` only one that still asks for a code,
        else none such. Raises :class:`Refused`: 3 for no hash or one that cannot be, 4 for an
        unknown, ended or foreign one, 11 where the dealer is blocked."""
        if hash_ is None or not well_formed(hash_):
            raise Refused(3)
        key = session_key(hash_)
        entry = self._known.get(key)
        if entry is None or (self._belief is not None and now - entry.loaded_at > self._belief):
            generation = self._generation
            session = await self._load(key, hash_)
            if session is None:
                self._known.pop(key, None)
                raise Refused(4)
            entry = _Entry(session, now)
            if generation == self._generation:
                if len(self._known) >= CACHE_SIZE:
                    self._known.clear()
                self._known[key] = entry
        session = entry.session
        if session.expires_at is not None and session.expires_at <= now:
            raise Refused(4)
        if isinstance(session.caller, PanelAccount) != panel:
            raise Refused(4)
        if (session.kind is SessionKind.SECOND_FACTOR) != second_factor:
            raise Refused(4)
        return session

    async def _load(self, key: bytes, hash_: str) -> Session | None:
        async with self._database.read() as connection:
            row = (
                await connection.execute(_user_rows(sessions).where(sessions.c.key == key))
            ).first()
            if row is not None:
                return Session(
                    key=key,
                    kind=SessionKind(row.kind),
                    caller=user_of(row),
                    expires_at=row.expires_at,
                )
            by_hash = _user_rows(api_keys).where(api_keys.c.hash == hash_.lower())
            row = (await connection.execute(by_hash)).first()
            if row is not None:
                return Session(
                    key=key, kind=SessionKind.API_KEY, caller=user_of(row), expires_at=None
                )
            row = (
                await connection.execute(
                    select(sessions.c.expires_at, panel_accounts, panel_shut_out().label("closed"))
                    .join(panel_accounts, panel_accounts.c.id == sessions.c.panel_account_id)
                    .join(dealers, dealers.c.id == panel_accounts.c.dealer_id)
                    .where(sessions.c.key == key, ~panel_accounts.c.blocked)
                )
            ).first()
            if row is None:
                return None
            if row.closed:
                raise Refused(11)
            return Session(
                key=key,
                kind=SessionKind.LOGIN,
                caller=panel_account_of(row),
                expires_at=row.expires_at,
            )

    # -- making and ending

    async def create_for_user(
        self,
        connection: AsyncConnection,
        user_id: int,
        kind: SessionKind,
        now: int,
        *,
        limited: bool = True,
    ) -> str:
        """A new session of a user; its hash. Raises :class:`Refused` with 104 over the limit."""
        await delete_ended(connection, now)
        if limited:
            live = await connection.scalar(
                select(func.count()).where(
                    sessions.c.user_id == user_id,
                    sessions.c.kind != SessionKind.SECOND_FACTOR.value,
                )
            )
            if (live or 0) >= self._settings.sessions_per_user:
                raise Refused(104)
        return await _insert(connection, now, USER_LIFE, user_id=user_id, kind=kind.value)

    async def create_for_panel(self, connection: AsyncConnection, account_id: int, now: int) -> str:
        """A new panel session; its hash."""
        await delete_ended(connection, now)
        return await _insert(
            connection, now, PANEL_LIFE, panel_account_id=account_id, kind=SessionKind.LOGIN.value
        )

    async def renew(self, session: Session, now: int) -> None:
        """A user's session lives its full life again."""
        async with self._database.begin() as connection:
            await connection.execute(
                update(sessions)
                .where(sessions.c.key == session.key)
                .values(expires_at=now + USER_LIFE)
            )
        self.forget([session.key])

    async def end(self, session: Session) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(sessions).where(sessions.c.key == session.key))
        self.forget([session.key])

    async def end_all_of(self, connection: AsyncConnection, *user_ids: int) -> list[bytes]:
        """Ends every session of these users; the keys are for :meth:`forget` after the commit."""
        keys = list(
            await connection.scalars(select(sessions.c.key).where(sessions.c.user_id.in_(user_ids)))
        )
        await connection.execute(delete(sessions).where(sessions.c.user_id.in_(user_ids)))
        return keys

    # -- what is no longer true

    def forget(self, keys: list[bytes]) -> None:
        """These hashes changed or ended: here at once, elsewhere by the bus."""
        self._drop(keys)
        self._bus.publish(SUBJECT, msgspec.msgpack.encode(keys))

    def forget_user(self, user_id: int) -> None:
        """The account, its rights or settings changed: all its sessions are read again."""
        self._drop_user(user_id)
        self._bus.publish(f"fleet.user.{user_id}")

    def forget_dealer(self, dealer_id: int) -> None:
        """The dealer was shut out or let in: all sessions of it and of its users are read again."""
        self._drop_dealer(dealer_id)
        self._bus.publish(f"accounts.dealer.{dealer_id}")

    def _ended(self, subject: str, payload: bytes) -> None:
        self._drop(msgspec.msgpack.decode(payload, type=list[bytes]))

    def _user_changed(self, subject: str, payload: bytes) -> None:
        self._drop_user(id_in(subject))

    def _dealer_changed(self, subject: str, payload: bytes) -> None:
        self._drop_dealer(id_in(subject))

    def _drop_dealer(self, dealer_id: int) -> None:
        self._drop(
            [
                key
                for key, entry in self._known.items()
                if entry.session.caller.dealer_id == dealer_id
            ]
        )

    def _drop(self, keys: list[bytes]) -> None:
        self._generation += 1
        for key in keys:
            self._known.pop(key, None)

    def _drop_user(self, user_id: int) -> None:
        self._generation += 1
        stale = [
            key
            for key, entry in self._known.items()
            if isinstance(entry.session.caller, User)
            and user_id in (entry.session.caller.id, entry.session.caller.account_id)
        ]
        for key in stale:
            del self._known[key]


def may_enter() -> ColumnElement[bool]:
    """A user that can have a session: not gone, not shut out, and its master neither."""
    return (
        users.c.activated
        & ~users.c.deleted
        & ~users.c.blocked
        & or_(
            users.c.master_id.is_(None),
            masters.c.activated & ~masters.c.deleted & ~masters.c.blocked,
        )
    )


def _user_rows(holder: Any) -> Select[Any]:
    columns: list[Any] = [
        users,
        users_shut_out().label("closed"),
        security_groups.c.rights,
    ]
    if holder is sessions:
        columns += [sessions.c.kind, sessions.c.expires_at]
    return (
        select(*columns)
        .select_from(holder)
        .join(users, users.c.id == holder.c.user_id)
        .join(dealers, dealers.c.id == users.c.dealer_id)
        .outerjoin(security_groups, security_groups.c.id == users.c.security_group_id)
        .outerjoin(masters, masters.c.id == users.c.master_id)
        .where(may_enter())
    )


def user_of(row: Any) -> User:
    """The caller that a row of ``users`` (with ``closed`` and ``rights``) is. Raises
    :class:`Refused` with 11 where the dealer is blocked."""
    if row.closed:
        raise Refused(11)
    return User(
        id=row.id,
        dealer_id=row.dealer_id,
        master_id=row.master_id,
        login=row.login,
        time_zone=row.time_zone,
        zone=ZoneInfo(row.time_zone),
        locale=row.locale,
        measurement_system=row.measurement_system,
        rights=frozenset(row.rights or ()),
        security_group_id=row.security_group_id,
    )


def panel_account_of(row: Any) -> PanelAccount:
    return PanelAccount(
        id=row.id, dealer_id=row.dealer_id, login=row.login, permissions=row.permissions
    )


async def delete_ended(connection: AsyncConnection, now: int) -> None:
    """Deletes sessions that ran out."""
    await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))


async def _insert(connection: AsyncConnection, now: int, life: int, **values: Any) -> str:
    hash_ = secrets.token_hex(16)
    await connection.execute(
        insert(sessions).values(
            key=session_key(hash_), created_at=now, expires_at=now + life, **values
        )
    )
    return hash_
