"""Working statuses (busy, free ...): an account's lists of them, and what its trackers have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.locking import lock_sources
from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.tables import (
    sources,
    status_changes,
    status_listings,
    statuses,
    tariffs,
    trackers,
)

#: What a tariff calls them.
FEATURE = "statuses"
#: Most lists of one account, and statuses in one list.
LISTINGS = 100
STATUSES = 100


class Status(msgspec.Struct, frozen=True):
    """A working status; ``color`` is RRGGBB."""

    id: int
    label: str
    color: str


class Listing(msgspec.Struct, frozen=True):
    """A list of statuses; ``entries`` are their ids in order. Who may change a tracker's: the
    employee who has it, whoever supervises."""

    id: int
    label: str
    employee_controlled: bool
    supervisor_controlled: bool
    entries: list[int]


class Change(msgspec.Struct, frozen=True):
    """When (ms), where and by whom a working status was set."""

    id: int
    old_status_id: int | None
    new_status_id: int | None
    latitude: float | None
    longitude: float | None
    at: int
    origin: str


async def need_feature(connection: AsyncConnection, user_id: int) -> None:
    """Raises :class:`Refused` 236 unless the account has a tracker whose tariff knows working
    statuses, or that has no tariff."""
    used = (
        select(sources.c.tariff_id)
        .join(trackers, trackers.c.source_id == sources.c.id)
        .where(trackers.c.user_id == user_id, not_(trackers.c.deleted), not_(sources.c.corrupted))
        .distinct()
    )
    having = set(await connection.scalars(used))
    if None in having:
        return
    query = select(tariffs.c.features).where(tariffs.c.id.in_(having))
    if not any(FEATURE in features for features in await connection.scalars(query)):
        raise Refused(236)


# Lists.


async def listings_of(connection: AsyncConnection, user_id: int) -> list[Listing]:
    """The lists of an account in the order of ids."""
    rows = (
        await connection.execute(
            select(status_listings)
            .where(status_listings.c.user_id == user_id)
            .order_by(status_listings.c.id)
        )
    ).all()
    entries: dict[int, list[int]] = {row.id: [] for row in rows}
    query = (
        select(statuses.c.listing_id, statuses.c.id)
        .where(statuses.c.listing_id.in_(entries))
        .order_by(statuses.c.ordinal, statuses.c.id)
    )
    for listing_id, status_id in await connection.execute(query):
        entries[listing_id].append(status_id)
    return [
        Listing(
            row.id, row.label, row.employee_controlled, row.supervisor_controlled, entries[row.id]
        )
        for row in rows
    ]


async def create_listing(
    write: Write, user_id: int, label: str, *, employee: bool, supervisor: bool
) -> int:
    """Raises :class:`Refused` 268 for one too many."""
    had = select(func.count()).where(status_listings.c.user_id == user_id)
    if (await write.connection.scalar(had) or 0) >= LISTINGS:
        raise Refused(268)
    made = await write.connection.execute(
        insert(status_listings)
        .values(
            user_id=user_id,
            label=label,
            employee_controlled=employee,
            supervisor_controlled=supervisor,
        )
        .returning(status_listings.c.id)
    )
    return int(made.scalar_one())


async def update_listing(write: Write, user_id: int, listing: Listing) -> None:
    """Raises :class:`Refused`: 201; 262 unless ``entries`` are exactly the list's statuses."""
    await _lock(write.connection, user_id, listing.id)
    known = [one.id for one in await statuses_of(write.connection, user_id, listing.id)]
    if sorted(known) != sorted(listing.entries):
        raise Refused(262)
    await write.connection.execute(
        update(status_listings)
        .where(status_listings.c.id == listing.id)
        .values(
            label=listing.label,
            employee_controlled=listing.employee_controlled,
            supervisor_controlled=listing.supervisor_controlled,
        )
    )
    if listing.entries:
        await write.connection.execute(
            update(statuses)
            .where(statuses.c.id == bindparam("b_id"))
            .values(ordinal=bindparam("b_place")),
            [{"b_id": one, "b_place": place} for place, one in enumerate(listing.entries)],
        )


