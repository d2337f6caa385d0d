"""Pictures of trackers."""

from __future__ import annotations

from sqlalchemy import update

from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.store.files import StoredFile, delete_file, save_file
from waypost.store.tables import trackers

#: Where they are served.
FOLDER = "tracker/avatars"


async def set_avatar(
    write: Write, row: TrackerRow, suffix: str, picture: StoredFile, now: int
) -> str:
    """Gives ``row`` (locked) a picture in place of the one it has; the name of its file."""
    connection = write.connection
    path = await save_file(connection, f"{FOLDER}/{row.id}", suffix, picture, now)
    name = path.removeprefix(f"{FOLDER}/")
    if row.avatar_file_name and row.avatar_file_name != name:
        await delete_file(connection, f"{FOLDER}/{row.avatar_file_name}")
    await connection.execute(
        update(trackers).where(trackers.c.id == row.id).values(avatar_file_name=name)
    )
    write.changes.sources.add(row.source_id)
    return name
