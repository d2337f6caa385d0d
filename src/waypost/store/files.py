"""Files that clients have uploaded, kept in the database: every process that serves the API has
them, and a backup too."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.store.tables import files


class StoredFile(msgspec.Struct, frozen=True):
    """A file: its media type and what is in it."""

    type: str
    content: bytes


async def save_file(
    connection: AsyncConnection, stem: str, suffix: str, file: StoredFile, now: int
) -> str:
    """Stores a file as ``<stem>-<digest>.<suffix>``; its name. What a name stands for never
    changes, so that it can be kept by browsers for ever."""
    digest = hashlib.sha256(file.content).hexdigest()[:16]
    name = f"{stem}-{digest}.{suffix}"
    if await connection.scalar(select(files.c.name).where(files.c.name == name)) is None:
        await connection.execute(
            insert(files).values(name=name, type=file.type, content=file.content, created_at=now)
        )
    return name


async def load_file(connection: AsyncConnection, name: str) -> StoredFile | None:
    row = (
        await connection.execute(select(files.c.type, files.c.content).where(files.c.name == name))
    ).first()
    return None if row is None else StoredFile(row.type, row.content)


async def delete_file(connection: AsyncConnection, name: str) -> None:
    """Deletes it, if it is there."""
    await connection.execute(delete(files).where(files.c.name == name))
