"""A tracker with its source, as one row."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.foldings import foldings_of
from waypost.fleet.sensor_rows import Among, in_steps
from waypost.store.tables import sources, tag_bindings, trackers, users
from waypost.telemetry.folding import COMMON, Folding

#: More of them are asked for by the query that found them.
LISTED = 500


class TagBinding(msgspec.Struct, frozen=True):
    """A tag on a tracker; ``ordinal`` 1 to 5 is its place."""

    tag_id: int
    ordinal: int


class TrackerRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A tracker of one account and the source that it shows. Moments in ms."""

    id: int
    user_id: int
    dealer_id: int
    label: str
    clone: bool
    group_id: int | None
    avatar_file_name: str | None
    comment: str
    deleted: bool
    creation_date: date
    source_id: int
    device_id: str
    former_device_id: str | None
    model: str
    phone: str | None
    blocked: bool
    corrupted: bool
    tariff_id: int | None
    tariff_end_date: date | None
    source_creation_date: date
    registered_at: int
    connected_at: int | None
    last_connection_at: int | None
    replaced_at: int | None
    status_listing_id: int | None
    retention_days: int
    #: The dealer's SIM card, whose number the device's users do not see.
    sim_card_id: int | None
    tag_bindings: tuple[TagBinding, ...] = ()
    #: How its messages are read (counters aside).
    folding: Folding = COMMON


#: The columns of ``TrackerRow``, in its order, but for the tags and the folding.
COLUMNS = (
    trackers.c.id,
    trackers.c.user_id,
    users.c.dealer_id,
    trackers.c.label,
    trackers.c.clone,
    trackers.c.group_id,
    trackers.c.avatar_file_name,
    trackers.c.comment,
    trackers.c.deleted,
    trackers.c.creation_date,
    sources.c.id.label("source_id"),
    sources.c.device_id,
    sources.c.former_device_id,
    sources.c.model,
    sources.c.phone,
    sources.c.blocked,
    sources.c.corrupted,
    sources.c.tariff_id,
    sources.c.tariff_end_date,
    sources.c.creation_date.label("source_creation_date"),
    sources.c.registered_at,
    sources.c.connected_at,
    sources.c.last_connection_at,
    sources.c.replaced_at,
    sources.c.status_listing_id,
    sources.c.retention_days,
    sources.c.sim_card_id,
    # Last: it becomes the folding. Most have none, and none is quicker to read than an empty one.
    func.nullif(cast(sources.c.settings, Text), "{}").label("settings"),
)


def rows_query() -> Select[Any]:
    """Selects :data:`COLUMNS`; add conditions."""
    return select(*COLUMNS).select_from(
        trackers.join(sources, sources.c.id == trackers.c.source_id).join(
            users, users.c.id == trackers.c.user_id
        )
    )


async def fetch_rows(
    connection: AsyncConnection, query: Select[Any], *, many: bool = False
) -> list[TrackerRow]:
    """The rows of a query made from :func:`rows_query`, with their tags and how their messages are
    read. ``many``: there may be thousands; then the query has neither limit nor offset."""
    found = (await connection.execute(query)).all()
    ids: Among = [row.id for row in found]
    source_ids: Among = [row.source_id for row in found]
    if many and len(found) > LISTED:
        # The database finds them again sooner than it reads a list of so many.
        among = query.order_by(None)
        ids = among.with_only_columns(trackers.c.id)
        source_ids = among.with_only_columns(sources.c.id)
    tags = await _bindings(connection, ids)
    settings = {row.source_id: _settings(row.settings) for row in found}
    foldings = await foldings_of(connection, settings, source_ids)
    return [
        TrackerRow(*(*row[:-1], tags.get(row[0], ()), foldings.get(row.source_id, COMMON)))
        for row in found
    ]


def _settings(stored: str | None) -> dict[str, Any]:
    return msgspec.json.decode(stored, type=dict[str, Any]) if stored is not None else {}


async def fetch_row(connection: AsyncConnection, query: Select[Any]) -> TrackerRow | None:
    """The first row of a query made from :func:`rows_query`."""
    found = await fetch_rows(connection, query.limit(1))
    return found[0] if found else None


async def _bindings(
    connection: AsyncConnection, tracker_ids: Among
) -> dict[int, tuple[TagBinding, ...]]:
    found: dict[int, tuple[TagBinding, ...]] = {}
    for some in in_steps(tracker_ids):
        query = (
            select(tag_bindings.c.tracker_id, tag_bindings.c.tag_id, tag_bindings.c.ordinal)
            .where(tag_bindings.c.tracker_id.in_(some))
            .order_by(tag_bindings.c.tracker_id, tag_bindings.c.ordinal)
        )
        for tracker_id, tag_id, ordinal in (await connection.execute(query)).all():
            found[tracker_id] = (*found.get(tracker_id, ()), TagBinding(tag_id, ordinal))
    return found
