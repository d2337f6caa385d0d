"""Files, and facts about the database itself."""

from __future__ import annotations

from sqlalchemy import JSON, Column, LargeBinary, Table, Text

from waypost.store.tables.base import Big, metadata

#: What clients have uploaded: logos, avatars.
files = Table(
    "files",
    metadata,
    #: A path without leading slash; it holds a digest of the content.
    Column("name", Text, primary_key=True),
    #: Media type.
    Column("type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Big, nullable=False),
)

#: Facts about this database itself: the salt of its first start, what jobs ran when.
meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)
