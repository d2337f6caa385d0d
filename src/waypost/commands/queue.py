"""The outgoing queue of commands. Rows, no sockets.

A command is *queued*, then *sent* (an attempt of it was claimed by a gateway), then *acknowledged*
by the device's answer, or *expired* at the end of its life, *failed*, or *cancelled*. A *sent*
command with ``finished_at`` went out by a protocol without answers: that is all there is to know.

A reliable command is delivered at least once: an attempt without an answer puts it back into the
queue, and waits grow from attempt to attempt. One that is not reliable is delivered at most once:
it is marked sent before its bytes leave, and without an answer it has failed. Attempts are numbered
rows, so two gateways never have one attempt, and a gateway that comes back finds what it left.

Commands of one device are sent in the order they were given; one that waits for its next attempt
does not hold up those behind it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.bus.base import Bus
from waypost.commands.rows import of_attempt, under_way
from waypost.commands.writes import Writes
from waypost.fleet.device_settings import confirm
from waypost.fleet.outgoing import TYPED, check_room
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import command_attempts, commands
from waypost.text import storable

QUEUED = "queued"
SENT = "sent"
ACKNOWLEDGED = "acknowledged"
EXPIRED = "expired"
FAILED = "failed"
CANCELLED = "cancelled"

# Outcomes of an attempt.
ANSWERED = "answered"
UNANSWERED = "unanswered"  # the protocol has no answers
TIMEOUT = "timeout"
DISCONNECTED = "disconnected"
GATEWAY_LOST = "gateway_lost"
REFUSED = "refused"

#: An answer may come so long (ms) after its attempt was given up, and still counts.
LATE_ANSWER = 15 * 60 * 1000
#: An attempt that nobody finished within the time-out and so much more (ms) belonged to a gateway
#: that is no more.
LOST_AFTER = 120 * 1000
_DAY = 86_400_000


class Attempt(msgspec.Struct):
    """One try to deliver a command, claimed by a gateway."""

    command_id: int
    number: int
    source_id: int
    kind: str
    payload: bytes
    reliable: bool
    sent_at: int


class Progress(msgspec.Struct, frozen=True):
    """How it stands with a command; ``finished_at`` (ms): nothing more will come of it."""

    id: int
    state: str
    answer: str | None
    error: str | None
    finished_at: int | None


#: Channels with a sender of their own.
ELSEWHERE = ("sms", "email")


# What is done for every command, made once.

_QUEUED = and_(
    commands.c.source_id == bindparam("p_source"),
    commands.c.state == QUEUED,
    commands.c.channel == "gprs",
    commands.c.expires_at > bindparam("p_now"),
)
_NEXT = (
    select(commands.c.id)
    .where(_QUEUED, or_(commands.c.due_at.is_(None), commands.c.due_at <= bindparam("p_now")))
    .order_by(commands.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(commands)
    .where(commands.c.id == _NEXT.scalar_subquery())
    .values(state=SENT, attempts=commands.c.attempts + 1, sent_at=bindparam("p_now"))
    .returning(
        commands.c.id,
        commands.c.attempts,
        commands.c.kind,
        commands.c.payload,
        commands.c.reliable,
    )
)
_NEXT_DUE = select(func.min(commands.c.due_at)).where(_QUEUED)
_ATTEMPT = insert(command_attempts)
_ATTEMPT_ANSWERED = (
    update(command_attempts)
    .where(*of_attempt(bindparam("p_command"), bindparam("p_number")))
    .values(outcome=ANSWERED, finished_at=bindparam("p_now"))
)
_TOLD = (commands.c.source_id, commands.c.kind, commands.c.payload)
_COMMAND_ANSWERED = (
    update(commands)
    .where(
        commands.c.id == bindparam("p_command"),
        commands.c.state.not_in((ACKNOWLEDGED, CANCELLED, EXPIRED)),
    )
    .values(
        state=bindparam("p_state"),
        finished_at=bindparam("p_now"),
        answer=bindparam("p_answer"),
        error=bindparam("p_error"),
    )
    .returning(*_TOLD)
)


class CommandQueue:
    """The queue. Times are ms since 1970 and always an argument."""

    def __init__(self, database: Database, bus: Bus, settings: Settings) -> None:
        self._database = database
        self._writes = Writes(database)
        self._bus = bus
        self._life = settings.command_life_days * _DAY
        self._most = settings.commands_waiting
        #: Milliseconds that an answer is waited for.
        self.timeout = settings.command_timeout * 1000

    # Giving commands.

    async def enqueue(
        self,
        source_id: int,
        payload: bytes,
        kind: str,
        reliable: bool,
        *,
        now: int,
        tracker_id: int | None = None,
        user_id: int | None = None,
        panel_account_id: int | None = None,
        life: int | None = None,
    ) -> int:
        """Queues a command for the device's connection; returns its id. ``kind`` is ``text`` or
        ``hex`` and says how ``payload`` was given; ``life`` (ms) is how long it may wait for the
        device, unless as long as the settings say. Raises :class:`Refused` 268 where too many
        wait."""
        values = {
            "source_id": source_id,
            "tracker_id": tracker_id,
            "user_id": user_id,
            "panel_account_id": panel_account_id,
            "channel": "gprs",
            "kind": kind,
            "payload": payload,
            "reliable": reliable,
            "state": QUEUED,
            "created_at": now,
            "expires_at": now + (self._life if life is None else life),
            "attempts": 0,
        }
        async with self._database.begin() as connection:
            await check_room(connection, source_id, self._most)
            added = insert(commands).values(values).returning(commands.c.id)
            command_id = int((await connection.execute(added)).scalar_one())
        self._announce(source_id)
        return command_id

    async def cancel(self, command_id: int, *, now: int) -> bool:
        """Takes a command back that has not been answered or given up; an attempt that is under way
        cannot be stopped, but is not repeated. False: it was finished already."""
        async with self._database.begin() as connection:
            row = (
                await connection.execute(
                    update(commands)
                    .where(commands.c.id == command_id, commands.c.finished_at.is_(None))
                    .values(state=CANCELLED, finished_at=now)
                    .returning(commands.c.source_id)
                )
            ).first()
        if row is not None:
            self._announce(row.source_id)
        return row is not None

    async def progress(self, command_ids: Collection[int]) -> list[Progress]:
        """How it stands with these commands."""
        query = select(
            commands.c.id,
            commands.c.state,
            commands.c.answer,
            commands.c.error,
            commands.c.finished_at,
        ).where(commands.c.id.in_(command_ids))
        async with self._database.read() as connection:
            return [Progress(*row) for row in await connection.execute(query)]

    def _announce(self, source_id: int) -> None:
        self._bus.publish(f"command.{source_id}")

    # Delivering them.

    async def waiting(self, source_ids: Collection[int]) -> set[int]:
        """Those of the sources that have commands in the queue."""
        found: set[int] = set()
        every = list(source_ids)
        async with self._database.read() as connection:
            for start in range(0, len(every), 500):
                query = (
                    select(commands.c.source_id)
                    .where(
                        commands.c.source_id.in_(every[start : start + 500]),
                        commands.c.state == QUEUED,
                        commands.c.channel == "gprs",
                    )
                    .distinct()
                )
                found.update((await connection.execute(query)).scalars())
        return found

    async def claim(
        self, source_id: int, gateway_id: str, *, now: int
    ) -> tuple[Attempt | None, int | None]:
        """Claims the next attempt for this source, marked sent from this moment. Without one: None,
        and when the next will be due (None: nothing is queued)."""
        return await self._writes.do(
            lambda connection: _claim(connection, source_id, gateway_id, now)
        )

    async def keyed(self, attempt: Attempt, key: str) -> None:
        """Notes what the device's answer to this attempt will repeat."""
        noted = (
            update(command_attempts)
            .where(*of_attempt(attempt.command_id, attempt.number))
            .values(key=storable(key))
        )
        await self._writes.do(lambda connection: connection.execute(noted))

    async def goes_on(self, attempt: Attempt, *, now: int) -> None:
        """An attempt of several lines is still being made: its gateway is there."""
        noted = (
            update(command_attempts)
            .where(*of_attempt(attempt.command_id, attempt.number))
            .values(sent_at=now)
        )
        await self._writes.do(lambda connection: connection.execute(noted))

    async def answered(self, attempt: Attempt, text: str, *, ok: bool, now: int) -> None:
        """The device answered; not ``ok``: it refused the command."""
        await self._writes.do(
            lambda connection: _answer(
                connection, attempt.command_id, attempt.number, text, ok, now
            )
        )

    async def delivered(self, attempt: Attempt, *, now: int) -> None:
        """The attempt went out, and its protocol has no answers."""
        await self._finish(
            attempt, UNANSWERED, now, {"state": SENT, "finished_at": now, "error": None}
        )

    async def refused(self, attempt: Attempt, reason: str, *, now: int) -> None:
        """The command cannot be put into the device's protocol."""
        changes = {"state": FAILED, "finished_at": now, "error": storable(reason)}
        await self._finish(attempt, REFUSED, now, changes)

    async def timed_out(self, attempt: Attempt, *, now: int) -> None:
        """No answer came in time."""
        reason = f"no answer within {self.timeout // 1000} s"
        due = self._next_try(attempt, attempt.number - 1)
        await self._finish(attempt, TIMEOUT, now, _given_up(attempt.reliable, reason, now, due))

    async def disconnected(self, attempt: Attempt, *, now: int) -> None:
        """The connection ended before the answer. The first try after that is made at once; from
        then on waits double, so that a command which makes its device restart does not keep it
        restarting."""
        reason = "the connection ended before an answer"
        due = self._next_try(attempt, attempt.number - 2)
        changes = _given_up(attempt.reliable, reason, now, due)
        await self._finish(attempt, DISCONNECTED, now, changes)

    def _next_try(self, attempt: Attempt, doublings: int) -> int | None:
        """When an attempt may be repeated; None: at once."""
        if doublings < 0:
            return None
        return attempt.sent_at + (self.timeout << min(doublings, 24))

    async def _finish(
        self, attempt: Attempt, outcome: str, now: int, changes: dict[str, Any]
    ) -> None:
        await self._writes.do(
            lambda connection: _close(
                connection, attempt.command_id, attempt.number, outcome, now, changes
            )
        )

    async def late_answer(
        self, source_id: int, text: str, *, key: str | None, ok: bool, now: int
    ) -> bool:
        """An answer to an attempt that was given up already: it counts all the same. ``key`` as in
        ``protocols.base.Answer``. False: no command of the last minutes can be meant. Not for
        instructions: one of their lines was answered, nobody knows which."""
        query = (
            select(command_attempts.c.command_id, command_attempts.c.number)
            .join(commands, commands.c.id == command_attempts.c.command_id)
            .where(
                commands.c.source_id == source_id,
                commands.c.channel.not_in(ELSEWHERE),
                commands.c.kind.in_(TYPED),
                commands.c.state.in_((QUEUED, SENT, FAILED)),
                command_attempts.c.outcome.in_((TIMEOUT, DISCONNECTED, GATEWAY_LOST)),
                command_attempts.c.sent_at > now - LATE_ANSWER,
            )
            .order_by(command_attempts.c.command_id, command_attempts.c.number)
            .limit(1)
        )
        if key is not None:
            query = query.where(command_attempts.c.key == storable(key))
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return False
            await _answer(connection, row.command_id, row.number, text, ok, now)
        return True

    # What happens by itself.

    async def recover(self, gateway_id: str | None, *, now: int) -> int:
        """At the start of a gateway: ends the attempts that it left when it crashed, or (None: it
        is the only one) all there are. Reliable commands are queued again, others have failed.
        Returns how many attempts there were."""
        whose = true() if gateway_id is None else command_attempts.c.gateway == gateway_id
        return await self._lose(whose, now)

    async def sweep(self, *, now: int) -> None:
        """From time to time: ends attempts of gateways that are no more, and the lives of commands
        that nobody could deliver. SMS and e-mails end elsewhere (``sms.queue``, ``mail.queue``)."""
        await self._lose(command_attempts.c.sent_at < now - self.timeout - LOST_AFTER, now)
        async with self._database.begin() as connection:
            await connection.execute(
                update(commands)
                .where(
                    commands.c.channel.not_in(ELSEWHERE),
                    commands.c.finished_at.is_(None),
                    commands.c.expires_at <= now,
                    or_(commands.c.state == QUEUED, commands.c.sent_at < now - self.timeout),
                )
                .values(state=EXPIRED, finished_at=now, error="not delivered in time")
            )

    async def _lose(self, which: Any, now: int) -> int:
        query = (
            select(command_attempts.c.command_id, command_attempts.c.number, commands.c.reliable)
            .join(commands, commands.c.id == command_attempts.c.command_id)
            .where(
                commands.c.channel.not_in(ELSEWHERE),
                command_attempts.c.finished_at.is_(None),
                which,
            )
            .with_for_update(of=command_attempts)
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            reason = "the server stopped before an answer"
            for row in rows:
                changes = _given_up(row.reliable, reason, now, None)
                await _close(connection, row.command_id, row.number, GATEWAY_LOST, now, changes)
        return len(rows)


async def _claim(
    connection: AsyncConnection, source_id: int, gateway_id: str, now: int
) -> tuple[Attempt | None, int | None]:
    values = {"p_source": source_id, "p_now": now}
    row = (await connection.execute(_CLAIM, values)).first()
    if row is None:
        return None, await connection.scalar(_NEXT_DUE, values)
    made = {"command_id": row.id, "number": row.attempts, "gateway": gateway_id, "sent_at": now}
    await connection.execute(_ATTEMPT, made)
    return (
        Attempt(row.id, row.attempts, source_id, row.kind, row.payload, row.reliable, now),
        None,
    )


async def _close(
    connection: AsyncConnection,
    command_id: int,
    number: int,
    outcome: str,
    now: int,
    changes: dict[str, Any],
) -> None:
    """Ends an attempt, and what that means for its command unless that is finished or in
    another attempt by now."""
    ended = await connection.execute(
        update(command_attempts)
        .where(
            *of_attempt(command_id, number),
            command_attempts.c.finished_at.is_(None),
        )
        .values(outcome=outcome, finished_at=now)
    )
    if ended.rowcount:
        await connection.execute(
            update(commands).where(*under_way(command_id, number)).values(changes)
        )


async def _answer(
    connection: AsyncConnection, command_id: int, number: int, text: str, ok: bool, now: int
) -> None:
    which = {"p_command": command_id, "p_number": number, "p_now": now}
    await connection.execute(_ATTEMPT_ANSWERED, which)
    changed = await connection.execute(
        _COMMAND_ANSWERED,
        {
            "p_command": command_id,
            "p_now": now,
            "p_state": ACKNOWLEDGED if ok else FAILED,
            "p_answer": storable(text),
            "p_error": None if ok else "the device refused it",
        },
    )
    if not ok:
        return
    row = changed.first()
    if row is None:
        # Taken back on its way; the device has done it all the same.
        told = select(*_TOLD).where(commands.c.id == command_id)
        row = (await connection.execute(told)).first()
    if row is not None:
        await confirm(connection, row.source_id, row.kind, row.payload, now)


def _given_up(reliable: bool, reason: str, now: int, due: int | None) -> dict[str, Any]:
    """What an attempt without an answer makes of its command; ``due``: when it is tried again."""
    if reliable:
        return {"state": QUEUED, "due_at": due, "error": reason}
    return {"state": FAILED, "finished_at": now, "error": reason}
