"""The messages of a packet, opened only where somebody looks.

Most packets are alike records, newer than all before them. Of these nobody wants the messages: the
store wants rows, the state the newest message and where movement or ignition changed. A decoder
that can tell these without making messages gives :class:`Records`; to everybody else they are a
sequence of messages like any other.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from waypost.telemetry.message import Message
from waypost.telemetry.row import Block, Row, RowFormat

if TYPE_CHECKING:
    _Base = Sequence[Message]
else:
    # Whether something is an instance of an abstract class is a slow question, and it is asked
    # several times of every packet.
    _Base = object


class Incoming(NamedTuple):
    """A packet's messages, and what else its rows tell."""

    records: Records
    source_id: int
    retention: int
    received: int


class Records(_Base):
    """Messages about the device that sent them (none has a ``device_id``). Who looks at them gets
    the same objects every time, and what he changes in them counts."""

    __slots__ = ("_count", "_messages")

    def __init__(self, count: int) -> None:
        self._count = count
        self._messages: list[Message] | None = None

    @abc.abstractmethod
    def _open(self) -> list[Message]:
        """All of the messages, made anew."""

    @abc.abstractmethod
    def rows(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> list[Row] | None:
        """The rows of the messages (received at ``received`` ms, for a source of which points up
        to ``newest`` are stored), the same as ``ingest.rows.packet_rows`` would make of them.
        None: they must be made of the messages, because one is not newer than all before it, or
        later than ``limit``, or unusual in another way."""

    @classmethod
    def make_blocks(cls, incoming: Sequence[Incoming], form: RowFormat) -> None:
        """Makes binary rows of many packets (all of them of this class) in one go, where that is
        worth it, to be had by :meth:`block`."""

    def block(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> Block | None:
        """The same rows in binary, if they were made ahead; None also in the cases of
        :meth:`rows`."""
        return None

    @abc.abstractmethod
    def steps(self, received: int) -> list[Message] | None:
        """Messages to be folded into the state in place of all: those between which movement and
        ignition change, and the newest message last. None unless all messages have the same values
        and :meth:`rows` or :meth:`block` has just been asked, for the same ``received``."""

    @property
    def opened(self) -> bool:
        """Has somebody looked (and perhaps changed something)?"""
        return self._messages is not None

    @property
    def messages(self) -> list[Message]:
        if self._messages is None:
            self._messages = self._open()
        return self._messages

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...
    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        return self.messages[index]

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, Records):
            return self.messages == other.messages
        return self.messages == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
    __contains__, __reversed__ = Sequence.__contains__, Sequence.__reversed__
    index, count = Sequence.index, Sequence.count

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.messages!r})"


Sequence.register(Records)  # type: ignore[type-abstract]
