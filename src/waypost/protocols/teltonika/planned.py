"""The records of a packet that all have plans."""

from __future__ import annotations

from typing import Any

from waypost.protocols.teltonika.packing import Bend, ReadRows
from waypost.protocols.teltonika.plans import Plan
from waypost.telemetry.message import Message
from waypost.telemetry.records import Records
from waypost.telemetry.row import Block, Row


class Run:
    """Records in a row that have the same plan."""

    __slots__ = ("data", "plan")

    def __init__(self, plan: Plan, data: bytes) -> None:
        self.plan, self.data = plan, data


def open_runs(runs: list[Run], out: list[Message]) -> None:
    """Puts the messages of ``runs`` into ``out``."""
    for run in runs:
        run.plan.read(run.data, out)


class PlannedRecords(Records):
    """Records of codecs 8, 8E and 16, of which rows can be made without messages."""

    __slots__ = ("_runs", "_steps")

    def __init__(self, runs: list[Run], count: int) -> None:
        super().__init__(count)
        self._runs = runs
        self._steps: tuple[int, list[Message]] | None = None

    def _open(self) -> list[Message]:
        messages: list[Message] = []
        open_runs(self._runs, messages)
        return messages

    def rows(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> list[Row] | None:
        rows: list[Row] = []
        last = self._make(source_id, retention, received, newest, limit, rows, binary=False)
        return None if last is None else rows

    def block(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> Block | None:
        parts: list[bytes] = []
        last = self._make(source_id, retention, received, newest, limit, parts, binary=True)
        if last is None:
            return None
        first = int.from_bytes(self._runs[0].data[:8], "big")
        return Block(b"".join(parts), len(self), retention, first, last)

    def _make(
        self,
        source_id: int,
        retention: int,
        received: int,
        newest: int,
        limit: int,
        out: list[Any],
        *,
        binary: bool,
    ) -> int | None:
        """Puts the rows of all runs into ``out``; the newest time, or None where messages must be
        made."""
        self._steps = None
        if self.opened:
            return None
        bends: list[Bend] = []
        values: int | None = None
        for run in self._runs:
            read: ReadRows = run.plan.blocks if binary else run.plan.rows
            made = read(run.data, source_id, retention, received, newest, limit, out, bends)
            if made is None:
                return None
            newest, values = made
        if len(self._runs) == 1 and values is not None:
            self._steps = received, self._find_steps(self._runs[0], bends)
        return newest

    def steps(self, received: int) -> list[Message] | None:
        if self._steps is None or self._steps[0] != received:
            return None
        return self._steps[1]

    def _find_steps(self, run: Run, bends: list[Bend]) -> list[Message]:
        """The first and the last record of every stretch between ``bends``."""
        steps: list[Message] = []
        data, size, read = run.data, run.plan.size, run.plan.read
        for number, start in enumerate(bends):
            end = bends[number + 1] if number + 1 < len(bends) else len(self)
            if start < end - 1:
                read(data[start * size : (start + 1) * size], steps)
            read(data[(end - 1) * size : end * size], steps)
        return steps
