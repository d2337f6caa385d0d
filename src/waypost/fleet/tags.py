"""Tags: words that an account puts on its trackers to find them by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.rows import TagBinding, TrackerRow
from waypost.fleet.service import Write
from waypost.refusal import Refused
from waypost.store.tables import tag_bindings, tags, vehicle_tags

#: Most tags of one tracker.
ORDINALS = 5


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tag; ``color`` is RRGGBB."""

    id: int
    name: str
    color: str
    avatar_file_name: str | None = None


async def list_tags(
    connection: AsyncConnection, user_id: int, part: str | None = None
) -> list[Tag]:
    """The tags of an account in the order of ids; with ``part``, those that have it in their name,
    in whatever case."""
    query = (
        select(tags.c.id, tags.c.name, tags.c.color, tags.c.avatar_file_name)
        .where(tags.c.user_id == user_id)
        .order_by(tags.c.id)
    )
    found = [Tag(*row) for row in await connection.execute(query)]
    if part is None:
        return found
    # Here, not in SQL: SQLite's LIKE knows case in ASCII only.
    wanted = part.casefold()
    return [tag for tag in found if wanted in tag.name.casefold()]


async def create_tag(
    write: Write, user_id: int, name: str, color: str, avatar_file_name: str | None
) -> int:
    made = await write.connection.execute(
        insert(tags)
        .values(user_id=user_id, name=name, color=color, avatar_file_name=avatar_file_name)
        .returning(tags.c.id)
    )
    return int(made.scalar_one())


async def update_tag(write: Write, user_id: int, tag: Tag) -> None:
    """Raises :class:`Refused` 201 for a tag that the account does not have."""
    changed = await write.connection.execute(
        update(tags)
        .where(tags.c.id == tag.id, tags.c.user_id == user_id)
        .values(name=tag.name, color=tag.color, avatar_file_name=tag.avatar_file_name)
    )
    if changed.rowcount != 1:
        raise Refused(201)


async def delete_tags(write: Write, user_id: int, tag_ids: Sequence[int]) -> int:
    """Deletes those that the account has, and takes them off; how many they were."""
    known = await known_tags(write.connection, user_id, tag_ids)
    if known:
        some = sorted(known)
        for table in (tag_bindings, vehicle_tags):
            await write.connection.execute(delete(table).where(table.c.tag_id.in_(some)))
        await write.connection.execute(delete(tags).where(tags.c.id.in_(some)))
        write.changes.users.add(user_id)
    return len(known)


async def known_tags(connection: AsyncConnection, user_id: int, tag_ids: Iterable[int]) -> set[int]:
    """Those of ``tag_ids`` that the account has."""
    query = select(tags.c.id).where(tags.c.user_id == user_id, tags.c.id.in_(list(tag_ids)))
    return set((await connection.scalars(query)).all())


async def set_tags(
    write: Write, row: TrackerRow, user_id: int, bindings: Sequence[TagBinding]
) -> None:
    """Gives a tracker (locked) of the account exactly these tags. Raises :class:`Refused` 217 for a
    tag that the account does not have."""
    wanted = {binding.tag_id for binding in bindings}
    if await known_tags(write.connection, user_id, wanted) != wanted:
        raise Refused(217)
    await write.connection.execute(delete(tag_bindings).where(tag_bindings.c.tracker_id == row.id))
    if bindings:
        await write.connection.execute(
            insert(tag_bindings),
            [
                {"tracker_id": row.id, "tag_id": one.tag_id, "ordinal": one.ordinal}
                for one in bindings
            ],
        )
    write.changes.sources.add(row.source_id)
