"""The records of a packet that all have plans."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from waypost.protocols.teltonika.packing import Bend
from waypost.protocols.teltonika.plans import Alike, Plan
from waypost.telemetry.message import Message
from waypost.telemetry.records import Incoming, Records
from waypost.telemetry.row import Block, Row, RowFormat

if TYPE_CHECKING:
    from waypost.protocols.teltonika.columns import Made


_loaded = threading.Event()
_loading = threading.Lock()


def load() -> None:
    """Imports what makes blocks of columns: numpy, which takes too long for the event loop."""
    with _loading:
        if not _loaded.is_set():
            import_module("waypost.protocols.teltonika.columns")
            _loaded.set()


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

    __slots__ = ("_made", "_made_for", "_runs", "_steps")

    def __init__(self, runs: list[Run], count: int) -> None:
        super().__init__(count)
        self._runs = runs
        #: Source, retention and receipt for which binary rows have been made, and these by run.
        self._made_for: tuple[int, int, int] | None = None
        self._made: list[Made | None] = []
        self._steps: tuple[int, list[Message]] | None = None

    def _open(self) -> list[Message]:
        messages: list[Message] = []
        open_runs(self._runs, messages)
        return messages

    def rows(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> list[Row] | None:
        self._steps = None
        if self.opened:
            return None
        rows: list[Row] = []
        bends: list[Bend] = []
        values: int | None = None
        for run in self._runs:
            made = run.plan.rows(
                run.data, source_id, retention, received, newest, limit, rows, bends
            )
            if made is None:
                return None
            newest, values = made
        if len(self._runs) == 1 and values is not None:
            self._steps = received, self._find_steps(self._runs[0], bends)
        return rows

    @classmethod
    def make_blocks(cls, incoming: Sequence[Incoming], form: RowFormat) -> None:
        if not _loaded.is_set():
            if not _loading.locked():
                threading.Thread(target=load, name="load columns", daemon=True).start()
            return
        by_plan: dict[Plan, list[tuple[Alike, PlannedRecords, int]]] = {}
        for records, source_id, retention, received in incoming:
            if isinstance(records, PlannedRecords) and not records.opened:
                records._made_for = source_id, retention, received
                records._made = [None] * len(records._runs)
                for index, run in enumerate(records._runs):
                    alike = Alike(run.data, source_id, retention, received)
                    by_plan.setdefault(run.plan, []).append((alike, records, index))
        for plan, group in by_plan.items():
            blocks = plan.blocks(form)([alike for alike, _, _ in group])
            for (_, records, index), made in zip(group, blocks, strict=True):
                records._made[index] = made

    def block(
        self, source_id: int, retention: int, received: int, newest: int, limit: int
    ) -> Block | None:
        if self._made_for != (source_id, retention, received) or self.opened:
            return None
        self._steps = None
        last = newest
        blocks: list[Block] = []
        for run, made in zip(self._runs, self._made, strict=True):
            if made is None or made.block.first <= last:
                return None
            last = made.block.last
            if made.same and made.block.count == len(self):
                self._steps = received, self._find_steps(run, made.bends)
            blocks.append(made.block)
        if last > limit:
            return None
        if len(blocks) == 1:
            return blocks[0]
        data = b"".join([block.data for block in blocks])
        return Block(data, len(self), retention, blocks[0].first, last)

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
