"""``subpaas/create``, ``list``, ``read``, ``update``, ``password/change``, ``session/create``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from waypost.accounts import subdealers
from waypost.accounts.dealers import BlockStatus
from waypost.accounts.panel_passwords import prepare_password, store_password
from waypost.accounts.passwords import password_fault
from waypost.accounts.subdealers import Company, Order, Text
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Hashed, Identified, Listed, Value
from waypost.billing.activity import day_of, start_of
from waypost.text import END, PRINTABLE

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)]
Email = Annotated[
    str, msgspec.Meta(max_length=255, pattern=r"^[^@\s<>]{1,64}@[^@\s<>]{1,190}" + END)
]
Domain = Annotated[
    str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9:/._-]+" + END)
]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class SubdealerRow(msgspec.Struct, kw_only=True):
    """A sub-dealer in the list. Active devices are those that connected this month (UTC)."""

    subpaas_id: int
    title: str
    jur_name: str
    login: str
    creation_date: str
    block_type: BlockStatus
    users_count: int
    active_users_count: int
    trackers_count: int
    active_trackers_count: int
    contact_fio: str
    contact_post: str
    contact_phone: str


class Subdealer(msgspec.Struct, kw_only=True):
    """A sub-dealer with how to reach it."""

    subpaas_id: int
    block_type: BlockStatus
    title: str
    jur_name: str
    email: str
    jur_country: str
    link_monitoring: str
    contact_fio: str
    contact_post: str
    contact_phone: str


@panel_action("subpaas/create", permissions=["subpaas:create"], errors=[247])
async def create(
    call: PanelCall,
    password: Password,
    title: Title,
    email: Email,
    jur_name: Text,
    jur_country: Text,
    link_monitoring: Domain,
) -> Identified:
    """Makes a sub-dealer, whose log-in is its number. It can be used once the platform's operator
    lets it in."""
    fault = password_fault(password)
    if fault:
        raise invalid("password", fault)
    services = call.services
    async with services.database.read() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
    hash_ = await services.accounts.passwords.hash(password)
    company = Company(
        title=title,
        email=email,
        jur_name=jur_name,
        jur_country=jur_country,
        link_monitoring=link_monitoring,
    )
    async with services.database.begin() as connection:
        made = await subdealers.create(connection, call.account.dealer_id, company, hash_, call.now)
    return Identified(made)


@panel_action("subpaas/list", permissions=["subpaas:read"])
async def list_(
    call: PanelCall,
    order_by: Order = "subpaas_id",
    ascending: bool = True,
    limit: Count | None = None,
    offset: Count = 0,
) -> Listed[SubdealerRow]:
    """The dealer's sub-dealers, with numbers of users and devices."""
    month = start_of(day_of(call.now).replace(day=1))
    async with call.services.database.read() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
        rows = await subdealers.list_subdealers(
            connection,
            call.account.dealer_id,
            order_by=order_by,
            ascending=ascending,
            offset=offset,
            limit=limit,
            active_since=month,
        )
    return Listed(
        [
            SubdealerRow(
                subpaas_id=row.id,
                title=row.title,
                jur_name=row.legal_name,
                login=str(row.id),
                creation_date=datetime.fromtimestamp(row.created_at / 1000, UTC).date().isoformat(),
                block_type=row.block_status,
                users_count=row.users_count,
                active_users_count=row.active_users_count,
                trackers_count=row.trackers_count,
                active_trackers_count=row.active_trackers_count,
                **_contact(row.settings, "contact_fio", "contact_post", "contact_phone"),
            )
            for row in rows
        ]
    )


@panel_action("subpaas/read", permissions=["subpaas:read"], errors=[201])
async def read(call: PanelCall, subpaas_id: int) -> Value[Subdealer]:
    """One sub-dealer."""
    async with call.services.database.read() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
        row = await subdealers.find(connection, call.account.dealer_id, subpaas_id)
    return Value(
        Subdealer(
            subpaas_id=row.id,
            block_type=row.block_status,
            title=row.title,
            jur_name=row.legal_name,
            link_monitoring=row.domain or "",
            **_contact(
                row.settings,
                "email",
                "jur_country",
                "contact_fio",
                "contact_post",
                "contact_phone",
            ),
        )
    )


@panel_action("subpaas/update", permissions=["subpaas:update"], errors=[201, 247])
async def update(
    call: PanelCall,
    subpaas_id: int,
    title: Title,
    email: Email,
    jur_name: Text,
    jur_country: Text,
    link_monitoring: Domain,
    contact_fio: Text,
    contact_post: Text,
    contact_phone: Text,
    block_type: BlockStatus,
    password: Password | None = None,
) -> None:
    """Changes a sub-dealer, and its password where one is given. Whoever is shut out by
    ``block_type`` is so at once."""
    company = Company(
        title=title,
        email=email,
        jur_name=jur_name,
        jur_country=jur_country,
        link_monitoring=link_monitoring,
        contact_fio=contact_fio,
        contact_post=contact_post,
        contact_phone=contact_phone,
    )
    services = call.services
    async with services.database.read() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
        row = await subdealers.find(connection, call.account.dealer_id, subpaas_id)
        account_id = await subdealers.panel_account(connection, row.id)
    new = None
    if password is not None:
        new = await prepare_password(
            services.database, services.accounts.passwords, account_id, password, "password"
        )
    async with services.database.begin() as connection:
        row = await subdealers.lock(connection, call.account.dealer_id, subpaas_id)
        await subdealers.change(connection, row, company, block_type)
        ended = await store_password(connection, new, call.now) if new else []
    services.accounts.sessions.forget(ended)
    if row.block_status != block_type:
        services.accounts.sessions.forget_dealer(row.id)


@panel_action("subpaas/password/change", permissions=["subpaas:update"], errors=[201])
async def change_password(call: PanelCall, subpaas_id: int, new_password: Password) -> None:
    """Another password for a sub-dealer's panel; its sessions end."""
    services = call.services
    async with services.database.read() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
        row = await subdealers.find(connection, call.account.dealer_id, subpaas_id)
        account_id = await subdealers.panel_account(connection, row.id)
    new = await prepare_password(
        services.database, services.accounts.passwords, account_id, new_password, "new_password"
    )
    async with services.database.begin() as connection:
        ended = await store_password(connection, new, call.now)
    services.accounts.sessions.forget(ended)


@panel_action("subpaas/session/create", permissions=["subpaas:update"], errors=[201])
async def create_session(call: PanelCall, subpaas_id: int) -> Hashed:
    """A session in a sub-dealer's panel; 13 where that panel is shut."""
    services = call.services
    async with services.database.begin() as connection:
        await subdealers.check_may(connection, call.account.dealer_id)
        row = await subdealers.find(connection, call.account.dealer_id, subpaas_id)
        if row.block_status != "NOT_BLOCKED":
            raise ApiError(13)
        account_id = await subdealers.panel_account(connection, row.id)
        hash_ = await services.accounts.sessions.create_for_panel(connection, account_id, call.now)
    return Hashed(hash_)


def _contact(settings: dict[str, dict[str, str]], *names: str) -> dict[str, str]:
    stored = settings.get("contact", {})
    return {name: stored.get(name, "") for name in names}
