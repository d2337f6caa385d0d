"""Reads the fields of a binary message one after the other, and never beyond its end."""

from __future__ import annotations

from typing import Literal

from waypost.protocols.base import ProtocolError


class Reader:
    """Fields of ``data`` from ``at`` up to ``end``. Whatever does not fit raises
    :class:`ProtocolError`; ``what`` names the field in its text."""

    __slots__ = ("at", "data", "end", "order")

    def __init__(
        self,
        data: bytes,
        at: int = 0,
        end: int | None = None,
        order: Literal["big", "little"] = "big",
    ) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        self.order: Literal["big", "little"] = order

    @property
    def left(self) -> int:
        return self.end - self.at

    def take(self, size: int, what: str) -> bytes:
        start = self.at
        if size > self.end - start:
            raise ProtocolError(
                f"cut short: {what} takes {size} bytes, {self.end - start} are left"
            )
        self.at = start + size
        return self.data[start : self.at]

    def number(self, size: int, what: str, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size, what), self.order, signed=signed)

    def peek(self, size: int, ahead: int = 0) -> bytes:
        """Up to ``size`` bytes that come ``ahead`` bytes from here; nothing is taken."""
        start = min(self.at + ahead, self.end)
        return self.data[start : min(start + size, self.end)]

    def rest(self) -> bytes:
        return self.take(self.end - self.at, "rest")
