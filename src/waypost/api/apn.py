"""Access points of SIM cards as parameters."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.params import EmptyText
from waypost.text import PRINTABLE

Apn = Annotated[EmptyText, msgspec.Meta(max_length=40, pattern=PRINTABLE)]
"""Name, user or password of an access point; may be empty."""


def apn_of(name: str | None, user: str | None, password: str | None) -> dict[str, str] | None:
    """What is there of an access point; None: nothing."""
    given = {"name": name, "user": user, "password": password}
    return {key: text for key, text in given.items() if text} or None
