"""How any layer says no: with a code of the error table.

Lower layers (accounts, fleet, commands ...) raise :class:`Refused`; the HTTP edge turns it into the
documented reply with the row's text and HTTP status. It is not for faults of our own.
"""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """What was asked cannot be done; ``code`` is a row of the catalog's errors and ``extra`` what
    the reply carries beside ``status`` (``list``, ``rules``, ``errors`` ...)."""

    def __init__(self, code: int, **extra: Any) -> None:
        super().__init__(code, extra)
        self.code = code
        self.extra = extra


def invalid(parameter: str, error: str) -> Refused:
    """Code 7 for one parameter; ``parameter`` may be a path (``user.login``)."""
    return Refused(7, errors=[{"parameter": parameter, "error": error}])