async def delete_listing(outbox: Outbox, user_id: int, listing_id: int) -> None:
    """Its statuses go, and the trackers that had it have none. Raises :class:`Refused` 201."""
    connection = outbox.write.connection
    await _lock(connection, user_id, listing_id)
    having = list(
        await connection.scalars(
            select(sources.c.id).where(sources.c.status_listing_id == listing_id)
        )
    )
    await lock_sources(connection, having)
    gone = [one.id for one in await statuses_of(connection, user_id, listing_id)]
    await _take_off(outbox, listing_id, gone)
    await connection.execute(
        update(sources)
        .where(sources.c.status_listing_id == listing_id)
        .values(status_listing_id=None)
    )
    await connection.execute(delete(statuses).where(statuses.c.listing_id == listing_id))
    await connection.execute(delete(status_listings).where(status_listings.c.id == listing_id))
    outbox.write.changes.sources.update(having)


async def _lock(connection: AsyncConnection, user_id: int, listing_id: int) -> None:
    """Nobody else changes this list. Raises :class:`Refused` 201 for one that the account does not
    have."""
    query = (
        select(status_listings.c.id)
        .where(status_listings.c.id == listing_id, status_listings.c.user_id == user_id)
        .with_for_update()
    )
    if await connection.scalar(query) is None:
        raise Refused(201)


# Statuses.


async def statuses_of(connection: AsyncConnection, user_id: int, listing_id: int) -> list[Status]:
    """The statuses of a list in order; none where the account does not have the list."""
    query = (
        select(statuses.c.id, statuses.c.label, statuses.c.color)
        .join(status_listings, status_listings.c.id == statuses.c.listing_id)
        .where(statuses.c.listing_id == listing_id, status_listings.c.user_id == user_id)
        .order_by(statuses.c.ordinal, statuses.c.id)
    )
    return [Status(*row) for row in await connection.execute(query)]


async def create_status(write: Write, user_id: int, listing_id: int, label: str, color: str) -> int:
    """A new last status of a list. Raises :class:`Refused`: 201 for the list; 268 for one too
    many."""
    await _lock(write.connection, user_id, listing_id)
    query = select(func.count(), func.max(statuses.c.ordinal)).where(
        statuses.c.listing_id == listing_id
    )
    count, last = (await write.connection.execute(query)).one()
    if count >= STATUSES:
        raise Refused(268)
    made = await write.connection.execute(
        insert(statuses)
        .values(
            listing_id=listing_id,
            label=label,
            color=color,
            ordinal=0 if last is None else last + 1,
        )
        .returning(statuses.c.id)
    )
    return int(made.scalar_one())


async def update_status(write: Write, user_id: int, status: Status) -> None:
    """Raises :class:`Refused` 201."""
    listings = select(status_listings.c.id).where(status_listings.c.user_id == user_id)
    changed = await write.connection.execute(
        update(statuses)
        .where(statuses.c.id == status.id, statuses.c.listing_id.in_(listings))
        .values(label=status.label, color=status.color)
    )
    if changed.rowcount != 1:
        raise Refused(201)


async def delete_status(outbox: Outbox, user_id: int, status_id: int) -> None:
    """Trackers that have it have none. Raises :class:`Refused` 201."""
    connection = outbox.write.connection
    query = select(statuses.c.listing_id).where(statuses.c.id == status_id)
    listing_id = await connection.scalar(query)
    if listing_id is None:
        raise Refused(201)
    await _lock(connection, user_id, listing_id)
    await _take_off(outbox, listing_id, [status_id])
    gone = await connection.execute(delete(statuses).where(statuses.c.id == status_id))
    if gone.rowcount != 1:
        raise Refused(201)


