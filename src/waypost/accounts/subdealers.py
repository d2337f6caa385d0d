"""Sub-dealers: dealers that a dealer has made, with a panel and users of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import (
    BlockStatus,
    change_dealer,
    features_of,
    load_dealer,
    lock_dealer,
    open_dealer,
)
from waypost.catalog.rights import PANEL_PERMISSIONS
from waypost.refusal import Refused
from waypost.store.tables import dealers, panel_accounts, sources, users
from waypost.text import PRINTABLE

Text = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Order = Literal["subpaas_id", "title", "jur_name", "login", "block_type", "creation_date"]

#: Columns that the list is sorted by. A sub-dealer's log-in is its number.
_ORDERS: dict[str, ColumnElement[Any]] = {
    "subpaas_id": dealers.c.id,
    "title": func.lower(dealers.c.title),
    "jur_name": func.lower(dealers.c.legal_name),
    "login": dealers.c.id,
    "block_type": dealers.c.block_status,
    "creation_date": dealers.c.created_at,
}

#: What a sub-dealer's panel may do: all but having sub-dealers itself.
PERMISSIONS = {
    name: [one for one in able if one != "global"]
    for name, able in PANEL_PERMISSIONS.items()
    if name != "subpaas"
}


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A sub-dealer as its dealer describes it."""

    title: str
    email: str
    jur_name: str
    jur_country: str
    #: Its domain.
    link_monitoring: str
    contact_fio: str = ""
    contact_post: str = ""
    contact_phone: str = ""

    def columns(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What it sets in ``dealers``; ``settings`` are those stored already."""
        contact = {
            name: getattr(self, name)
            for name in ("email", "jur_country", "contact_fio", "contact_post", "contact_phone")
        }
        return {
            "title": self.title,
            "legal_name": self.jur_name,
            "domain": normal_domain(self.link_monitoring),
            "settings": {**settings, "contact": contact},
        }


def normal_domain(domain: str) -> str | None:
    """A domain as it is kept: without scheme and path, lower case; None for an empty one."""
    bare = domain.strip().lower().partition("://")
    return (bare[2] or bare[0]).partition("/")[0] or None


async def check_may(connection: AsyncConnection, dealer_id: int) -> None:
    """Raises :class:`Refused` 13 for a dealer that cannot have sub-dealers."""
    row = await load_dealer(connection, dealer_id)
    if row.block_status != "NOT_BLOCKED" or "subpaas" not in features_of(row):
        raise Refused(13)


async def create(
    connection: AsyncConnection, dealer_id: int, company: Company, password_hash: str, now: int
) -> int:
    """A sub-dealer, which the platform's operator has yet to let in; its number. Raises
    :class:`Refused` 247 for a domain that another dealer has."""
    made, _ = await open_dealer(
        connection,
        password_hash=password_hash,
        permissions=PERMISSIONS,
        now=now,
        parent_id=dealer_id,
        block_status="INITIAL_BLOCK",
        **company.columns({}),
    )
    return made


async def find(connection: AsyncConnection, dealer_id: int, subdealer_id: int) -> Any:
    """The row of a dealer's sub-dealer. Raises :class:`Refused` 201."""
    query = select(dealers).where(dealers.c.id == subdealer_id, dealers.c.parent_id == dealer_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise Refused(201)
    return row


async def lock(connection: AsyncConnection, dealer_id: int, subdealer_id: int) -> Any:
    """The same, and nobody else can change it before the end of the transaction."""
    await find(connection, dealer_id, subdealer_id)
    return await lock_dealer(connection, subdealer_id)


async def change(
    connection: AsyncConnection, row: Any, company: Company, block_status: BlockStatus
) -> None:
    """Changes a sub-dealer. Raises :class:`Refused`: 13 for lifting or setting the block that a new
    one has until the operator lets it in, 247 for a domain that another dealer has."""
    if (row.block_status == "INITIAL_BLOCK") != (block_status == "INITIAL_BLOCK"):
        raise Refused(13)
    columns = company.columns(row.settings)
    await change_dealer(connection, row.id, **columns, block_status=block_status)


async def panel_account(connection: AsyncConnection, subdealer_id: int) -> int:
    """The sub-dealer's own panel account."""
    query = select(panel_accounts.c.id).where(
        panel_accounts.c.dealer_id == subdealer_id, panel_accounts.c.login == str(subdealer_id)
    )
    return int((await connection.execute(query)).scalar_one())


async def list_subdealers(
    connection: AsyncConnection,
    dealer_id: int,
    *,
    order_by: Order,
    ascending: bool,
    offset: int,
    limit: int | None,
    active_since: int,
) -> list[Any]:
    """Rows of ``dealers`` with ``users_count``, ``active_users_count``, ``trackers_count`` and
    ``active_trackers_count`` (devices that connected since ``active_since``, ms)."""
    query: Select[Any] = select(
        dealers,
        _count_users().label("users_count"),
        _count_users(users.c.activated).label("active_users_count"),
        count_devices(dealers.c.id).label("trackers_count"),
        count_devices(dealers.c.id, sources.c.last_connection_at >= active_since).label(
            "active_trackers_count"
        ),
    ).where(dealers.c.parent_id == dealer_id)
    for column in (_ORDERS[order_by], dealers.c.id):
        query = query.order_by(column if ascending else column.desc())
    page = query.limit(2**62 if limit is None else limit).offset(offset)
    return list(await connection.execute(page))


def count_devices(dealer_id: Any, *conditions: ColumnElement[bool]) -> Any:
    """A subquery: how many devices (none that was given up) a dealer has."""
    return (
        select(func.count())
        .select_from(sources)
        .where(sources.c.dealer_id == dealer_id, not_(sources.c.corrupted), *conditions)
        .correlate(dealers)
        .scalar_subquery()
    )


def _count_users(*conditions: ColumnElement[bool]) -> Any:
    own = and_(
        users.c.dealer_id == dealers.c.id,
        users.c.master_id.is_(None),
        not_(users.c.deleted),
        *conditions,
    )
    return select(func.count()).select_from(users).where(own).correlate(dealers).scalar_subquery()
