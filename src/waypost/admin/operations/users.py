"""Users and passwords."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import delete, select, update

from waypost.accounts import users as user_rows
from waypost.accounts.passwords import password_fault, random_password
from waypost.accounts.person import Person, normal_login, title_of
from waypost.admin.operations.base import Admin
from waypost.admin.requests import AdminError, PasswordReset, Say, UserCreate, UserList
from waypost.store.tables import dealers, panel_accounts, sessions, tariffs, users
from waypost.telemetry.message import iso_time


async def user_list(admin: Admin, request: UserList, say: Say) -> list[dict[str, Any]]:
    query = user_rows.rows_with_counts().where(~users.c.deleted).order_by(users.c.id)
    async with admin.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return [
        {
            "id": row.id,
            "login": row.login,
            "name": title_of(row),
            "master_id": row.master_id,
            "dealer_id": row.dealer_id,
            "trackers": row.trackers_count,
            "blocked": row.blocked,
            "activated": row.activated,
            "created": iso_time(row.created_at),
        }
        for row in rows
    ]


async def user_create(admin: Admin, request: UserCreate, say: Say) -> dict[str, Any]:
    password = _new_password(request.password)
    password_hash = await admin.accounts.passwords.hash(password)
    zone = user_rows.check_time_zone(request.time_zone)
    async with admin.database.begin() as connection:
        first = select(dealers.c.id).order_by(dealers.c.id).limit(1)
        if request.dealer is not None:
            first = first.where(dealers.c.id == request.dealer)
        dealer_id = await connection.scalar(first)
        if dealer_id is None:
            raise AdminError("there is no such dealer")
        tariff_id = await connection.scalar(
            select(tariffs.c.id)
            .where(tariffs.c.dealer_id == dealer_id, tariffs.c.active)
            .order_by(tariffs.c.id)
            .limit(1)
        )
        user_id = await user_rows.create(
            connection,
            Person(login=request.login),
            time.time_ns() // 1_000_000,
            dealer_id=dealer_id,
            password_hash=password_hash,
            default_tariff_id=tariff_id,
            time_zone=zone,
        )
    result = {"id": user_id, "login": normal_login(request.login)}
    return result if request.password else {**result, "password": password}


async def password_reset(admin: Admin, request: PasswordReset, say: Say) -> dict[str, Any]:
    login = normal_login(request.login)
    password = _new_password(request.password)
    password_hash = await admin.accounts.passwords.hash(password)
    async with admin.database.begin() as connection:
        keys: list[bytes] | None = None
        for table, holder in (
            (users, sessions.c.user_id),
            (panel_accounts, sessions.c.panel_account_id),
        ):
            found = await connection.scalar(
                update(table)
                .where(table.c.login == login)
                .values(password_hash=password_hash)
                .returning(table.c.id)
            )
            if found is not None:
                ended = delete(sessions).where(holder == found).returning(sessions.c.key)
                keys = list(await connection.scalars(ended))
                break
    if keys is None:
        raise AdminError(f"nobody has the log-in {request.login!r}")
    admin.accounts.sessions.forget(keys)
    return {"login": login} if request.password else {"login": login, "password": password}


def _new_password(given: str | None) -> str:
    """``given``, or a random one. Raises :class:`AdminError` for one that no user may have."""
    if given is None:
        return random_password()
    fault = password_fault(given)
    if fault is not None:
        raise AdminError(f"the password {fault}")
    return given
