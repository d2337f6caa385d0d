"""Refusals as replies: ``{"success": false, "status": {"code", "description"}, ...}``."""

from __future__ import annotations

import msgspec

from waypost.refusal import Refused, invalid

__all__ = ["ApiError", "ErrorReply", "invalid"]


class ApiError(Refused):
    """An action fails by raising it: ``raise ApiError(253, list=[17, 18])``."""


class Status(msgspec.Struct):
    code: int
    description: str


class ErrorReply(msgspec.Struct):
    """What every refusal answers; further fields depend on the code."""

    success: bool
    status: Status
