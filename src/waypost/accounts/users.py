"""Users as rows: what the panel makes, reads and changes, and a user's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import load_dealer, mfa_default, ui_settings
from waypost.accounts.person import DETAILS, Person, columns_of, login_of
from waypost.refusal import Refused, invalid
from waypost.store.tables import dealers, tariffs, trackers, users

#: What a user's settings are until they are changed, beside those that have columns.
DEFAULT_SETTINGS: dict[str, Any] = {
    "geocoder": "osm",
    "route_provider": "osrm",
    "translit": False,
    "date_format": "yyyyMMdd_hyphens",
    "hour_mode": "TWENTY_FOUR_HOURS",
    "balance_alert_settings": {"emails": []},
    "file_storage_settings": {"auto_overwrite": False},
}


@cache
def time_zones() -> frozenset[str]:
    """Names of all time zones."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def check_time_zone(name: str) -> str:
    """Raises :class:`Refused` with code 7 for an unknown one."""
    if name not in time_zones():
        raise invalid("time_zone", "is no known time zone")
    return name


def normal_locale(name: str) -> str:
    """A locale as it is kept: ``en-us`` is ``en_US``."""
    language, *rest = name.replace("-", "_").split("_")
    return "_".join([language.lower(), *(part.upper() for part in rest)])


def settings_of(row: Any) -> dict[str, Any]:
    """The stored settings of a user, every one there."""
    return {**DEFAULT_SETTINGS, **row.settings}


def within(dealer_id: int, *, sub_dealers: bool) -> ColumnElement[bool]:
    """Users of a dealer, sub-dealers' too where ``sub_dealers``; masters that are not deleted."""
    own: ColumnElement[bool] = users.c.dealer_id == dealer_id
    if sub_dealers:
        children = select(dealers.c.id).where(dealers.c.parent_id == dealer_id)
        own = or_(own, users.c.dealer_id.in_(children))
    return and_(own, users.c.master_id.is_(None), ~users.c.deleted)


def rows_with_counts() -> Select[Any]:
    """Rows of ``users`` with ``trackers_count``."""
    count = (
        select(func.count())
        .select_from(trackers)
        .where(trackers.c.user_id == users.c.id, ~trackers.c.deleted)
        .correlate(users)
        .scalar_subquery()
        .label("trackers_count")
    )
    return select(users, count)


async def create(connection: AsyncConnection, person: Person, now: int, **columns: Any) -> int:
    """A new user, with the settings that its dealer gives new users; its id. Raises
    :class:`Refused`: 7 for a wrong field, 206 for a taken log-in."""
    dealer = await load_dealer(connection, columns["dealer_id"])
    settings = dict(ui_settings(dealer)["default_user_settings"])
    values = {
        "activated": True,
        "measurement_system": settings.pop("measurement_system", "metric"),
        "settings": {**settings, "mfa": mfa_default(dealer)},
        "legal_type": person.legal_type or "individual",
        **columns_of(person, {}),
        **columns,
        "login": login_of(person, needed=True),
        "created_at": now,
    }
    return await _unique_login(connection, insert(users).values(values).returning(users.c.id))


async def change(
    connection: AsyncConnection, row: Any, person: Person, **columns: Any
) -> dict[str, Any]:
    """Changes a user; the columns that it set. Raises like :func:`create`."""
    values = {**columns_of(person, row.details), **columns}
    login = login_of(person, needed=False)
    if login is not None:
        values["login"] = login
    await _unique_login(
        connection,
        update(users).where(users.c.id == row.id).values(values).returning(users.c.id),
    )
    return values


async def _unique_login(connection: AsyncConnection, statement: Any) -> int:
    try:
        return int((await connection.execute(statement)).scalar_one())
    except IntegrityError as error:
        if "login" in str(error.orig):
            raise Refused(206) from None
        raise


async def set_mfa(
    connection: AsyncConnection, condition: ColumnElement[bool], stored: dict[str, Any]
) -> None:
    """Sets log-in with a second factor for the users that ``condition`` selects."""
    rows = await connection.execute(
        select(users.c.id, users.c.settings).where(condition).order_by(users.c.id).with_for_update()
    )
    changed = [{"b_id": row.id, "b_settings": {**row.settings, "mfa": stored}} for row in rows]
    if changed:
        await connection.execute(
            update(users)
            .where(users.c.id == bindparam("b_id"))
            .values(settings=bindparam("b_settings", type_=users.c.settings.type)),
            changed,
        )


async def check_tariff(connection: AsyncConnection, dealer_id: int, tariff_id: int | None) -> None:
    """Raises :class:`Refused` with 201 for a tariff that this dealer does not have."""
    if tariff_id is not None:
        found = await connection.scalar(
            select(tariffs.c.id).where(tariffs.c.id == tariff_id, tariffs.c.dealer_id == dealer_id)
        )
        if found is None:
            raise Refused(201)


#: Columns by which the panel's list of users can be sorted.
ORDERS: Mapping[str, ColumnElement[Any]] = {
    "id": users.c.id,
    "login": users.c.login,
    "last_name": users.c.last_name,
    "balance": users.c.balance,
    "bonus": users.c.bonus,
    "phone": users.c.phone,
    "post_city": users.c.details["post_city"].as_string(),
}

_SEARCHED: tuple[ColumnElement[Any], ...] = (
    cast(users.c.id, SqlText),
    users.c.login,
    users.c.last_name,
    users.c.first_name,
    users.c.middle_name,
    users.c.phone,
    users.c.legal_name,
    *(
        users.c.details[name].as_string()
        for name in DETAILS
        if name not in ("state_reg_num", "okpo_code")
    ),
)


def matching(text: str) -> ColumnElement[bool]:
    """Users with ``text`` in one of the fields that the panel's list searches."""
    return or_(*(column.icontains(text, autoescape=True) for column in _SEARCHED))
