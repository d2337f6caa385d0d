"""Error codes of the API: description on the wire and HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from waypost.catalog._data import load

_encode = msgspec.json.Encoder().encode


class ErrorRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One error code. ``extra_fields`` are what a reply with this code may carry beside
    ``success`` and ``status``."""

    code: int
    description: str
    http: int = 400
    extra_fields: tuple[str, ...] = ()

    @property
    def status(self) -> dict[str, Any]:
        """What replies say of it, as ``status``."""
        return {"code": self.code, "description": self.description}


class ParameterText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The documented ``error`` text of a wrong parameter (code 7) of one action."""

    parameter: str
    error: str
    action: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    errors: list[ErrorRow]
    parameter_texts: list[ParameterText]
    texts: list[str]


@cache
def _file() -> _File:
    return load("errors.json", _File)


@cache
def all_errors() -> dict[int, ErrorRow]:
    """Every error by its code, in the order of codes."""
    return {row.code: row for row in _file().errors}


def error(code: int) -> ErrorRow:
    """The row of ``code``. Raises KeyError for a code that the API does not have."""
    return all_errors()[code]


def error_body(code: int, extra: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
    """HTTP status and body of the reply with an error; ``extra`` stands beside ``status``."""
    row = error(code)
    return row.http, _encode({"success": False, "status": row.status, **(extra or {})})


def parameter_text(action: str, parameter: str) -> str | None:
    """What ``errors[].error`` says, word for word, where an action's page prints it."""
    for row in _file().parameter_texts:
        if row.action == action and row.parameter == parameter:
            return row.error
    return None


def wire_texts() -> list[str]:
    """Texts of single failures that pages print word for word (``"Not a clone"``)."""
    return _file().texts
