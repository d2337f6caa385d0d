"""Trackers: listed, and registered by the hundred."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from sqlalchemy import not_, select

from waypost.accounts.person import normal_login
from waypost.admin.operations.base import Admin
from waypost.admin.requests import AdminError, Say, TrackerImport, TrackerList
from waypost.fleet.import_file import ImportRefused
from waypost.fleet.imports import import_trackers
from waypost.fleet.rows import rows_query
from waypost.store.tables import sources, trackers, users
from waypost.telemetry.message import iso_time


async def tracker_list(admin: Admin, request: TrackerList, say: Say) -> list[dict[str, Any]]:
    query = (
        rows_query()
        .add_columns(users.c.login)
        .where(not_(trackers.c.deleted), not_(sources.c.corrupted))
        .order_by(trackers.c.id)
    )
    if request.user is not None:
        query = query.where(trackers.c.user_id == await user_of(admin, request.user))
    async with admin.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return [
        {
            "id": row.id,
            "label": row.label,
            "device_id": row.device_id,
            "model": row.model,
            "user": row.login,
            "phone": row.phone,
            "clone": row.clone,
            "blocked": row.blocked,
            "registered": iso_time(row.registered_at),
            "last_connection": iso_time(row.last_connection_at),
        }
        for row in rows
    ]


async def tracker_import(admin: Admin, request: TrackerImport, say: Say) -> dict[str, Any]:
    async def progress(stored: int, of: int) -> None:
        await say({"stored": stored, "of": of})

    user_id = await user_of(admin, request.user)
    now = time.time_ns() // 1_000_000
    try:
        made = await import_trackers(admin.fleet, user_id, request.data, now, progress)
    except ImportRefused as refused:
        raise AdminError(f"nothing was imported\n{refused}") from None
    return msgspec.structs.asdict(made)


async def user_of(admin: Admin, login: str) -> int:
    """The account of a log-in. Raises :class:`AdminError`."""
    query = select(users.c.id).where(users.c.login == normal_login(login), not_(users.c.deleted))
    async with admin.database.read() as connection:
        found = await connection.scalar(query)
    if found is None:
        raise AdminError(f"no user has the log-in {login!r}")
    return int(found)
