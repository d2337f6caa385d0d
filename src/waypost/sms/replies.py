"""What comes back: delivery reports and messages from outside, as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.commands.queue import ACKNOWLEDGED, ANSWERED, CANCELLED, REFUSED
from waypost.commands.rows import of_attempt
from waypost.commands.shown import hide_in_answer
from waypost.protocols.base import CommandError, Text
from waypost.settings import Settings
from waypost.sms.attempts import Attempts
from waypost.sms.compose import compose_row
from waypost.sms.parts import note_reports
from waypost.sms.provider import Incoming, Report, plain
from waypost.store.engine import Database
from waypost.store.tables import command_attempts, commands, sms_incoming, sources

#: A device may answer so long (ms) after its command was sent.
LATE_ANSWER = 86_400_000
#: Answers to what was sent within this time (ms) come in the order of what they answer.
PROMPT_ANSWER = 600_000
#: Commands that may be meant by an answer.
MOST_ASKED = 100
#: Characters of a message from outside that are kept.
LONGEST_TEXT = 10_000

Kind = Literal["answer", "unprompted", "unknown", "forged"]
"""What a message from outside was: the answer to a command; a device's word to nothing; from a
number that is no device's; or of somebody who does not know the secret."""

_NO_NUMBER = re.compile(r"[^\d+\s().-]")


class Replies:
    """Writes them down. Times are ms since 1970 and always an argument."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._attempts = Attempts(settings)

    async def take(
        self, came: Sequence[tuple[str, Report | Incoming]], *, now: int
    ) -> list[Kind | None]:
        """Stores, in one transaction, what came from providers (by name). What each message was;
        None for reports, and for messages that were here before."""
        kinds: list[Kind | None] = []
        reports = [(provider, one) for provider, one in came if isinstance(one, Report)]
        async with self._database.begin() as connection:
            if reports:
                ends = await note_reports(connection, reports, now=now)
                await self._attempts.conclude(connection, ends, now=now)
            for provider, one in came:
                kinds.append(
                    await self._incoming(connection, provider, one, now)
                    if isinstance(one, Incoming)
                    else None
                )
        return kinds

    async def forged(self, provider: str, address: str, *, now: int) -> None:
        """Somebody said something without knowing the secret."""
        async with self._database.begin() as connection:
            await connection.execute(
                insert(sms_incoming).values(
                    at=now, provider=provider, sender=address, recipient="", text="", kind="forged"
                )
            )

    async def _incoming(
        self, connection: AsyncConnection, provider: str, message: Incoming, now: int
    ) -> Kind | None:
        message_id = plain(message.message_id) if message.message_id is not None else None
        if message_id is not None:
            before = select(sms_incoming.c.id).where(
                sms_incoming.c.provider == provider, sms_incoming.c.message_id == message_id
            )
            if await connection.scalar(before.limit(1)) is not None:
                return None
        said = plain(message.text, LONGEST_TEXT)
        source_id, password = await _source(connection, message.sender)
        kind: Kind = "unknown"
        command_id = None
        if source_id is not None:
            said = hide_in_answer(said, (password or "",))
            command_id, said = await self._answer(connection, source_id, said, now)
            kind = "unprompted" if command_id is None else "answer"
        await connection.execute(
            insert(sms_incoming).values(
                at=now,
                provider=provider,
                message_id=message_id,
                sender=plain(message.sender),
                recipient=plain(message.recipient),
                text=said,
                source_id=source_id,
                command_id=command_id,
                kind=kind,
            )
        )
        return kind

    async def _answer(
        self, connection: AsyncConnection, source_id: int, said: str, now: int
    ) -> tuple[int | None, str]:
        """Gives an answer to the command of this device that it belongs to; its id (None: there is
        none), and the answer without what the command keeps secret."""
        row, texts = await _asked(connection, source_id, now)
        if row is None:
            return None, said
        secrets = tuple(secret for text in texts for secret in text.secrets)
        said = hide_in_answer(said, secrets)
        await connection.execute(
            update(command_attempts)
            .where(*of_attempt(row.id, row.attempts))
            .values(
                outcome=ANSWERED, finished_at=func.coalesce(command_attempts.c.finished_at, now)
            )
        )
        answer = said if row.answer is None else f"{row.answer}\n{said}"
        await connection.execute(
            update(commands)
            .where(commands.c.id == row.id)
            .values(
                state=ACKNOWLEDGED,
                finished_at=func.coalesce(commands.c.finished_at, now),
                answer=answer[:LONGEST_TEXT],
                error=None,
            )
        )
        return row.id, said


async def _asked(connection: AsyncConnection, source_id: int, now: int) -> tuple[Any, list[Text]]:
    """Which command of this device the next answer belongs to, and its texts. Devices answer one
    text after the other, so of the commands of the last minutes the oldest that has not had an
    answer to each of its texts; else the newest such one of the last day."""
    last = and_(
        command_attempts.c.command_id == commands.c.id,
        command_attempts.c.number == commands.c.attempts,
    )
    answers = select(func.count()).where(
        sms_incoming.c.source_id == source_id, sms_incoming.c.command_id == commands.c.id
    )
    query = (
        select(
            commands.c.id,
            commands.c.attempts,
            commands.c.kind,
            commands.c.payload,
            commands.c.answer,
            commands.c.sent_at,
            sources.c.device_id,
            sources.c.model,
            sources.c.setup,
            sources.c.password,
            answers.scalar_subquery().label("answers"),
        )
        .join(command_attempts, last)
        .join(sources, sources.c.id == commands.c.source_id)
        .where(
            commands.c.source_id == source_id,
            commands.c.channel == "sms",
            commands.c.recipient.is_(None),
            commands.c.state != CANCELLED,
            commands.c.sent_at > now - LATE_ANSWER,
            or_(command_attempts.c.outcome.is_(None), command_attempts.c.outcome != REFUSED),
        )
        .order_by(commands.c.sent_at.desc(), commands.c.id.desc())
        .limit(MOST_ASKED)
        .with_for_update(of=commands)
    )
    found: tuple[Any, list[Text]] = (None, [])
    for row in await connection.execute(query):
        texts = _texts(row)
        if row.answers >= max(len(texts), 1):
            continue
        if found[0] is None or row.sent_at > now - PROMPT_ANSWER:
            found = (row, texts)
    return found


async def _source(
    connection: AsyncConnection, sender: str
) -> tuple[int, str | None] | tuple[None, None]:
    """The device whose number it is, and its password."""
    digits = "" if _NO_NUMBER.search(sender) else re.sub(r"\D", "", sender).removeprefix("00")
    if not digits:
        return None, None
    query = select(sources.c.id, sources.c.password).where(sources.c.phone == digits)
    row = (await connection.execute(query)).first()
    return (None, None) if row is None else (row.id, row.password)


def _texts(row: Any) -> list[Text]:
    """What a command says; nothing, where it can be said no more."""
    try:
        return compose_row(row)
    except CommandError:
        return []
