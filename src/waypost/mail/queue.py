"""The outgoing queue's e-mails. Rows, no connections.

Any process that sends claims rows for a while (:data:`LEASE`); if it dies, they are claimed again,
so an e-mail is sent at least once. What has been handed over is *sent*, and that is all that
anybody will hear of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import bindparam, func, literal, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.commands.queue import EXPIRED, FAILED, SENT
from waypost.mail.compose import MailError, Sender, compose
from waypost.mail.transport import Letter, Result
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import commands, dealers, trackers, users

log = structlog.get_logger()

#: How long (ms) an attempt is its sender's alone.
LEASE = 300_000
#: Waits (ms) between attempts: the first, doubled each time, up to the longest.
FIRST_WAIT = 5_000
LONGEST_WAIT = 1_800_000

# With their values written out: a partial index serves only a query that says so.
_OPEN = text("commands.channel = 'email' AND commands.finished_at IS NULL")
#: What a finished e-mail leaves of a code.
_FORGOTTEN = b"{}"


class MailQueue:
    """The queue. Times are ms since 1970 and always an argument."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._sender = settings.mail_sender

    async def claim(self, limit: int, *, now: int) -> tuple[list[Letter], int | None]:
        """Claims up to ``limit`` e-mails, in order; what cannot be said fails. Without any: when
        the next is due (None: nothing is queued)."""
        owner = func.coalesce(trackers.c.user_id, commands.c.user_id)
        query = (
            select(commands, dealers.c.settings.label("dealer_settings"))
            .outerjoin(trackers, trackers.c.id == commands.c.tracker_id)
            .outerjoin(users, users.c.id == owner)
            .outerjoin(dealers, dealers.c.id == users.c.dealer_id)
            .where(_OPEN, func.coalesce(commands.c.due_at, 0) <= now, commands.c.expires_at > now)
            .order_by(commands.c.id)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        letters: list[Letter] = []
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                try:
                    letters.append(self._letter(row, now))
                except MailError as error:
                    await _finish(connection, row.id, FAILED, str(error), now)
            if letters:
                claimed = [{"id_": each.command_id, "number": each.number} for each in letters]
                await connection.execute(
                    update(commands)
                    .where(commands.c.id == bindparam("id_"))
                    .values(attempts=bindparam("number"), due_at=now + LEASE),
                    claimed,
                )
            if rows:
                return letters, now
            due = select(func.min(func.coalesce(commands.c.due_at, now))).where(_OPEN)
            return [], await connection.scalar(due)

    def _letter(self, row: Row[Any], now: int) -> Letter:
        told = (row.dealer_settings or {}).get("notification", {})
        sender = Sender(told.get("email_from") or self._sender, told.get("email_footer", ""))
        recipient = row.recipient or ""
        message = compose(
            row.kind,
            row.payload,
            recipient=recipient,
            sender=sender,
            reference=f"{row.id}.{row.created_at}",
            now=now,
        )
        return Letter(row.id, row.attempts + 1, recipient, message, row.shown or row.kind)

    async def settle(self, outcomes: Sequence[tuple[Letter, Result]], *, now: int) -> None:
        """Writes down what became of attempts."""
        async with self._database.begin() as connection:
            for letter, result in outcomes:
                values: dict[str, Any] = {"error": result.reason}
                if result.outcome == "later":
                    wait = min(FIRST_WAIT * 2 ** min(letter.number - 1, 24), LONGEST_WAIT)
                    values["due_at"] = now + wait
                else:
                    sent = result.outcome == "sent"
                    values |= {"state": SENT if sent else FAILED, "finished_at": now}
                    if sent:
                        values["sent_at"] = now
                await connection.execute(
                    update(commands)
                    .where(
                        commands.c.id == letter.command_id,
                        commands.c.attempts == letter.number,
                        commands.c.finished_at.is_(None),
                    )
                    .values(values)
                )
            await _forget_codes(connection, [letter.command_id for letter, _ in outcomes])

    async def expire(self, *, now: int) -> None:
        """Ends the lives of e-mails that are over."""
        why = func.coalesce(commands.c.error, "its turn did not come")
        async with self._database.begin() as connection:
            ended = await connection.execute(
                update(commands)
                .where(_OPEN, commands.c.expires_at <= now)
                .values(
                    state=EXPIRED, finished_at=now, error=literal("not sent in time: ").concat(why)
                )
                .returning(commands.c.id)
            )
            await _forget_codes(connection, list(ended.scalars()))

    async def fail_open(self, reason: str, *, now: int) -> None:
        """Nothing goes out any more: ends what is queued."""
        async with self._database.begin() as connection:
            ended = await connection.execute(
                update(commands)
                .where(_OPEN)
                .values(state=FAILED, finished_at=now, error=reason)
                .returning(commands.c.id)
            )
            await _forget_codes(connection, list(ended.scalars()))


async def _finish(
    connection: AsyncConnection, command_id: int, state: str, reason: str, now: int
) -> None:
    await connection.execute(
        update(commands)
        .where(commands.c.id == command_id)
        .values(state=state, finished_at=now, error=reason)
    )
    await _forget_codes(connection, [command_id])


async def _forget_codes(connection: AsyncConnection, command_ids: Sequence[int]) -> None:
    """Of a code that went out, or will not any more, nothing stays here."""
    if command_ids:
        await connection.execute(
            update(commands)
            .where(
                commands.c.id.in_(command_ids),
                commands.c.kind == "code",
                commands.c.finished_at.is_not(None),
            )
            .values(payload=_FORGOTTEN)
        )
