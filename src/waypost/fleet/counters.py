"""Counters of devices: what they show, setting them, their history.

The meter runs in the source's state (``telemetry.counters``); a row says what the meter was worth
when somebody set the counter. Late messages are not in the meter: when there were some, it is
counted anew from the stored points, from the newest mark before them, and the row keeps the
difference. Marks are made whenever a counter is set, and daily.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from sqlalchemy import Select, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.foldings import counting_of, live_foldings
from waypost.fleet.rows import TrackerRow
from waypost.fleet.sensors import list_sensors
from waypost.fleet.service import Fleet, Write
from waypost.refusal import invalid
from waypost.store.points import FUTURE, PAGE, VALID, Point, Points
from waypost.store.sql import chunks
from waypost.store.tables import counter_marks, counters
from waypost.telemetry.counters import Counting, Meter, Report, count
from waypost.telemetry.folding import COMMON, Folding
from waypost.telemetry.message import GNSS
from waypost.telemetry.motion import Motion, move
from waypost.telemetry.sensors import Metering, ignition_on
from waypost.telemetry.state import State, first_meter

DAY_MS = 86_400_000
MINUTE_MS = 60_000
#: Daily marks are kept for this long.
KEPT_MS = 400 * DAY_MS
#: Counters in one query.
CHUNK = 1000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Meter).decode


class CounterRow(msgspec.Struct, frozen=True):
    """A counter as stored; ``value`` is what it showed when the meter had counted ``counted``."""

    id: int
    source_id: int
    type: str
    multiplier: float
    sensor_id: int | None
    value: float | None
    counted: float
    changed_at: int
    correction: float
    lates: int
    marked_at: int

    def meter(self, state: State | None) -> Meter | None:
        """Its meter, where it has run."""
        return state.meters.get(self.type) if state is not None else None

    def total(self, meter: Meter | None) -> float:
        """What was counted in all."""
        return (meter.counted if meter is not None else 0.0) + self.correction

    def shown(self, state: State | None) -> tuple[float, int] | None:
        """What it shows, and since when (ms); None: nobody set it, and nothing was counted."""
        meter = self.meter(state)
        if self.value is None and (meter is None or meter.time is None):
            return None
        value = (self.value or 0.0) + self.multiplier * (self.total(meter) - self.counted)
        time = meter.time if meter is not None else None
        return max(0.0, value), max(time or 0, self.changed_at if self.value is not None else 0)


class CounterValue(msgspec.Struct, frozen=True):
    """What a counter showed at ``time`` (ms)."""

    value: float
    time: int


_COLUMNS = tuple(counters.c[name] for name in CounterRow.__struct_fields__)


async def counters_of(
    connection: AsyncConnection, source_ids: Iterable[int], kind: str | None = None
) -> dict[int, list[CounterRow]]:
    """The counters of these sources, of one type or all, in the order they were made."""
    found: dict[int, list[CounterRow]] = {}
    for some in chunks(source_ids):
        query = _query().where(counters.c.source_id.in_(some))
        if kind is not None:
            query = query.where(counters.c.type == kind)
        for row in await connection.execute(query):
            found.setdefault(row.source_id, []).append(CounterRow(*row))
    return found


def _query() -> Select[Any]:
    return select(*_COLUMNS).order_by(counters.c.id)


async def find_counter(connection: AsyncConnection, source_id: int, kind: str) -> CounterRow | None:
    found = await counters_of(connection, (source_id,), kind)
    return found[source_id][0] if source_id in found else None


async def state_of(fleet: Fleet, source_id: int) -> State | None:
    """The newest state of a source."""
    return (await fleet.states.get((source_id,)))[source_id].state


async def settled_counters(fleet: Fleet, row: TrackerRow) -> list[CounterRow]:
    """The counters of a tracker, right even after late messages."""
    async with fleet.database.read() as connection:
        found = (await counters_of(connection, (row.source_id,))).get(row.source_id, [])
    state = await state_of(fleet, row.source_id)
    return [await settle(fleet, counter, state) for counter in found]


# Setting.


async def set_value(
    write: Write, row: TrackerRow, kind: str, value: float, state: State | None, now: int
) -> None:
    """The counter shows ``value`` from now on; made where there was none."""
    known = await find_counter(write.connection, row.source_id, kind)
    if known is None:
        known = await _make(write, row, kind, state, now)
    await _put(write, known, state, now, value=value, multiplier=known.multiplier)


async def change_counter(
    write: Write,
    row: TrackerRow,
    kind: str,
    multiplier: float,
    sensor_id: int | None,
    state: State | None,
    now: int,
) -> None:
    """What counts from now on, and how much it is worth; what the counter shows does not change.
    Made where there was none. Raises :class:`Refused` 7 for a sensor that the tracker does not
    have, or that measures nothing."""
    if sensor_id is not None:
        sensors = await list_sensors(write.connection, row.source_id)
        if not any(one.id == sensor_id and isinstance(one.sensor, Metering) for one in sensors):
            raise invalid("sensor_id", "must be a metering sensor of this tracker")
    known = await find_counter(write.connection, row.source_id, kind)
    if known is None:
        known = await _make(write, row, kind, state, now)
    shown = known.shown(state)
    await write.connection.execute(
        update(counters).where(counters.c.id == known.id).values(sensor_id=sensor_id)
    )
    value = shown[0] if shown is not None else None
    await _put(write, known, state, now, value=value, multiplier=multiplier)


async def _make(
    write: Write, row: TrackerRow, kind: str, state: State | None, now: int
) -> CounterRow:
    """A counter that shows nothing yet."""
    made = await write.connection.execute(
        insert(counters)
        .values(source_id=row.source_id, type=kind, changed_at=now, marked_at=now)
        .returning(*_COLUMNS)
    )
    return CounterRow(*made.one())


async def _put(
    write: Write,
    known: CounterRow,
    state: State | None,
    now: int,
    *,
    value: float | None,
    multiplier: float,
) -> None:
    """Says what the meter is worth from here on."""
    meter = known.meter(state)
    if meter is None:
        counting, _ = await _ways(write.connection, known)
        meter = first_meter(state, counting) if state is not None else Meter()
    total = known.total(known.meter(state))
    at = meter.time if meter.time is not None else now
    await write.connection.execute(
        update(counters)
        .where(counters.c.id == known.id)
        .values(value=value, counted=total, multiplier=multiplier, changed_at=now, marked_at=at)
    )
    await _mark(
        write.connection,
        known.id,
        meter,
        at=at,
        made_at=now,
        counted=total,
        value=value,
        multiplier=multiplier,
        fixed=True,
    )
    write.changes.sources.add(known.source_id)


async def _mark(
    connection: AsyncConnection,
    counter_id: int,
    meter: Meter,
    **columns: float | None,
) -> None:
    await connection.execute(
        insert(counter_marks).values(counter_id=counter_id, meter=_encode(meter), **columns)
    )


# Counting anew.


class Replay:
    """Counts stored points as ingest counted their messages."""

    def __init__(self, meter: Meter, counting: Counting, folding: Folding) -> None:
        self.meter = meter
        self._counting = counting
        self._folding = folding
        self._motion = Motion(moving=meter.running)
        self._ignition: bool | None = None

    def take(self, point: Point) -> None:
        values = point.values()
        folding = self._folding
        ignition = ignition_on(folding.ignition, values)
        if ignition is not None:
            self._ignition = ignition
        report = Report(point.time, values, ignition=ignition)
        if point.latitude is not None and point.flags & VALID and point.found_by == GNSS:
            told = values.get("is_moving")
            still, kept = folding.judge(self._ignition, told)
            report.latitude, report.longitude = point.latitude, point.longitude
            report.moving = move(
                self._motion,
                point.time,
                point.speed or 0.0,
                told,
                min_speed=folding.min_speed,
                still=still,
                kept=kept,
            )
        count(self.meter, self._counting, report)


async def points_after(
    points: Points, source_id: int, start: int, end: int
) -> AsyncIterator[Point]:
    """The points of a source with ``start < time <= end`` that are no dreams of the future, in the
    order of time."""
    moment, skip = start + 1, 0
    while True:
        page = await points.page(source_id, moment, end, limit=PAGE, skip=skip)
        for point in page:
            if not point.flags & FUTURE:
                yield point
        if len(page) < PAGE:
            return
        last = page[-1].time
        same = sum(1 for point in page if point.time == last)
        skip = same + (skip if last == moment else 0)
        moment = last


async def settle(fleet: Fleet, counter: CounterRow, state: State | None) -> CounterRow:
    """The counter with late messages counted, if there were any since the last time."""
    meter = counter.meter(state)
    if meter is None or meter.time is None or meter.lates == counter.lates:
        return counter
    async with fleet.database.read() as connection:
        mark = await _mark_before(connection, counter.id, meter.late)
        counting, folding = await _ways(connection, counter)
    correction = counter.correction
    # What came late for a time before the counter was set changes nothing of what it shows now.
    if mark is not None:
        replay = Replay(_decode(mark.meter), counting, folding)
        counted = replay.meter.counted
        start = replay.meter.time if replay.meter.time is not None else -1
        async for point in points_after(fleet.points, counter.source_id, start, meter.time):
            replay.take(point)
        correction = mark.counted + replay.meter.counted - counted - meter.counted
    async with fleet.write() as write:
        changed = await write.connection.execute(
            update(counters)
            .where(
                counters.c.id == counter.id,
                # Somebody may have set it, or dealt with the same messages, meanwhile.
                counters.c.changed_at == counter.changed_at,
                counters.c.lates == counter.lates,
            )
            .values(correction=correction, lates=meter.lates)
        )
        if changed.rowcount == 1:
            await write.connection.execute(
                delete(counter_marks).where(
                    counter_marks.c.counter_id == counter.id,
                    counter_marks.c.at > meter.late,
                    counter_marks.c.fixed.is_(False),
                )
            )
    return msgspec.structs.replace(counter, correction=correction, lates=meter.lates)


async def _ways(connection: AsyncConnection, counter: CounterRow) -> tuple[Counting, Folding]:
    """How this counter counts, and its source is read."""
    folding = (await live_foldings(connection, (counter.source_id,))).get(counter.source_id, COMMON)
    for counting in folding.counters:
        if counting.type == counter.type:
            return counting, folding
    return counting_of(counter.type, None, ()), folding


async def _mark_before(connection: AsyncConnection, counter_id: int, late: int) -> Any | None:
    """The newest mark that ``late`` (ms) does not change; None where the counter was set since."""
    fixed = await connection.scalar(
        select(counter_marks.c.id)
        .where(counter_marks.c.counter_id == counter_id, counter_marks.c.fixed)
        .order_by(counter_marks.c.id.desc())
        .limit(1)
    )
    query = (
        select(counter_marks)
        .where(
            counter_marks.c.counter_id == counter_id,
            counter_marks.c.id >= fixed,
            counter_marks.c.at <= late,
        )
        .order_by(counter_marks.c.at.desc(), counter_marks.c.id.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


# History.


async def history(fleet: Fleet, counter: CounterRow, start: int, end: int) -> list[CounterValue]:
    """What the counter showed in a period, whenever that changed, a value a minute at most."""
    async with fleet.database.read() as connection:
        counting, folding = await _ways(connection, counter)
        marks = await _marks_around(connection, counter.id, start, end)
    if not marks:
        return []
    found: list[CounterValue] = []
    for number, mark in enumerate(marks):
        until = marks[number + 1].at if number + 1 < len(marks) else end
        await _replayed(fleet.points, counter, mark, counting, folding, (start, until), found)
    return sorted(found, key=lambda value: value.time)


async def _marks_around(
    connection: AsyncConnection, counter_id: int, start: int, end: int
) -> list[Any]:
    """The newest mark before a period, or else the first one in it, and then those that somebody
    set in it."""
    mine = counter_marks.c.counter_id == counter_id
    before = (
        select(counter_marks)
        .where(mine, counter_marks.c.at <= start)
        .order_by(counter_marks.c.at.desc(), counter_marks.c.id.desc())
        .limit(1)
    )
    first = (await connection.execute(before)).one_or_none()
    inside = (
        select(counter_marks)
        .where(
            mine, and_(counter_marks.c.at > start, counter_marks.c.at <= end, counter_marks.c.fixed)
        )
        .order_by(counter_marks.c.at, counter_marks.c.id)
    )
    rest = list(await connection.execute(inside))
    return [first, *rest] if first is not None else rest


async def _replayed(
    points: Points,
    counter: CounterRow,
    mark: Any,
    counting: Counting,
    folding: Folding,
    span: tuple[int, int],
    found: list[CounterValue],
) -> None:
    """Adds what the counter showed from ``mark`` on, in ``span``, to ``found``."""
    start, end = span
    replay = Replay(_decode(mark.meter), counting, folding)
    counted = replay.meter.counted
    base = mark.value or 0.0
    if mark.fixed and mark.value is not None and start <= mark.made_at <= end:
        _add(found, CounterValue(base, mark.made_at))
    moment = replay.meter.time if replay.meter.time is not None else -1
    async for point in points_after(points, counter.source_id, moment, end):
        replay.take(point)
        if point.time >= start:
            value = base + mark.multiplier * (replay.meter.counted - counted)
            _add(found, CounterValue(value, point.time))


def _add(found: list[CounterValue], value: CounterValue) -> None:
    """A minute shows the last of its values; what did not change is not said again."""
    if found and found[-1].value == value.value:
        return
    if found and found[-1].time // MINUTE_MS == value.time // MINUTE_MS:
        found[-1] = value
    else:
        found.append(value)


# By itself.


async def prune_marks(fleet: Fleet, now: int) -> None:
    """Forgets daily marks that are older than what is kept of most devices."""
    async with fleet.database.begin() as connection:
        await connection.execute(
            delete(counter_marks).where(
                counter_marks.c.fixed.is_(False), counter_marks.c.at < now - KEPT_MS
            )
        )


async def settle_all(fleet: Fleet, now: int) -> int:
    """Counts late messages of all counters, and makes the daily marks; how many were counted
    anew."""
    settled = 0
    after = 0
    while True:
        query = _query().where(counters.c.id > after).limit(CHUNK)
        async with fleet.database.read() as connection:
            rows = [CounterRow(*row) for row in await connection.execute(query)]
        if not rows:
            return settled
        after = rows[-1].id
        states = await fleet.states.get({row.source_id for row in rows})
        due: list[tuple[CounterRow, Meter]] = []
        for row in rows:
            state = states[row.source_id].state
            meter = row.meter(state)
            if meter is None or meter.time is None:
                continue
            if meter.lates != row.lates:
                row = await settle(fleet, row, state)
                settled += 1
            if meter.time - row.marked_at >= DAY_MS:
                due.append((row, meter))
        if due:
            await _mark_daily(fleet, due, now)


async def _mark_daily(fleet: Fleet, due: list[tuple[CounterRow, Meter]], now: int) -> None:
    async with fleet.write() as write:
        connection = write.connection
        fresh = await counters_of(connection, {row.source_id for row, _ in due})
        known = {row.id: row for rows in fresh.values() for row in rows}
        for old, meter in due:
            row = known.get(old.id)
            if row is None or row.marked_at != old.marked_at or meter.time is None:
                continue
            total = row.total(meter)
            value = (row.value or 0.0) + row.multiplier * (total - row.counted)
            await _mark(
                connection,
                row.id,
                meter,
                at=meter.time,
                made_at=now,
                counted=total,
                value=value,
                multiplier=row.multiplier,
                fixed=False,
            )
            await connection.execute(
                update(counters).where(counters.c.id == row.id).values(marked_at=meter.time)
            )
