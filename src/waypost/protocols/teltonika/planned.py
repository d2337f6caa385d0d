"""The records of a packet that all have plans."""

from __future__ import annotations

from waypost.protocols.teltonika.packing import Bend
from waypost.protocols.teltonika.plans import Plan
from waypost.telemetry.message import Message
from waypost.telemetry.records import Records
from waypost.telemetry.row import COLUMNS, VALID, Row

_TIME, _LATITUDE, _LONGITUDE = map(COLUMNS.index, ("time", "latitude", "longitude"))
_SPEED, _FLAGS = COLUMNS.index("speed"), COLUMNS.index("flags")


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
            self._steps = received, self._find_steps(rows, bends)
        return rows

    def steps(self, received: int) -> list[Message] | None:
        if self._steps is None or self._steps[0] != received:
            return None
        return self._steps[1]

    def _find_steps(self, rows: list[Row], bends: list[Bend]) -> list[Message]:
        """The first and the last record of every stretch between ``bends``."""
        steps: list[Message] = []
        end = len(rows)
        for start, on, moving in reversed(bends):
            if end == len(rows):
                run = self._runs[-1]
                run.plan.read(run.data[-run.plan.size :], steps)
            else:
                steps.append(_step(rows[end - 1], on, moving))
            if start < end - 1:
                steps.append(_step(rows[start], on, moving))
            end = start
        steps.reverse()
        return steps


def _step(row: Row, on: int | None, moving: int | None) -> Message:
    """What movement and ignition need of the record of ``row``."""
    values = {}
    if on is not None:
        values["ignition"] = on != 0
    if moving is not None:
        values["is_moving"] = moving != 0
    return Message(
        row[_TIME],
        b"",
        latitude=row[_LATITUDE],
        longitude=row[_LONGITUDE],
        speed=row[_SPEED],
        valid=bool(row[_FLAGS] & VALID),
        values=values,
    )
