"""Queclink's first @Track dialect: GL100, GT300 and their like (``gl200.legacy`` reads it)."""

from __future__ import annotations

from waypost.protocols.base import Device
from waypost.protocols.gl200 import Track
from waypost.protocols.gl200.framing import form
from waypost.protocols.gl200.legacy import is_legacy
from waypost.protocols.gl200.text import split


class Gl100(Track):
    """Messages end with a zero byte; commands are matched by their last column, which the device's
    answer repeats."""

    name = "gl100"
    port = 5003

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        kind = form(start[:9])
        if kind == "short":
            return None
        if kind != "text":
            return False
        columns = split(start[:64])
        if len(columns) < 3:
            return True if start.startswith(b"AT+") else None
        return is_legacy(columns)

    @classmethod
    def _is_legacy(cls, device: Device) -> bool:
        return True
