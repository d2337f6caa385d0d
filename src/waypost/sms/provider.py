"""What an SMS provider is: it sends, and tells its :class:`Owner` what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Literal, Protocol

import msgspec

from waypost.text import storable

ReportState = Literal["delivered", "failed"]


class Outgoing(msgspec.Struct, frozen=True):
    """A message to send."""

    #: Digits, with the country's code.
    to: str
    text: str
    #: The text as logs may have it.
    shown: str
    #: A name of ours for this attempt, unique for ever.
    reference: str
    #: Until when (ms) it is worth sending.
    expires_at: int


class Accepted(msgspec.Struct, frozen=True):
    """The provider has it."""

    #: The provider's ids of its parts, one for each where it gives any.
    message_ids: tuple[str, ...] = ()
    #: How many short messages it took.
    parts: int = 1
    #: Reports on these ids will come.
    reported: bool = False


class Report(msgspec.Struct, frozen=True):
    """What became of a message, or of one part of it."""

    message_id: str
    state: ReportState
    #: Why it failed.
    reason: str | None = None


#: Characters of a number or an id that are kept.
LONGEST_NAME = 255


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """A text of somebody else's as both databases can hold it, cut off where it is too long."""
    return storable(text)[:longest]


class Incoming(msgspec.Struct, frozen=True):
    """A message from outside."""

    sender: str
    text: str
    recipient: str = ""
    #: The provider's id of it, where it has one: the same id twice is the same message.
    message_id: str | None = None


class SendError(Exception):
    """A message was not accepted; the text says why, without the message or its numbers."""


class NotSent(SendError):
    """Nothing has left: there is no connection, or it is about to end."""


class NotNow(SendError):
    """The provider did not take it and may take it later."""


class Rejected(SendError):
    """The provider does not take this message."""


class Uncertain(SendError):
    """It has left, and nobody said what became of it."""


class Unavailable(Exception):
    """What came in cannot be stored at the moment: the provider is to send it again."""


class Owner(Protocol):
    """Hears what comes back from a provider."""

    async def report(self, provider: str, report: Report) -> None:
        """A delivery report. Returns when it is stored; raises :class:`Unavailable`."""

    async def incoming(self, provider: str, message: Incoming) -> None:
        """A message from outside. Likewise."""

    def changed(self) -> None:
        """The provider can send now, or no more."""


class Provider(Protocol):
    """Sends messages. Several at a time may be on their way."""

    name: str

    @property
    def trouble(self) -> str | None:
        """Why nothing can be sent at the moment; None: it can."""

    def start(self, owner: Owner) -> None:
        """Begins to connect."""

    async def send(self, message: Outgoing) -> Accepted:
        """Sends a message, whole. Raises :class:`SendError`."""

    def stop(self) -> None:
        """Sends nothing more: what waits for its turn raises :class:`NotSent`."""

    async def close(self) -> None:
        """Ends connections. What is under way is :class:`Uncertain`."""


#: Longest pause, seconds, after the provider said that it is too much.
LONGEST_PAUSE = 60.0
#: For a longer rest of a pause (seconds) messages go back into the queue.
LONGEST_TURN = 5.0
TOO_MUCH = "the provider says that it is too much at a time"
#: What was not used of the rate for so long (seconds) may be caught up with.
BURST = 0.1


class Pace:
    """How fast messages may go out: so many a second on average (0: no limit), and slower for a
    while once the provider said that it is too much."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0
        self._pause = 0.0
        self._paused_until = 0.0
        self._reason = TOO_MUCH
        self._closed = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """Why nothing is to be sent for a longer while; None: something may be."""
        return self._reason if self._paused_until - time.monotonic() > LONGEST_TURN else None

    async def turn(self, message: Outgoing, *, begun: bool = False) -> None:
        """Waits for the turn of a message. Raises :class:`NotSent` where its life ends first, the
        pause is a longer one (unless the message was ``begun``), or the provider is closed."""
        while not self._closed.is_set():
            if time.time() * 1000 >= message.expires_at:
                raise NotSent("its life ended before its turn")
            if not begun and (trouble := self.trouble) is not None:
                raise NotSent(trouble)
            now = time.monotonic()
            due = max(self._next, self._paused_until)
            if now >= due:
                self._next = max(self._next, now - BURST) + self._gap
                return
            await self._sleep(due - now)
        raise NotSent("the server is stopping")

    def slower(self, reason: str = TOO_MUCH) -> None:
        """The provider said that it is too much, or ``reason``; once for all that are on their
        way."""
        now = time.monotonic()
        if now >= self._paused_until:
            self._reason = reason
            self._pause = min(max(self._pause * 2, 1.0), LONGEST_PAUSE)
            self._paused_until = now + self._pause

    def well(self) -> None:
        """The provider took a message."""
        if time.monotonic() >= self._paused_until:
            self._pause = 0.0

    def close(self) -> None:
        self._closed.set()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, 5.0)):
                await self._closed.wait()
