"""What a way out for e-mails is: it takes composed letters, and says what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Literal, Protocol

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """One attempt at one e-mail."""

    command_id: int
    number: int
    #: As the mail server is told.
    recipient: str
    message: EmailMessage
    #: What it says, as logs may have it.
    shown: str


class Result(msgspec.Struct, frozen=True):
    """What became of an attempt: ``sent``; ``later``: not taken, and may be taken later;
    ``never``: refused for good."""

    outcome: Literal["sent", "later", "never"]
    #: Why not, for people.
    reason: str | None = None
    #: The same as logs may have it, without addresses.
    code: str | None = None


SENT = Result("sent")


class Transport(Protocol):
    """Hands letters over. Called in a thread of its own, one call at a time."""

    name: str

    def send(self, letters: Sequence[Letter]) -> list[Result]:
        """A result for each letter, in order. Raises nothing."""
