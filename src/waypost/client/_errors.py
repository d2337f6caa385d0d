"""What goes wrong when a server is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class WaypostError(Exception):
    """The base of all errors that the client raises."""


class Refused(WaypostError):
    """The server said no.

    ``code`` and ``description`` are those of the API's error table, ``http`` is the HTTP status,
    and ``extra`` holds what the reply carries besides: ``errors`` of wrong parameters, ``list``,
    ``rules``, ``vehicles`` ..."""

    def __init__(self, code: int, description: str, http: int, extra: Mapping[str, Any]) -> None:
        super().__init__(f"{code} {description}{_details(extra)}")
        self.code = code
        self.description = description
        self.http = http
        self.extra = dict(extra)


class Unreachable(WaypostError):
    """No answer came: no connection, or none in time. Whether the call was carried out is not
    known."""


class CodeRequired(WaypostError):
    """The user has to bring a code from an e-mail; ``hash`` is that of the log-in so far."""

    def __init__(self, hash: str) -> None:
        super().__init__("a code from an e-mail is required")
        self.hash = hash


class UnexpectedReply(WaypostError):
    """The answer is not one of the API: another server, or a proxy that had something to say."""


def _details(extra: Mapping[str, Any]) -> str:
    """The wrong parameters of a code 7, for people."""
    errors = extra.get("errors")
    if not isinstance(errors, list):
        return ""
    texts = [
        f"{error.get('parameter')}: {error.get('error')}"
        for error in errors
        if isinstance(error, dict)
    ]
    return f" ({'; '.join(texts)})" if texts else ""
