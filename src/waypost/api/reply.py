"""Replies: what an action returns, and how it becomes bytes that begin with ``success``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode

SUCCESS = b'{"success":true}'
_OPEN = b'{"success":true,'


class Value(msgspec.Struct, Generic[T]):
    """One thing, as ``value``."""

    value: T


class Listed(msgspec.Struct, Generic[T]):
    """A list, as ``list``."""

    items: list[T] = msgspec.field(name="list")


class Counted(msgspec.Struct, Generic[T]):
    """A page of a list, as ``list``, and how many there are in all, as ``count``."""

    items: list[T] = msgspec.field(name="list")
    count: int


class Identified(msgspec.Struct):
    """The id of what was made."""

    id: int


class Hashed(msgspec.Struct):
    """The hash of a new session."""

    hash: str


class Encoded(Generic[T]):
    """A reply that the action encoded itself, from parts that it keeps; ``T`` says for the
    documentation what it holds. The parts joined are the whole JSON object, ``success`` first."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    @classmethod
    def list_of(cls, items: Iterable[bytes]) -> Encoded[T]:
        """``{"success": true, "list": [...]}`` from encoded items."""
        return cls([b'{"success":true,"list":[', b",".join(items), b"]}"])


def encode_reply(result: object) -> bytes:
    """The body for what an action returned: None, a struct, or :class:`Encoded`."""
    if result is None:
        return SUCCESS
    if isinstance(result, Encoded):
        return b"".join(result.parts)
    body = _encode(result)
    return SUCCESS if body == b"{}" else _OPEN + body[1:]