# What trackers have.


async def assign_listing(outbox: Outbox, row: TrackerRow, listing_id: int | None) -> None:
    """Gives the device of ``row`` (locked) a list of its account, or (None) none; its status goes,
    unless it had this list already. Raises :class:`Refused` 204 for a list that the account does
    not have."""
    connection = outbox.write.connection
    if listing_id == row.status_listing_id:
        return
    if listing_id is not None:
        query = (
            select(status_listings.c.id)
            .where(status_listings.c.id == listing_id, status_listings.c.user_id == row.user_id)
            .with_for_update(read=True)
        )
        if await connection.scalar(query) is None:
            raise Refused(204)
    known = await changes_of(connection, [row.source_id])
    if row.source_id in known:
        await _note(outbox, row.source_id, known[row.source_id].new_status_id, None, None)
    await connection.execute(
        update(sources).where(sources.c.id == row.source_id).values(status_listing_id=listing_id)
    )
    outbox.write.changes.sources.add(row.source_id)


async def assign_status(
    outbox: Outbox, row: TrackerRow, status_id: int, place: tuple[float, float] | None
) -> None:
    """Gives the device of ``row`` (locked) a status of its list; ``place`` is where it is now.
    Raises :class:`Refused`: 204 for a status that is not in its list; 13 where the list is not for
    supervisors; 263 for the one that it has."""
    connection = outbox.write.connection
    query = (
        select(status_listings.c.supervisor_controlled)
        .join(statuses, statuses.c.listing_id == status_listings.c.id)
        .where(statuses.c.id == status_id, status_listings.c.id == row.status_listing_id)
    )
    allowed = await connection.scalar(query)
    if allowed is None:
        raise Refused(204)
    if not allowed:
        raise Refused(13)
    known = await changes_of(connection, [row.source_id])
    old = known[row.source_id].new_status_id if row.source_id in known else None
    if old == status_id:
        raise Refused(263)
    await _note(outbox, row.source_id, old, status_id, place)


async def changes_of(connection: AsyncConnection, source_ids: Sequence[int]) -> dict[int, Change]:
    """The last change of each source that had any."""
    newest = (
        select(func.max(status_changes.c.id))
        .where(status_changes.c.source_id.in_(source_ids))
        .group_by(status_changes.c.source_id)
    )
    query = select(status_changes).where(status_changes.c.id.in_(newest))
    return {
        row.source_id: Change(
            row.id,
            row.old_status_id,
            row.new_status_id,
            row.latitude,
            row.longitude,
            row.at,
            row.origin,
        )
        for row in await connection.execute(query)
    }


async def statuses_by_id(
    connection: AsyncConnection, status_ids: Iterable[int]
) -> dict[int, Status]:
    query = select(statuses.c.id, statuses.c.label, statuses.c.color).where(
        statuses.c.id.in_(list(status_ids))
    )
    return {row.id: Status(*row) for row in await connection.execute(query)}


async def _take_off(outbox: Outbox, listing_id: int, status_ids: Sequence[int]) -> None:
    """Devices that have one of these statuses of a list have none from now on."""
    connection = outbox.write.connection
    having = list(
        await connection.scalars(
            select(sources.c.id).where(sources.c.status_listing_id == listing_id)
        )
    )
    for source_id, change in (await changes_of(connection, having)).items():
        if change.new_status_id in status_ids:
            await _note(outbox, source_id, change.new_status_id, None, None)


async def _note(
    outbox: Outbox,
    source_id: int,
    old: int | None,
    new: int | None,
    place: tuple[float, float] | None,
) -> None:
    if old == new:
        return
    await outbox.write.connection.execute(
        insert(status_changes).values(
            source_id=source_id,
            old_status_id=old,
            new_status_id=new,
            at=outbox.now,
            origin="supervisor",
            latitude=place[0] if place else None,
            longitude=place[1] if place else None,
        )
    )
