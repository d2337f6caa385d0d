"""What the end of an attempt makes of its command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.commands.queue import ACKNOWLEDGED, ANSWERED, CANCELLED, FAILED, QUEUED
from waypost.commands.rows import of_attempt, under_way
from waypost.settings import Settings
from waypost.sms.provider import plain
from waypost.store.tables import command_attempts, commands

# Outcomes of an attempt, beside those of ``commands.queue``.
ACCEPTED = "accepted"  # the provider has it
DELIVERED = "delivered"
UNDELIVERED = "undelivered"

#: Characters of a reason that are kept.
LONGEST_REASON = 1000
#: Longest wait (ms) between two attempts.
LONGEST_WAIT = 3_600_000


class Concluded(msgspec.Struct, frozen=True):
    """An attempt that the network has reported on, in all its parts."""

    command_id: int
    number: int
    reliable: bool
    delivered: bool
    reason: str | None


class Attempts:
    """The rules. Times are ms since 1970 and always an argument."""

    def __init__(self, settings: Settings) -> None:
        self._wait = settings.command_timeout * 1000
        self._most = settings.sms_attempts

    async def give_up(
        self,
        connection: AsyncConnection,
        command_id: int,
        number: int,
        reason: str,
        *,
        again: bool,
        now: int,
    ) -> None:
        """An attempt was in vain. ``again``: the command may be tried again, within bounds."""
        reason = plain(reason, LONGEST_REASON)
        if again and self._most and number >= self._most:
            again, reason = False, f"{reason} ({number} attempts)"
        changes: dict[str, Any] = {"state": FAILED, "finished_at": now}
        if again:
            wait = min(self._wait * 2 ** min(number - 1, 24), LONGEST_WAIT)
            changes = {"state": QUEUED, "due_at": now + wait}
        await connection.execute(
            update(commands).where(*under_way(command_id, number)).values(error=reason, **changes)
        )

    async def conclude(
        self, connection: AsyncConnection, ends: Sequence[Concluded], *, now: int
    ) -> None:
        """The network reported on attempts; it counts for those that were given up, too."""
        if not ends:
            return
        await connection.execute(
            update(command_attempts)
            .where(
                *of_attempt(bindparam("command"), bindparam("attempt")),
                # An answer says more.
                func.coalesce(command_attempts.c.outcome, "") != ANSWERED,
            )
            .values(outcome=bindparam("became")),
            [
                {
                    "command": end.command_id,
                    "attempt": end.number,
                    "became": DELIVERED if end.delivered else UNDELIVERED,
                }
                for end in ends
            ],
        )
        delivered = [end.command_id for end in ends if end.delivered]
        if delivered:
            await connection.execute(
                update(commands)
                .where(
                    commands.c.id.in_(delivered),
                    commands.c.state.not_in((ACKNOWLEDGED, CANCELLED)),
                )
                .values(state=ACKNOWLEDGED, finished_at=now, error=None)
            )
        for end in ends:
            if not end.delivered:
                reason = end.reason or "the network reports that it was not delivered"
                await self.give_up(
                    connection, end.command_id, end.number, reason, again=end.reliable, now=now
                )
