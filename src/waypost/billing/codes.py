"""Activation codes: a dealer makes and sells them; each gives one device its tariff, free days and
its owner money."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Select, Text, cast, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing import ledger
from waypost.billing.charging import ZERO
from waypost.billing.tariffs import Tariff, find, tariff_of
from waypost.refusal import Refused
from waypost.store.sql import chunks
from waypost.store.tables import activation_codes, tariffs

DIGITS = 10
#: Codes in one statement.
CHUNK = 1000

Amount = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Order = Literal[
    "code",
    "activated",
    "tariff_id",
    "tariff_name",
    "device_type",
    "money_amount",
    "bonus_amount",
    "free_days",
]

_COLUMNS: dict[str, Any] = {
    "code": activation_codes.c.code,
    "activated": activation_codes.c.activated_at.is_not(None),
    "tariff_id": activation_codes.c.tariff_id,
    "tariff_name": tariffs.c.name,
    "device_type": tariffs.c.device_type,
    "money_amount": activation_codes.c.money_amount,
    "bonus_amount": activation_codes.c.bonus_amount,
    "free_days": activation_codes.c.free_days,
}
_SEARCHED = (
    activation_codes.c.code,
    cast(activation_codes.c.tariff_id, Text),
    cast(activation_codes.c.tracker_id, Text),
    tariffs.c.device_type,
)


class Gives(msgspec.Struct, frozen=True):
    """What a code gives; None: as it is."""

    tariff_id: int
    bonus_amount: int
    free_days: int
    money_amount: int | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code that nobody has used yet."""

    code: str
    tariff: Tariff
    free_days: int
    bonus_amount: int
    money_amount: int


async def find_code(
    connection: AsyncConnection, dealer_id: int, code: str, device_type: str = "tracker"
) -> Code:
    """An unused code of this dealer, locked. Raises :class:`Refused` 227 for one that is unknown,
    used, or for another type of device."""
    query = (
        select(
            tariffs,
            activation_codes.c.code,
            activation_codes.c.free_days,
            activation_codes.c.bonus_amount,
            activation_codes.c.money_amount,
        )
        .join(tariffs, tariffs.c.id == activation_codes.c.tariff_id)
        .where(
            activation_codes.c.code == code.strip(),
            activation_codes.c.dealer_id == dealer_id,
            activation_codes.c.activated_at.is_(None),
            tariffs.c.device_type == device_type,
        )
        .with_for_update(of=activation_codes)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise Refused(227)
    return Code(
        code=row.code,
        tariff=tariff_of(row),
        free_days=row.free_days,
        bonus_amount=row.bonus_amount,
        money_amount=row.money_amount,
    )


async def has_codes(connection: AsyncConnection, dealer_id: int) -> bool:
    """Has this dealer ever made codes?"""
    query = select(activation_codes.c.code).where(activation_codes.c.dealer_id == dealer_id)
    return await connection.scalar(query.limit(1)) is not None


async def use_code(
    connection: AsyncConnection, code: Code, tracker_id: int, user_id: int, now: int
) -> None:
    """The code has registered this tracker: nobody can use it again, its money goes to the user.
    Raises :class:`Refused` 227 where it was used already."""
    used = await connection.execute(
        update(activation_codes)
        .where(activation_codes.c.code == code.code, activation_codes.c.activated_at.is_(None))
        .values(activated_at=now, tracker_id=tracker_id)
    )
    if used.rowcount != 1:
        raise Refused(227)
    if code.bonus_amount or code.money_amount:
        purse = await ledger.open_purse(connection, user_id)
        if code.bonus_amount:
            purse.post(ZERO, Decimal(code.bonus_amount), ledger.CODE_BONUS, tracker_id, now)
        if code.money_amount:
            purse.post(Decimal(code.money_amount), ZERO, ledger.CODE_MONEY, tracker_id, now)
        await ledger.settle(connection, [purse])


async def create_codes(
    connection: AsyncConnection, dealer_id: int, count: int, gives: Gives, now: int
) -> int:
    """Makes ``count`` new codes. Raises :class:`Refused` 201 for a tariff that the dealer does not
    have."""
    await find(connection, dealer_id, gives.tariff_id)
    for start in range(0, count, CHUNK):
        codes = await _new_codes(connection, min(CHUNK, count - start))
        await connection.execute(
            insert(activation_codes),
            [
                {
                    "code": code,
                    "dealer_id": dealer_id,
                    "tariff_id": gives.tariff_id,
                    "bonus_amount": gives.bonus_amount,
                    "money_amount": gives.money_amount or 0,
                    "free_days": gives.free_days,
                    "created_at": now,
                }
                for code in codes
            ],
        )
    return count


async def _new_codes(connection: AsyncConnection, count: int) -> list[str]:
    """Codes that nobody can guess and that there are not yet."""
    codes: set[str] = set()
    while len(codes) < count:
        made = {
            "".join(secrets.choice("0123456789") for _ in range(DIGITS))
            for _ in range(count - len(codes))
        }
        there = select(activation_codes.c.code).where(activation_codes.c.code.in_(made))
        codes |= made - set(await connection.scalars(there))
    return sorted(codes)


async def update_codes(
    connection: AsyncConnection, dealer_id: int, codes: Sequence[str], gives: Gives
) -> int:
    """Changes those of ``codes`` that are this dealer's, unused, and for the type of device of the
    tariff; how many. Raises :class:`Refused` 201 for a tariff that the dealer does not have."""
    tariff = await find(connection, dealer_id, gives.tariff_id)
    same_type = select(tariffs.c.id).where(
        tariffs.c.dealer_id == dealer_id, tariffs.c.device_type == tariff.device_type
    )
    values = {
        "tariff_id": gives.tariff_id,
        "bonus_amount": gives.bonus_amount,
        "free_days": gives.free_days,
    }
    if gives.money_amount is not None:
        values["money_amount"] = gives.money_amount
    changed = 0
    wanted = sorted(set(codes))
    for some in chunks(wanted):
        done = await connection.execute(
            update(activation_codes)
            .where(
                activation_codes.c.code.in_(some),
                activation_codes.c.dealer_id == dealer_id,
                activation_codes.c.activated_at.is_(None),
                activation_codes.c.tariff_id.in_(same_type),
            )
            .values(values)
        )
        changed += done.rowcount
    return changed


async def list_codes(
    connection: AsyncConnection,
    dealer_id: int,
    *,
    text: str | None,
    order_by: Order,
    ascending: bool,
    offset: int,
    limit: int | None,
) -> tuple[list[Any], int]:
    """A page of the dealer's codes, with ``tariff_name`` and ``device_type``, and how many there
    are in all."""
    query: Select[Any] = (
        select(
            activation_codes,
            tariffs.c.name.label("tariff_name"),
            tariffs.c.device_type,
        )
        .join(tariffs, tariffs.c.id == activation_codes.c.tariff_id)
        .where(activation_codes.c.dealer_id == dealer_id)
    )
    if text:
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in _SEARCHED)))
    counted = select(func.count()).select_from(query.subquery())
    column = _COLUMNS[order_by]
    page = query.order_by(
        column if ascending else column.desc(),
        activation_codes.c.code if ascending else activation_codes.c.code.desc(),
    )
    rows = await connection.execute(page.limit(2**62 if limit is None else limit).offset(offset))
    return list(rows), await connection.scalar(counted) or 0
