"""Log-in with a second factor: a code that is sent by e-mail.

A log-in that asks for one makes a session of the kind ``second_factor``, which is good for the two
actions about codes and for nothing else. The code itself is kept as a digest beside that session;
the e-mail is a row of the outgoing queue. Everything is counted in rows, so that it makes no
difference which process is asked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.model import Session, SessionKind, User
from waypost.accounts.sessions import Sessions, delete_ended, session_key
from waypost.bus.base import Bus
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import commands, sessions

#: How long (ms) a code, and the session that asks for it, are good.
CODE_LIFE = 15 * 60_000
#: Wrong codes after which the log-in has to begin again.
ATTEMPTS = 5
#: A code is sent again once in so many ms.
RESEND = 5 * 60_000
DIGITS = 6

_EMAIL = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]{1,190}")
_PENDING = SessionKind.SECOND_FACTOR.value


class SecondFactors:
    """One per process. Moments are ms."""

    def __init__(
        self, database: Database, settings: Settings, bus: Bus, sessions: Sessions
    ) -> None:
        self._database = database
        self._settings = settings
        self._bus = bus
        self._sessions = sessions

    def asked_of(self, login: str, settings: dict[str, Any]) -> bool:
        """Must a user bring a code? The panel has allowed it, e-mail can be sent, and the login is
        an address to send it to."""
        factor = settings.get("mfa", {})
        return (
            bool(self._settings.mail_provider)
            and factor.get("type") == "allowed"
            and "email" in factor.get("factor_types", ())
            and login.isascii()
            and _EMAIL.fullmatch(login) is not None
        )

    async def begin(self, connection: AsyncConnection, user_id: int, login: str, now: int) -> str:
        """A session that asks for a code, which is sent to ``login``; its hash. Raises
        :class:`Refused` 105 for too many codes, or too many wrong ones, within their life."""
        await delete_ended(connection, now)
        query = select(func.count(), func.coalesce(func.sum(sessions.c.code_failures), 0)).where(
            sessions.c.user_id == user_id, sessions.c.kind == _PENDING
        )
        made, failures = (await connection.execute(query)).one()
        if max(made, failures) >= self._settings.login_attempts:
            raise Refused(105)
        hash_ = secrets.token_hex(16)
        key, code = session_key(hash_), _new_code()
        await connection.execute(
            insert(sessions).values(
                key=key,
                user_id=user_id,
                kind=_PENDING,
                created_at=now,
                expires_at=now + CODE_LIFE,
                code=digest_of(key, code),
            )
        )
        await self._queue(connection, user_id, login, code, now)
        return hash_

    def announce(self, user_id: int) -> None:
        """After the commit: there is something to send."""
        self._bus.publish(f"mail.{user_id}")

    async def resend(self, session: Session, now: int) -> None:
        """Sends another code, and forgets the one before. Raises :class:`Refused`: 15 within five
        minutes of the last time, 4 where the log-in has to begin again."""
        assert isinstance(session.caller, User)  # noqa: S101 - only users have such sessions
        code = _new_code()
        mine = (sessions.c.key == session.key, sessions.c.code_failures < ATTEMPTS)
        async with self._database.begin() as connection:
            changed = await connection.execute(
                update(sessions)
                .where(
                    *mine,
                    or_(
                        sessions.c.code_resent_at.is_(None),
                        sessions.c.code_resent_at <= now - RESEND,
                    ),
                )
                .values(code=digest_of(session.key, code), code_resent_at=now)
                .returning(sessions.c.user_id)
            )
            if changed.first() is None:
                known = await connection.scalar(select(func.count()).where(*mine))
                raise Refused(15 if known else 4)
            await self._queue(connection, session.caller.id, session.caller.login, code, now)
        self.announce(session.caller.id)

    async def verify(self, session: Session, code: str, now: int) -> str:
        """The hash of an ordinary session, for the right code. Raises :class:`Refused`: 282 wrong;
        4 after too many wrong ones, when the log-in has to begin again; 104 too many sessions."""
        assert isinstance(session.caller, User)  # noqa: S101 - only users have such sessions
        hash_ = None
        async with self._database.begin() as connection:
            # Counted before it is looked at, so that many at once gain nothing.
            tried = await connection.execute(
                update(sessions)
                .where(
                    sessions.c.key == session.key,
                    sessions.c.kind == _PENDING,
                    sessions.c.code_failures < ATTEMPTS,
                    sessions.c.expires_at > now,
                )
                .values(code_failures=sessions.c.code_failures + 1)
                .returning(sessions.c.code)
            )
            expected = tried.scalar_one_or_none()
            if expected is None:
                raise Refused(4)
            if hmac.compare_digest(expected, digest_of(session.key, code.strip())):
                await connection.execute(delete(sessions).where(sessions.c.key == session.key))
                hash_ = await self._sessions.create_for_user(
                    connection, session.caller.id, SessionKind.LOGIN, now
                )
        if hash_ is None:
            raise Refused(282)
        self._sessions.forget([session.key])
        return hash_

    async def _queue(
        self, connection: AsyncConnection, user_id: int, login: str, code: str, now: int
    ) -> None:
        able = bool(self._settings.mail_provider)
        await connection.execute(
            insert(commands).values(
                user_id=user_id,
                channel="email",
                recipient=login,
                kind="code",
                payload=msgspec.json.encode({"code": code} if able else {}),
                shown="a code to log in",
                state="queued" if able else "failed",
                created_at=now,
                expires_at=now + CODE_LIFE,
                finished_at=None if able else now,
                error=None if able else "no mail server is set up",
            )
        )


def _new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def digest_of(key: bytes, code: str) -> bytes:
    """What is kept of a code; ``key`` is that of its session."""
    return hashlib.sha256(key + code.encode()).digest()
