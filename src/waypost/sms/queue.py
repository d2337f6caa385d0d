"""The outgoing queue's commands that go by SMS. Rows, no connections.

A command is claimed, which makes a numbered attempt, and goes to the provider. *Sent* means so much
and no more; *acknowledged* means that the network reported its delivery, or that the device
answered. A provider without reports leaves it *sent*, finished.

A reliable command is tried again where it is uncertain whether it went out, or where the network
reports that it did not arrive; one that is not is never sent twice. Both are tried again where it
is certain that nothing went out. Waits grow from attempt to attempt.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import bindparam, delete, exists, func, insert, literal, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.commands.queue import (
    EXPIRED,
    FAILED,
    GATEWAY_LOST,
    QUEUED,
    REFUSED,
    SENT,
    TIMEOUT,
    UNANSWERED,
)
from waypost.commands.rows import of_attempt, under_way
from waypost.protocols.base import CommandError, Text
from waypost.settings import Settings
from waypost.sms.attempts import ACCEPTED, LONGEST_REASON, Attempts
from waypost.sms.compose import compose_row, shown
from waypost.sms.parts import note_parts
from waypost.sms.provider import Accepted, NotNow, NotSent, SendError, Uncertain, plain
from waypost.store.engine import Database
from waypost.store.tables import command_attempts, commands, sms_incoming, sms_parts, sources

log = structlog.get_logger()

#: A delivery report may come so long (ms) after the life of its message.
LATE_REPORT = 600_000
#: What came and went is kept for so long (ms).
KEPT = 92 * 86_400_000
#: Reports on messages that we know nothing of are kept for so long (ms).
KEPT_STRAYS = 86_400_000

# With their values written out: a partial index serves only a query that says so.
_OPEN = text("commands.channel = 'sms' AND commands.finished_at IS NULL")


class Claimed(msgspec.Struct, frozen=True):
    """An attempt to send a command, claimed for us alone."""

    command_id: int
    number: int
    source_id: int
    #: Digits, with the country's code.
    to: str
    texts: list[Text]
    reliable: bool
    expires_at: int


Outcome = tuple[Claimed, Accepted | SendError]
"""What became of an attempt."""


class SmsQueue:
    """The queue. Times are ms since 1970 and always an argument."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._attempts = Attempts(settings)
        self._provider = settings.sms_provider

    async def claim(
        self, limit: int, busy: Collection[int], sender: str, *, now: int
    ) -> tuple[list[Claimed], int | None]:
        """Claims up to ``limit`` attempts, in order; none for the sources in ``busy``. What cannot
        be said, or has nobody to go to, fails. Without any: when the next is due (None: nothing
        is queued)."""
        query = (
            select(
                commands,
                sources.c.phone,
                sources.c.device_id,
                sources.c.model,
                sources.c.setup,
                sources.c.password,
            )
            .join(sources, sources.c.id == commands.c.source_id)
            .where(
                _OPEN,
                commands.c.state == QUEUED,
                func.coalesce(commands.c.due_at, 0) <= now,
                commands.c.expires_at > now,
                commands.c.source_id.not_in(list(busy)),
            )
            .order_by(commands.c.id)
            .limit(limit)
            .with_for_update(of=commands, skip_locked=True)
        )
        claimed: list[Claimed] = []
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                found = _compose(row)
                if isinstance(found, str):
                    await _fail(connection, row.id, found, now)
                else:
                    claimed.append(found)
            if claimed:
                await self._mark(connection, claimed, sender, now)
            if rows:
                return claimed, now
            due = select(func.min(func.coalesce(commands.c.due_at, now))).where(
                _OPEN,
                commands.c.state == QUEUED,
                commands.c.expires_at > now,
                commands.c.source_id.not_in(list(busy)),
            )
            return [], await connection.scalar(due)

    async def _mark(
        self, connection: AsyncConnection, claimed: list[Claimed], sender: str, now: int
    ) -> None:
        one = update(commands).where(commands.c.id == bindparam("command"))
        await connection.execute(
            one.values(
                state=SENT,
                attempts=bindparam("attempt"),
                sent_at=now,
                shown=bindparam("seen"),
            ),
            [
                {
                    "command": each.command_id,
                    "attempt": each.number,
                    "seen": shown(each.texts) if any(t.secrets for t in each.texts) else None,
                }
                for each in claimed
            ],
        )
        await connection.execute(
            insert(command_attempts),
            [
                {
                    "command_id": each.command_id,
                    "number": each.number,
                    "gateway": sender,
                    "sent_at": now,
                }
                for each in claimed
            ],
        )

    async def settle(self, outcomes: Sequence[Outcome], *, now: int) -> None:
        """Writes down what became of attempts."""
        async with self._database.begin() as connection:
            accepted = [(each, done) for each, done in outcomes if isinstance(done, Accepted)]
            if accepted:
                await self._accepted(connection, accepted, now)
            for each, done in outcomes:
                if isinstance(done, NotSent):
                    await self._undo(connection, each, str(done))
                elif isinstance(done, SendError):
                    await self._failed(connection, each, done, now)

    async def _accepted(
        self, connection: AsyncConnection, accepted: list[tuple[Claimed, Accepted]], now: int
    ) -> None:
        await connection.execute(
            update(command_attempts)
            .where(
                *of_attempt(bindparam("command"), bindparam("attempt")),
                command_attempts.c.finished_at.is_(None),
            )
            .values(outcome=bindparam("became"), finished_at=now),
            [
                {
                    "command": each.command_id,
                    "attempt": each.number,
                    "became": ACCEPTED if done.reported else UNANSWERED,
                }
                for each, done in accepted
            ],
        )
        await connection.execute(
            update(commands)
            .where(*under_way(bindparam("command"), bindparam("attempt")))
            .values(error=None, finished_at=bindparam("ended")),
            [
                {
                    "command": each.command_id,
                    "attempt": each.number,
                    "ended": None if done.reported else now,
                }
                for each, done in accepted
            ],
        )
        ids = [
            (each.command_id, each.number, message_id)
            for each, done in accepted
            if done.reported
            for message_id in done.message_ids
        ]
        if ids:
            ends = await note_parts(connection, self._provider, ids, now=now)
            await self._attempts.conclude(connection, ends, now=now)

    async def _undo(self, connection: AsyncConnection, each: Claimed, reason: str) -> None:
        """Nothing has left, so there was no attempt."""
        await connection.execute(
            delete(command_attempts).where(*of_attempt(each.command_id, each.number))
        )
        before = select(func.max(command_attempts.c.sent_at)).where(
            command_attempts.c.command_id == each.command_id
        )
        await connection.execute(
            update(commands)
            .where(*under_way(each.command_id, each.number))
            .values(
                state=QUEUED,
                attempts=each.number - 1,
                sent_at=before.scalar_subquery(),
                error=plain(reason, LONGEST_REASON),
            )
        )

    async def _failed(
        self, connection: AsyncConnection, each: Claimed, error: SendError, now: int
    ) -> None:
        outcome = TIMEOUT if isinstance(error, Uncertain) else REFUSED
        await connection.execute(
            update(command_attempts)
            .where(
                *of_attempt(each.command_id, each.number),
                command_attempts.c.finished_at.is_(None),
            )
            .values(outcome=outcome, finished_at=now)
        )
        again = isinstance(error, NotNow) or (isinstance(error, Uncertain) and each.reliable)
        await self._attempts.give_up(
            connection, each.command_id, each.number, str(error), again=again, now=now
        )

    # What happens by itself.

    async def recover(self, *, now: int) -> int:
        """At the beginning of the one sender there is: ends the attempts that the one before it
        left when it crashed. Returns how many there were."""
        query = (
            select(
                command_attempts.c.command_id,
                command_attempts.c.number,
                commands.c.reliable,
                commands.c.source_id,
            )
            .join(commands, commands.c.id == command_attempts.c.command_id)
            .where(_OPEN, command_attempts.c.finished_at.is_(None))
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                await connection.execute(
                    update(command_attempts)
                    .where(*of_attempt(row.command_id, row.number))
                    .values(outcome=GATEWAY_LOST, finished_at=now)
                )
                reason = "the server stopped while it was being sent"
                await self._attempts.give_up(
                    connection, row.command_id, row.number, reason, again=row.reliable, now=now
                )
        return len(rows)

    async def expire(self, trouble: str | None, *, now: int) -> None:
        """Ends the lives of commands, and says of those that wait what they wait for: ``trouble``
        is what keeps the provider from sending."""
        why = func.coalesce(commands.c.error, trouble or "its turn did not come")
        open_attempt = exists().where(
            command_attempts.c.command_id == commands.c.id, command_attempts.c.finished_at.is_(None)
        )
        async with self._database.begin() as connection:
            await connection.execute(
                update(commands)
                .where(_OPEN, commands.c.state == QUEUED, commands.c.expires_at <= now)
                .values(
                    state=EXPIRED, finished_at=now, error=literal("not sent in time: ").concat(why)
                )
            )
            await connection.execute(
                update(commands)
                .where(
                    _OPEN,
                    commands.c.state == SENT,
                    commands.c.expires_at <= now - LATE_REPORT,
                    ~open_attempt,
                )
                .values(state=EXPIRED, finished_at=now, error="no delivery report came")
            )
            if trouble is not None:
                await connection.execute(
                    update(commands)
                    .where(
                        _OPEN,
                        commands.c.state == QUEUED,
                        commands.c.attempts == 0,
                        commands.c.error.is_distinct_from(trouble),
                    )
                    .values(error=trouble)
                )

    async def fail_open(self, reason: str, *, now: int) -> None:
        """Nothing goes out any more: ends what is queued or on its way."""
        async with self._database.begin() as connection:
            await connection.execute(
                update(commands).where(_OPEN).values(state=FAILED, finished_at=now, error=reason)
            )

    async def queued(self) -> int:
        """How many commands wait to be sent."""
        query = select(func.count()).where(_OPEN, commands.c.state == QUEUED)
        async with self._database.read() as connection:
            return await connection.scalar(query.select_from(commands)) or 0

    async def forget(self, *, now: int) -> None:
        """Deletes what is too old to be asked for."""
        async with self._database.begin() as connection:
            await connection.execute(delete(sms_incoming).where(sms_incoming.c.at < now - KEPT))
            await connection.execute(delete(sms_parts).where(sms_parts.c.at < now - KEPT))
            await connection.execute(
                delete(sms_parts).where(
                    sms_parts.c.command_id.is_(None), sms_parts.c.at < now - KEPT_STRAYS
                )
            )


async def _fail(connection: AsyncConnection, command_id: int, reason: str, now: int) -> None:
    await connection.execute(
        update(commands)
        .where(commands.c.id == command_id)
        .values(state=FAILED, finished_at=now, error=reason)
    )


def _compose(row: Row[Any]) -> Claimed | str:
    """What is to be sent; a text: why nothing can be."""
    if row.recipient is None and not row.phone:
        return "the device has no phone number"
    to = "".join(character for character in row.recipient or row.phone if character.isdigit())
    if not to:
        return f"{row.recipient} is no phone number"
    try:
        texts = compose_row(row)
    except CommandError as error:
        return str(error) or "there is no SMS that says it"
    except Exception:
        log.exception("sms_not_composed", command=row.id, kind=row.kind, model=row.model)
        return "internal error in putting the SMS together"
    if not texts:
        return "there is no SMS that says it"
    number = row.attempts + 1
    return Claimed(row.id, number, row.source_id, to, texts, row.reliable, row.expires_at)
