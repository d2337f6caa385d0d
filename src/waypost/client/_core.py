"""What both clients share: how a call becomes a request and an answer a value. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from waypost.client._errors import Refused, UnexpectedReply

T = TypeVar("T")

#: The code, and the HTTP status, that say: too many calls. Such a call was not carried out.
TOO_EARLY = 15
TOO_MANY_REQUESTS = 429

#: What ``user/auth`` says where a code has to be brought.
SECOND_FACTOR = "second_factor_required"

_encode = msgspec.json.Encoder().encode


class Upload(msgspec.Struct, frozen=True):
    """A file to send: its name, content, and media type."""

    name: str
    content: bytes
    type: str = "application/octet-stream"


class Nothing(msgspec.Struct):
    """A reply that says only that it is done."""


class Value(msgspec.Struct, Generic[T]):
    value: T


class Listed(msgspec.Struct, Generic[T]):
    items: list[T] = msgspec.field(name="list")


class Page(msgspec.Struct, Generic[T]):
    """A part of a list, and how many there are in all."""

    items: list[T] = msgspec.field(name="list")
    count: int


class Answer(Protocol):
    """What is needed of an answer; ``httpx.Response`` has it."""

    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...


class Retries(msgspec.Struct, frozen=True):
    """How often and after how long a call that was one too many (code 15, HTTP 429) is made again:
    after ``first`` seconds, then twice as long each time, up to ``longest``. Each wait is varied,
    so that many clients do not come back at once."""

    most: int = 5
    first: float = 0.25
    longest: float = 8.0

    def waits(self) -> Iterator[float]:
        """Seconds before each further attempt."""
        for number in range(self.most):
            yield min(self.first * 2**number, self.longest) * random.uniform(0.5, 1.0)


class Parameters(msgspec.Struct, frozen=True):
    """A call's parameters, ready to send: as JSON, or with files as a form."""

    json: bytes | None = None
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}

    def arguments(self) -> dict[str, Any]:
        """What httpx is to be told."""
        if self.json is not None:
            return {"content": self.json}
        files = {name: (one.name, one.content, one.type) for name, one in self.files.items()}
        return {"data": self.fields, "files": files}

    def headers(self, hash_: str | None) -> dict[str, str]:
        """What says on whose behalf the call is, and in which form."""
        found = {"authorization": f"NVX {hash_}"} if hash_ else {}
        if self.json is not None:
            found["content-type"] = "application/json"
        return found


def encode(given: Mapping[str, Any]) -> Parameters:
    """A call's parameters; None means left out."""
    there = {name: _plain(value) for name, value in given.items() if value is not None}
    files = {name: value for name, value in there.items() if isinstance(value, Upload)}
    if not files:
        return Parameters(json=_encode(there))
    fields = {
        name: value if isinstance(value, str) else _encode(value).decode()
        for name, value in there.items()
        if name not in files
    }
    return Parameters(fields=fields, files=files)


def _plain(value: Any) -> Any:
    """Moments as the API reads them: with an offset, or in the user's zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat(sep=" ", timespec="seconds")
        return value.isoformat(timespec="milliseconds")
    return value


def url_of(api: str, path: str) -> str:
    """Where an action is, below the server's address."""
    return f"/v2/panel/{path}" if api == "panel" else f"/v2/{path}"


def came_too_early(answer: Answer) -> bool:
    """Is it worth while to ask again later?"""
    if answer.status_code == TOO_MANY_REQUESTS:
        return True
    return answer.status_code != 200 and refusal(answer).code == TOO_EARLY


def refusal(answer: Answer) -> Refused:
    """The error in an answer. Raises :class:`UnexpectedReply` where there is none."""
    try:
        body = msgspec.json.decode(answer.content)
        status = body["status"]
        code, description = int(status["code"]), str(status.get("description", ""))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError):
        text = answer.content[:200].decode("utf-8", "replace")
        raise UnexpectedReply(f"HTTP {answer.status_code}: {text}") from None
    extra = {name: value for name, value in body.items() if name not in ("success", "status")}
    return Refused(code, description, answer.status_code, extra)


def decode(answer: Answer, type_: type[T]) -> T:
    """What an answer holds. Raises :class:`Refused` or :class:`UnexpectedReply`."""
    if answer.status_code != 200:
        raise refusal(answer)
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except msgspec.DecodeError as error:
        raise UnexpectedReply(str(error)) from None
