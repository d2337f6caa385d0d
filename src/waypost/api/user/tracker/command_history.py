"""``tracker/command/history/list``: what a device was told lately."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.reply import Counted
from waypost.commands.history import Told, recent
from waypost.fleet.rows import TrackerRow

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Offset = Annotated[int, msgspec.Meta(ge=0)]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver a command. ``outcome`` is null while its answer is awaited, else
    answered, unanswered (the protocol has no answers), timeout, disconnected, gateway_lost,
    refused; by SMS also accepted, delivered, undelivered."""

    number: int
    sent: str
    finished: str | None
    outcome: str | None


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """A command and what became of it."""

    id: int
    #: ``gprs`` (over the device's connection), ``sms``, ``email``, ``http``.
    channel: str
    kind: str
    #: What it says, without passwords that the platform knows of.
    command: str
    reliable: bool
    #: ``queued``, ``sent``, ``acknowledged``, ``expired``, ``failed``, ``cancelled``.
    state: str
    user_id: int | None
    panel_account_id: int | None
    created: str
    sent: str | None
    finished: str | None
    expires: str
    next_attempt: str | None
    answer: str | None
    error: str | None
    attempts: list[AttemptView]


@user_action(
    "tracker/command/history/list",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
)
async def list_(
    call: UserCall, tracker: TrackerRow, limit: Limit = 100, offset: Offset = 0
) -> Counted[CommandView]:
    """Commands for the device, the newest first: their states, every attempt, and the answers."""
    async with call.services.database.read() as connection:
        found, count = await recent(connection, tracker.source_id, limit=limit, offset=offset)
    return Counted([_view(call, one) for one in found], count)


def _view(call: UserCall, one: Told) -> CommandView:
    return CommandView(
        id=one.id,
        channel=one.channel,
        kind=one.kind,
        command=one.command,
        reliable=one.reliable,
        state=one.state,
        user_id=one.user_id,
        panel_account_id=one.panel_account_id,
        created=call.time(one.created),
        sent=call.time_or_none(one.sent),
        finished=call.time_or_none(one.finished),
        expires=call.time(one.expires),
        next_attempt=call.time_or_none(one.due),
        answer=one.answer,
        error=one.error,
        attempts=[
            AttemptView(
                number=attempt.number,
                sent=call.time(attempt.sent),
                finished=call.time_or_none(attempt.finished),
                outcome=attempt.outcome,
            )
            for attempt in one.attempts
        ],
    )
