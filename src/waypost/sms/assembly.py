"""Puts the parts of long messages from outside together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from waypost.sms.provider import Incoming, Unavailable
from waypost.sms.smpp_pdu import Fragment

log = structlog.get_logger()

#: Seconds after the first part until what is there goes on without the rest.
PATIENCE = 300.0
#: Messages that wait for parts; with more the oldest goes on as it is.
MOST = 1000
#: Stands for a part that did not come.
MISSING = "…"

_Key = tuple[str, str, int, int]
Complete = Callable[[Incoming], Awaitable[None]]
"""Stores a whole message; raises :class:`~waypost.sms.provider.Unavailable`."""


class _Pile:
    __slots__ = ("first", "parts", "timer")

    def __init__(self, first: Fragment, timer: asyncio.TimerHandle) -> None:
        self.first = first
        self.parts: dict[int, str] = {}
        self.timer = timer

    def message(self) -> Incoming:
        numbers = range(1, self.first.of + 1)
        text = "".join(self.parts.get(number, MISSING) for number in numbers)
        return msgspec.structs.replace(self.first.message, text=text)


class Assembly:
    """Parts wait in memory, so a crash loses the parts of messages that were still coming in."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete
        self._piles: dict[_Key, _Pile] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, part: Fragment) -> None:
        """Takes a part. Returns when it is kept, or with the last one when the message is stored;
        raises :class:`Unavailable` where it cannot be: then the part is to come again."""
        message = part.message
        key = (message.sender, message.recipient, part.reference, part.of)
        pile = self._piles.get(key)
        if pile is not None and pile.parts.get(part.number, message.text) != message.text:
            # The sender's references have come round: another message.
            self._give_up(key)
            pile = None
        if pile is None:
            if len(self._piles) >= MOST:
                self._give_up(next(iter(self._piles)))
            pile = self._piles[key] = _Pile(part, self._timer(key))
        pile.parts[part.number] = message.text
        if len(pile.parts) < part.of:
            return
        pile.timer.cancel()
        del self._piles[key]
        try:
            await self._complete(pile.message())
        except Unavailable:
            del pile.parts[part.number]
            pile.timer = self._timer(key)
            self._piles[key] = pile
            raise

    def _timer(self, key: _Key) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(PATIENCE, self._give_up, key)

    async def close(self) -> None:
        """Lets everything go on as it is."""
        for key in list(self._piles):
            self._give_up(key)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _give_up(self, key: _Key) -> None:
        pile = self._piles.pop(key)
        pile.timer.cancel()
        task = asyncio.create_task(self._store(pile))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store(self, pile: _Pile) -> None:
        log.warning("sms_incomplete", parts=len(pile.parts), of=pile.first.of)
        try:
            await self._complete(pile.message())
        except Unavailable:
            log.error("sms_lost", reason="it was incomplete, and the database is away")
