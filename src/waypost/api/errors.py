"""Refusals as replies: ``{"success": false, "status": {"code", "description"}, ...}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from waypost.catalog import errors
from waypost.refusal import Refused, invalid

__all__ = ["ApiError", "ErrorReply", "error_body", "invalid"]


class ApiError(Refused):
    """An action fails by raising it: ``raise ApiError(253, list=[17, 18])``."""


class Status(msgspec.Struct):
    code: int
    description: str


class ErrorReply(msgspec.Struct):
    """What every refusal answers; further fields depend on the code."""

    success: bool
    status: Status


_encode = msgspec.json.Encoder().encode


def error_body(code: int, extra: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
    """HTTP status and body for an error code of the catalog."""
    row = errors.error(code)
    body: dict[str, Any] = {
        "success": False,
        "status": {"code": row.code, "description": row.description},
    }
    if extra:
        body.update(extra)
    return row.http, _encode(body)
