"""Accounts as one service: log-ins, sessions, API keys. What is only rows is in ``users``,
``subusers`` and ``keys``."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import select

from waypost.accounts.dealers import panel_shut_out, users_shut_out
from waypost.accounts.lockout import Lockout
from waypost.accounts.model import PanelAccount, SessionKind
from waypost.accounts.passwords import Passwords
from waypost.accounts.person import normal_login
from waypost.accounts.second_factor import SecondFactors
from waypost.accounts.sessions import Sessions, masters, panel_account_of
from waypost.bus.base import Bus
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import dealers, panel_accounts, users


class LoggedIn(msgspec.Struct, frozen=True):
    """What a log-in leads to: a session, or half of one that asks for a code."""

    hash: str
    #: How the code comes; None: none is asked for.
    factor: Literal["email"] | None = None


class Accounts:
    """One per process."""

    def __init__(
        self, database: Database, settings: Settings, bus: Bus, passwords: Passwords | None = None
    ) -> None:
        self.database = database
        self.passwords = passwords or Passwords()
        self.sessions = Sessions(database, settings, bus)
        self.second_factors = SecondFactors(database, settings, bus, self.sessions)
        self.lockout = Lockout(settings.login_attempts, settings.login_window)

    async def start(self) -> None:
        await self.sessions.start()

    async def close(self) -> None:
        await self.sessions.close()
        self.passwords.close()

    async def log_in_user(
        self, login: str, password: str, dealer_id: int | None, address: str, now: int
    ) -> LoggedIn:
        """A user's log-in. Raises :class:`Refused`: 102 wrong, unknown or another dealer's; 103 not
        activated; 275 blocked; 11 dealer blocked; 104 too many sessions; 105 too many attempts."""
        login = normal_login(login)
        names = (f"user {login}", f"address {address}")
        self.lockout.enter(names, now)
        async with self.database.read() as connection:
            row = (
                await connection.execute(
                    select(
                        users.c.id,
                        users.c.dealer_id,
                        users.c.password_hash,
                        users.c.settings,
                        users.c.activated,
                        users.c.blocked,
                        users.c.master_id,
                        masters.c.activated.label("master_activated"),
                        masters.c.blocked.label("master_blocked"),
                        masters.c.deleted.label("master_deleted"),
                        users_shut_out().label("closed"),
                    )
                    .join(dealers, dealers.c.id == users.c.dealer_id)
                    .outerjoin(masters, masters.c.id == users.c.master_id)
                    .where(users.c.login == login, ~users.c.deleted)
                )
            ).first()
        right = await self.passwords.verify(row.password_hash if row else None, password)
        if (
            row is None
            or not right
            or dealer_id not in (None, row.dealer_id)
            or (row.master_id is not None and row.master_deleted)
        ):
            raise Refused(102)
        self.lockout.succeeded(names)
        if row.closed:
            raise Refused(11)
        if not row.activated or (row.master_id is not None and not row.master_activated):
            raise Refused(103)
        if row.blocked or (row.master_id is not None and row.master_blocked):
            raise Refused(275)
        factors = self.second_factors
        if factors.asked_of(login, row.settings):
            async with self.database.begin() as connection:
                hash_ = await factors.begin(connection, row.id, login, now)
            factors.announce(row.id)
            return LoggedIn(hash_, "email")
        async with self.database.begin() as connection:
            return LoggedIn(
                await self.sessions.create_for_user(connection, row.id, SessionKind.LOGIN, now)
            )

    async def log_in_panel(
        self, login: str, password: str, address: str, now: int
    ) -> tuple[str, PanelAccount]:
        """A log-in to the panel; the hash and whose it is. Raises :class:`Refused`: 102 wrong or
        unknown; 11 dealer or account blocked; 105 too many attempts."""
        login = normal_login(login)
        names = (f"panel {login}", f"address {address}")
        self.lockout.enter(names, now)
        async with self.database.read() as connection:
            row = (
                await connection.execute(
                    select(panel_accounts, panel_shut_out().label("closed"))
                    .join(dealers, dealers.c.id == panel_accounts.c.dealer_id)
                    .where(panel_accounts.c.login == login)
                )
            ).first()
        right = await self.passwords.verify(row.password_hash if row else None, password)
        if row is None or not right:
            raise Refused(102)
        self.lockout.succeeded(names)
        if row.closed or row.blocked:
            raise Refused(11)
        async with self.database.begin() as connection:
            hash_ = await self.sessions.create_for_panel(connection, row.id, now)
        return hash_, panel_account_of(row)
