"""Operations where no server runs: the stores are opened for the occasion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from waypost.admin.operations.base import Admin
from waypost.admin.requests import AdminError
from waypost.parts import open_parts
from waypost.settings import Settings
from waypost.store.engine import RELATIONAL_FILE


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Admin]:
    """What operations work with, until the end of the block. Raises :class:`AdminError` where
    there is nothing to work on, and what :func:`waypost.parts.open_parts` raises."""
    if settings.sqlite and not (settings.data_dir / RELATIONAL_FILE).exists():
        raise AdminError(f"there is no database in {settings.data_dir}: has the server run there?")
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, stack)
        yield Admin(settings, parts.database, parts.bus, parts.points, parts.accounts, parts.fleet)
