"""``user/create``, ``user/read``, ``user/list``, ``user/update`` of the panel."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import func, select

from waypost.accounts import users as accounts
from waypost.accounts.passwords import password_fault
from waypost.accounts.person import (
    NO_DISCOUNT,
    Discount,
    PanelPerson,
    details_of,
)
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError, invalid
from waypost.api.panel.user.mfa import MfaSettings, mfa_of
from waypost.api.reply import Counted, Identified
from waypost.store.tables import dealers, users
from waypost.text import LOCALE, PRINTABLE

Comment = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
OrderBy = Literal["id", "login", "last_name", "balance", "bonus", "phone", "post_city"]


class PanelUser(msgspec.Struct, kw_only=True):
    """A user as its dealer sees it; times are UTC."""

    id: int
    dealer_id: int
    activated: bool
    verified: bool
    login: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str
    legal_type: str
    phone: str
    post_country: str
    post_index: str
    post_region: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_index: str
    registered_region: str
    registered_city: str
    registered_street_address: str
    state_reg_num: str
    tin: str
    okpo_code: str
    iec: str
    balance: float
    bonus: float
    creation_date: str
    trackers_count: int
    comment: str
    #: The discount once more, as the panel's own pages spell it.
    discount: float
    discount_min_trackers: int
    discount_end_date: str | None
    discount_strategy: str


class ShownDiscount(msgspec.Struct):
    value: float
    min_trackers: int
    end_date: date | None
    strategy: str


class ReadUser(msgspec.Struct):
    value: PanelUser
    discount: ShownDiscount
    dealer_mfa_settings: MfaSettings
    default_tariff_id: int | None


@panel_action("user/create", permissions=["users:create"], errors=[12, 201, 206])
async def create(
    call: PanelCall,
    user: PanelPerson,
    time_zone: str,
    locale: Annotated[str, msgspec.Meta(pattern=LOCALE)],
    password: str,
    discount: Discount,
    default_tariff_id: int | None = None,
    comment: Comment | None = None,
) -> Identified:
    """Makes a user. A user of a sub-dealer (``user.dealer_id``) needs users:global too."""
    accounts.check_time_zone(time_zone)
    fault = password_fault(password)
    if fault:
        raise invalid("password", fault)
    hash_ = await call.services.accounts.passwords.hash(password)
    async with call.services.database.begin() as connection:
        dealer_id = call.account.dealer_id
        if user.dealer_id and user.dealer_id != dealer_id:
            if not call.account.may("users:global"):
                raise ApiError(13)
            child = await connection.scalar(
                select(dealers.c.id).where(
                    dealers.c.id == user.dealer_id, dealers.c.parent_id == dealer_id
                )
            )
            if child is None:
                raise ApiError(12)
            dealer_id = child
        await accounts.check_tariff(connection, dealer_id, default_tariff_id)
        user_id = await accounts.create(
            connection,
            user,
            call.now,
            dealer_id=dealer_id,
            password_hash=hash_,
            time_zone=time_zone,
            locale=accounts.normal_locale(locale),
            discount=_merged(discount, user),
            default_tariff_id=default_tariff_id,
            comment=comment or "",
        )
    return Identified(user_id)


@panel_action("user/read", permissions=["users:read"], errors=[201])
async def read(call: PanelCall, user_id: int) -> ReadUser:
    """A user, with discount and default tariff."""
    async with call.services.database.read() as connection:
        row: Any = (
            await connection.execute(
                accounts.rows_with_counts().where(
                    users.c.id == user_id,
                    accounts.within(
                        call.account.dealer_id, sub_dealers=call.account.may("users:global")
                    ),
                )
            )
        ).first()
    if row is None:
        raise ApiError(201)
    return ReadUser(
        value=_shown(call, row),
        discount=ShownDiscount(**_discount(row)),
        dealer_mfa_settings=mfa_of(row.settings),
        default_tariff_id=row.default_tariff_id,
    )


@panel_action("user/list", permissions=["users:read"])
async def list_(
    call: PanelCall,
    filter: Annotated[str, msgspec.Meta(max_length=255)] | None = None,
    order_by: OrderBy = "id",
    ascending: bool = True,
    limit: Amount | None = None,
    offset: Amount = 0,
    hide_inactive: bool = False,
) -> Counted[PanelUser]:
    """The dealer's users; ``count`` is how many there are without ``offset`` and ``limit``."""
    condition = accounts.within(call.account.dealer_id, sub_dealers=False)
    if filter is not None and filter.strip():
        condition &= accounts.matching(filter.strip())
    if hide_inactive:
        condition &= users.c.activated
    column = accounts.ORDERS[order_by]
    async with call.services.database.read() as connection:
        count = await connection.scalar(select(func.count()).select_from(users).where(condition))
        rows = await connection.execute(
            accounts.rows_with_counts()
            .where(condition)
            .order_by(column if ascending else column.desc(), users.c.id)
            .limit(limit)
            .offset(offset)
        )
        return Counted([_shown(call, row) for row in rows], count or 0)


@panel_action("user/update", permissions=["users:update"], errors=[201, 206])
async def change(
    call: PanelCall,
    user: PanelPerson,
    discount: Discount,
    default_tariff_id: int | None = None,
    comment: Comment | None = None,
) -> None:
    """Changes the user ``user.id``. The legal type stays as it is."""
    if not user.id:
        raise invalid("user.id", "is required")
    async with call.services.database.begin() as connection:
        row = (
            await connection.execute(
                select(users)
                .where(
                    users.c.id == user.id,
                    accounts.within(call.account.dealer_id, sub_dealers=False),
                )
                .with_for_update()
            )
        ).first()
        if row is None:
            raise ApiError(201)
        await accounts.check_tariff(connection, row.dealer_id, default_tariff_id)
        columns: dict[str, Any] = {
            "discount": _merged(discount, user),
            "default_tariff_id": default_tariff_id,
        }
        if comment is not None:
            columns["comment"] = comment
        await accounts.change(connection, row, user, **columns)
    call.services.accounts.sessions.forget_user(row.id)


def _merged(discount: Discount, user: PanelPerson) -> dict[str, Any]:
    """The discount to keep. The object counts; where it states no value, the user's fields do."""
    if discount.value is None and isinstance(user.discount, float):
        discount = Discount(
            user.discount,
            user.discount_min_trackers or None,
            user.discount_end_date or None,
            user.discount_strategy or None,
        )
    return discount.stored()


def _discount(row: Any) -> dict[str, Any]:
    return {**NO_DISCOUNT, **row.discount}


def _shown(call: PanelCall, row: Any) -> PanelUser:
    discount = _discount(row)
    return PanelUser(
        id=row.id,
        dealer_id=row.dealer_id,
        activated=row.activated,
        verified=row.verified,
        login=row.login,
        first_name=row.first_name,
        middle_name=row.middle_name,
        last_name=row.last_name,
        legal_name=row.legal_name,
        legal_type=row.legal_type,
        phone=row.phone,
        **details_of(row),
        balance=float(row.balance),
        bonus=float(row.bonus),
        creation_date=call.time(row.created_at),
        trackers_count=row.trackers_count,
        comment=row.comment,
        discount=discount["value"],
        discount_min_trackers=discount["min_trackers"],
        discount_end_date=discount["end_date"],
        discount_strategy=discount["strategy"],
    )
