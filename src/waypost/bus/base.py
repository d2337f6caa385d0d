"""The bus: publish and subscribe, at most once, no history.

Subjects are dotted words (``state.17``); a pattern may have ``*`` for one word and a last ``>``
for the rest. Nothing that must survive a crash travels only here: it is a row first, and the bus
says that there is one. Payloads are bytes (MessagePack by custom).

Subjects in use:

============================  =============================================================
``state.<source_id>``         a new state of a source was committed (its encoded row)
``command.<source_id>``       a command for this source was queued or cancelled
``sms.<source_id>``           something is to go out by SMS to this source, or for its sake
``fleet.source.<source_id>``  the source changed (blocked, corrupted, model, settings ...)
``fleet.device.<hex id>``     this device id was registered, replaced or given up
``fleet.user.<user_id>``      the account's trackers, groups, rights or settings changed
``session.<source_id>``       a gateway has a new connection of this source, or no more
``ports.told``                a gateway listens on these ports (a map by protocol)
``ports.ask``                 gateways are asked for their ports
``accounts.session``          sessions or keys ended (their cache keys)
``accounts.dealer.<id>``      a dealer was shut out, or let in again
``tap.<hex device id>``       bytes in and out of a device, while somebody watches
``taps.watch``                somebody starts, or goes on, to watch a device
============================  =============================================================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

Handler = Callable[[str, bytes], Awaitable[None] | None]
"""Gets the subject and the payload. A plain function is called at once, on the event loop."""


class Subscription(Protocol):
    async def close(self) -> None:
        """Stops the deliveries."""


class Bus(Protocol):
    """One end of the bus."""

    def publish(self, subject: str, payload: bytes = b"") -> None:
        """Sends, without waiting and without a promise. Never raises for a bus that is away."""

    async def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Calls ``handler`` for everything published to a matching subject, this process's own
        messages included, until the subscription is closed."""

    async def close(self) -> None:
        """Delivers what was published, then ends."""


def id_in(subject: str) -> int:
    """The id at the end of a subject: 17 of ``fleet.source.17``."""
    return int(subject.rpartition(".")[2])


def matches(pattern: str, subject: str) -> bool:
    """Does ``subject`` fit ``pattern``?"""
    want, have = pattern.split("."), subject.split(".")
    for index, word in enumerate(want):
        if word == ">":
            return len(have) > index
        if index >= len(have) or (word != "*" and word != have[index]):
            return False
    return len(want) == len(have)
