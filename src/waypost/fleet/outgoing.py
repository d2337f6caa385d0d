"""What people's actions make the platform tell devices and other people: rows of the outgoing
queue, written in the transaction of the action, so that neither is there without the other.

``commands.queue`` sends what goes over the device's connection, ``sms.queue`` what goes by SMS,
``mail.queue`` e-mails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.rows import TrackerRow
from waypost.fleet.server_address import Addresses
from waypost.fleet.service import Write
from waypost.fleet.telling import cannot_tell
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.store.tables import commands

Channel = Literal["gprs", "sms", "email", "http"]

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
#: What is meant for the moment is not told after this time.
SOON_MS = 5 * 60_000

_UNREACHABLE: dict[Channel, str] = {
    "sms": "no SMS provider is set up",
    "email": "no mail server is set up",
    "http": "no way out to other servers is set up",
}

#: Lines and bytes that people type.
TYPED = ("text", "hex")

#: What is not for a device's protocol to understand: lines that people type, and what is for other
#: people and servers.
_NO_INSTRUCTIONS = frozenset({*TYPED, "invitation", "webhook"})

_encode = msgspec.json.Encoder().encode


def unreachable(settings: Settings, channel: Channel) -> str | None:
    """Why nothing can go out on a channel; None: it can."""
    if (channel == "sms" and settings.sms_provider) or (
        channel == "email" and settings.mail_provider
    ):
        return None
    return _UNREACHABLE.get(channel)


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody's action tells devices and people, within its transaction."""

    write: Write
    settings: Settings
    addresses: Addresses
    now: int
    #: Whose action it is: a user's, or somebody's in the panel.
    user_id: int | None = None
    panel_account_id: int | None = None

    async def tell(
        self,
        row: TrackerRow,
        kind: str,
        content: Mapping[str, Any] | bytes,
        *,
        channel: Channel = "gprs",
        recipient: str | None = None,
        soon: bool = False,
        reliable: bool = True,
        refused: str | None = None,
    ) -> int:
        """Queues something for the device of ``row``, or for ``recipient`` (phone number, address);
        the id of the command. ``content`` is what the kind has, or the bytes of a ``text``.
        ``soon``: later it would do harm. ``reliable``: repeated until it is answered. Where the
        channel leads nowhere, the device's protocol has no such instructions, or ``refused`` says
        why it cannot be, the command has failed, with the reason. Raises :class:`Refused` 268 where
        too many typed ones wait."""
        if kind in TYPED and channel == "gprs":
            await check_room(self.write.connection, row.source_id, self.settings.commands_waiting)
        refused = unreachable(self.settings, channel) or refused
        if refused is None and kind not in _NO_INSTRUCTIONS:
            refused = cannot_tell(row, kind)
        made = await self.write.connection.execute(
            insert(commands)
            .values(
                source_id=row.source_id,
                tracker_id=row.id,
                user_id=self.user_id,
                panel_account_id=self.panel_account_id,
                channel=channel,
                recipient=recipient,
                kind=kind,
                payload=content if isinstance(content, bytes) else _encode(content),
                reliable=reliable,
                state="queued" if refused is None else "failed",
                created_at=self.now,
                expires_at=self.now + self._life(channel, soon),
                finished_at=None if refused is None else self.now,
                error=refused,
            )
            .returning(commands.c.id)
        )
        if refused is None:
            changes = self.write.changes
            told = {"sms": changes.sms, "email": changes.mails}.get(channel, changes.commands)
            told.add(row.source_id)
        return int(made.scalar_one())

    def _life(self, channel: Channel, soon: bool) -> int:
        if soon:
            return SOON_MS
        if channel == "sms":
            return self.settings.sms_life_hours * HOUR_MS
        if channel == "email":
            return self.settings.mail_life_hours * HOUR_MS
        return self.settings.command_life_days * DAY_MS

    async def cancel(self, source_id: int, command_id: int | None = None) -> None:
        """Takes back what a source has not been told yet: one command, or all of them."""
        which = commands.c.source_id == source_id
        if command_id is not None:
            which = and_(which, commands.c.id == command_id)
        await self.write.connection.execute(
            update(commands)
            .where(which, commands.c.finished_at.is_(None))
            .values(state="cancelled", finished_at=self.now)
        )


async def check_room(connection: AsyncConnection, source_id: int, most: int) -> None:
    """Raises :class:`Refused` 268 where so many commands wait for a source already."""
    last = (
        select(commands.c.expires_at)
        .where(commands.c.source_id == source_id, commands.c.finished_at.is_(None))
        .limit(1)
        .offset(most - 1)
    )
    if (await connection.execute(last)).first() is not None:
        raise Refused(268)


async def count_pending(connection: AsyncConnection, source_id: int) -> int:
    """Commands that the device has neither confirmed nor refused, and that are still tried."""
    pending = select(func.count()).where(
        commands.c.source_id == source_id, commands.c.finished_at.is_(None)
    )
    return await connection.scalar(pending) or 0
