"""The panel's list of trackers: searched, sorted and cut in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import ColumnElement, Select, Text, cast, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import models
from waypost.fleet.long_lists import OWNER_NAME, STEP, Entry, Snapshot, Sorted, Value
from waypost.fleet.rows import TrackerRow, fetch_rows, rows_query
from waypost.fleet.service import Fleet
from waypost.fleet.state_view import connection_of, status_of
from waypost.fleet.tracker_view import PanelTracker, panel_tracker
from waypost.refusal import Refused
from waypost.store.sql import chunks
from waypost.store.tables import sources, tariffs, trackers, users
from waypost.telemetry.status import Connection

Order = Literal[
    "id",
    "label",
    "status",
    "model",
    "device_id",
    "phone",
    "creation_date",
    "user_id",
    "comment",
    "last_connection",
    "tariff_id",
    "business_status",
    "tariff_end_date",
    "group_id",
    "dealer_id",
    "source_id",
    "clone",
    "deleted",
    "blocked",
    "owner_name",
    "legal_name",
]

Clones = Literal["not_set", "exclude_clones", "only_include_clones"]

#: A page so long at most is looked for in memory.
PAGE = 1000

_COLUMNS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "id": (),
    "label": (func.lower(trackers.c.label),),
    "model": (sources.c.model,),
    "device_id": (sources.c.device_id,),
    "phone": (sources.c.phone,),
    "creation_date": (trackers.c.creation_date,),
    "user_id": (trackers.c.user_id,),
    "comment": (func.lower(trackers.c.comment),),
    "last_connection": (sources.c.last_connection_at,),
    "tariff_id": (sources.c.tariff_id,),
    "business_status": (sources.c.corrupted, trackers.c.deleted, sources.c.blocked),
    "tariff_end_date": (sources.c.tariff_end_date,),
    "group_id": (func.coalesce(trackers.c.group_id, 0),),
    "dealer_id": (users.c.dealer_id,),
    "source_id": (sources.c.id,),
    "clone": (trackers.c.clone,),
    "deleted": (trackers.c.deleted,),
    "blocked": (sources.c.blocked,),
    "owner_name": (func.lower(OWNER_NAME),),
    "legal_name": (func.lower(users.c.legal_name),),
}

_SEARCHED: tuple[ColumnElement[Any], ...] = (
    cast(trackers.c.id, Text),
    trackers.c.label,
    cast(sources.c.id, Text),
    sources.c.device_id,
    sources.c.model,
    sources.c.phone,
    cast(trackers.c.user_id, Text),
)


class Wanted(msgspec.Struct, kw_only=True):
    """Which trackers, in which order, from where and how many."""

    dealer_id: int
    user_id: int | None = None
    tariff_id: int | None = None
    filter: str | None = None
    clones: Clones = "not_set"
    order_by: Order = "id"
    ascending: bool = True
    offset: int = 0
    limit: int | None = None


async def list_trackers(fleet: Fleet, wanted: Wanted, now: int) -> tuple[list[PanelTracker], int]:
    """The page, and how many there are in all. Raises :class:`Refused` 201 for a user or a tariff
    that the dealer does not have."""
    page = await _remembered(fleet, wanted, now)
    query = _matching(wanted)
    async with fleet.database.read() as connection:
        await _check(connection, wanted)
        if page is not None:
            ids, count = page
            found = await fetch_rows(connection, rows_query().where(trackers.c.id.in_(ids)))
            by_id = {row.id: row for row in found}
            rows = [by_id[one] for one in ids if one in by_id]
            statuses = await statuses_of(fleet, rows, now)
        elif wanted.order_by == "status":
            # The states may lie in another database, and time changes them: sorted here.
            rows = await fetch_rows(connection, query)
            count = len(rows)
            statuses = await statuses_of(fleet, rows, now)
            rows.sort(key=lambda row: (statuses[row.id], row.id), reverse=not wanted.ascending)
            end = None if wanted.limit is None else wanted.offset + wanted.limit
            rows = rows[wanted.offset : end]
        else:
            counted = query.with_only_columns(func.count())
            count = await connection.scalar(counted) or 0
            rows = await fetch_rows(connection, _page(query, wanted))
            statuses = await statuses_of(fleet, rows, now)
        names = await owner_names(connection, {row.user_id for row in rows})
    shown = [_shown(row, statuses[row.id], names.get(row.user_id, "")) for row in rows]
    return shown, count


async def _remembered(fleet: Fleet, wanted: Wanted, now: int) -> tuple[list[int], int] | None:
    """The ids of the page and how many there are in all, where the dealer's list is long enough to
    be kept in memory."""
    if wanted.limit is None or wanted.limit > PAGE:
        return None
    kept = await fleet.long_lists.find(wanted.dealer_id)
    if kept is None:
        return None
    long_list, snapshot = kept
    order: str | Sorted = wanted.order_by
    if order == "status":
        order = await long_list.aging(order, snapshot, partial(_statuses, fleet, now))
    elif order == "last_connection":
        order = await long_list.aging(order, snapshot, partial(_connections, fleet, wanted))
    return await asyncio.to_thread(
        snapshot.page,
        _keeps(wanted),
        order,
        ascending=wanted.ascending,
        offset=wanted.offset,
        limit=wanted.limit,
    )


def _keeps(wanted: Wanted) -> Callable[[Entry], bool] | None:
    """What :func:`_matching` says, of entries; None: all of them."""
    tests: list[Callable[[Entry], bool]] = []
    if wanted.user_id is not None:
        tests.append(lambda entry: entry.user_id == wanted.user_id)
    if wanted.tariff_id is not None:
        tests.append(lambda entry: entry.tariff_id == wanted.tariff_id)
    if wanted.clones == "exclude_clones":
        tests.append(lambda entry: not entry.clone)
    elif wanted.clones == "only_include_clones":
        tests.append(lambda entry: entry.clone)
    if wanted.filter:
        sought = wanted.filter.lower()
        tests.append(lambda entry: sought in entry.text)
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda entry: all(test(entry) for test in tests)


async def _statuses(fleet: Fleet, now: int, snapshot: Snapshot) -> Value:
    """Connection statuses, a few thousand at a time, so that others have their turn."""
    found: dict[int, Connection] = {}
    for some in chunks(snapshot.entries.values(), STEP):
        known = await fleet.states.get({entry.source_id for entry in some})
        for entry in some:
            found[entry.id] = status_of(
                entry.model, entry.registered_at, entry.replaced_at, known[entry.source_id], now
            )
        await asyncio.sleep(0)
    return lambda entry: found.get(entry.id)


async def _connections(fleet: Fleet, wanted: Wanted, snapshot: Snapshot) -> Value:
    """When devices connected last."""
    found: dict[int, int] = {}
    last = 0
    columns = select(sources.c.id, sources.c.last_connection_at)
    while True:
        query = columns.where(
            sources.c.dealer_id == wanted.dealer_id,
            sources.c.id > last,
        )
        async with fleet.database.read() as connection:
            rows = (await connection.execute(query.order_by(sources.c.id).limit(STEP))).all()
        found.update((row[0], row[1]) for row in rows if row[1] is not None)
        if len(rows) < STEP:
            return lambda entry: found.get(entry.source_id)
        last = rows[-1][0]


async def show(fleet: Fleet, row: TrackerRow, now: int) -> PanelTracker:
    """One tracker as the panel shows it."""
    async with fleet.database.read() as connection:
        names = await owner_names(connection, {row.user_id})
    statuses = await statuses_of(fleet, [row], now)
    return _shown(row, statuses[row.id], names.get(row.user_id, ""))


def _matching(wanted: Wanted) -> Select[Any]:
    query = rows_query().where(users.c.dealer_id == wanted.dealer_id)
    if wanted.user_id is not None:
        query = query.where(trackers.c.user_id == wanted.user_id)
    if wanted.tariff_id is not None:
        query = query.where(sources.c.tariff_id == wanted.tariff_id)
    if wanted.clones == "exclude_clones":
        query = query.where(not_(trackers.c.clone))
    elif wanted.clones == "only_include_clones":
        query = query.where(trackers.c.clone)
    if wanted.filter:
        query = query.where(
            or_(*(column.icontains(wanted.filter, autoescape=True) for column in _SEARCHED))
        )
    return query


def _page(query: Select[Any], wanted: Wanted) -> Select[Any]:
    for column in (*_COLUMNS[wanted.order_by], trackers.c.id):
        # Both engines alike: what is not there comes last, either way.
        query = query.order_by((column.asc() if wanted.ascending else column.desc()).nulls_last())
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    elif wanted.offset:
        query = query.limit(2**62)  # SQLite knows no offset without a limit
    return query.offset(wanted.offset) if wanted.offset else query


async def _check(connection: AsyncConnection, wanted: Wanted) -> None:
    if wanted.user_id is not None:
        user = select(users.c.id).where(
            users.c.id == wanted.user_id,
            users.c.dealer_id == wanted.dealer_id,
            not_(users.c.deleted),
        )
        if await connection.scalar(user) is None:
            raise Refused(201)
    if wanted.tariff_id is not None:
        tariff = select(tariffs.c.id).where(
            tariffs.c.id == wanted.tariff_id, tariffs.c.dealer_id == wanted.dealer_id
        )
        if await connection.scalar(tariff) is None:
            raise Refused(201)


async def statuses_of(fleet: Fleet, rows: list[TrackerRow], now: int) -> dict[int, Connection]:
    """Connection status by tracker id."""
    known = await fleet.states.get({row.source_id for row in rows})
    return {row.id: connection_of(row, known[row.source_id].state, now)[0] for row in rows}


async def owner_names(connection: AsyncConnection, user_ids: set[int]) -> dict[int, str]:
    """``owner_name`` by user id."""
    found: dict[int, str] = {}
    for some in chunks(sorted(user_ids)):
        query = select(users.c.id, OWNER_NAME).where(users.c.id.in_(some))
        found.update({row[0]: row[1] for row in await connection.execute(query)})
    return found


def _shown(row: TrackerRow, status: Connection, owner_name: str) -> PanelTracker:
    model = models.model(row.model)
    return panel_tracker(
        row,
        status=status,
        owner_name=owner_name,
        model_name=model.name if model is not None else row.model,
        last_connection=row.last_connection_at,
    )


if set(_COLUMNS) | {"status"} != set(get_args(Order)):
    raise TypeError("an order without columns, or columns of no order")
