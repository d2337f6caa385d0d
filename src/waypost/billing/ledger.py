"""Users' money: two balances, and a transaction for everything that changes them.

Money of the bonus balance is spent first. Amounts are signed: negative ones leave the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.charging import SMALL, ZERO
from waypost.refusal import Refused
from waypost.store.tables import transactions, users


class Kind(msgspec.Struct, frozen=True):
    """What a transaction is for, as clients see it."""

    type: str
    subtype: str
    description: str


PARTNER = ("payment", "partner")
ACTIVATION_BONUS = Kind("bonus_charge", "register", "Bonus for a registered device")
CODE_BONUS = Kind("bonus_charge", "activation_code", "Bonus of an activation code")
CODE_MONEY = Kind("payment", "activation_code", "Money of an activation code")
REPAYMENT = Kind("tariff_change", "repay", "Days left of the former tariff")
EARLY_CHANGE = Kind("tariff_change", "early_change", "Change of tariff within 30 days")


def fee_kind(tariff_type: str, tariff_name: str) -> Kind:
    return Kind("tariff_charge", tariff_type, f"Fee of tariff {tariff_name}")


class Purse:
    """The money of one user, locked for this transaction. Changes are written by
    :func:`settle`."""

    def __init__(self, user_id: int, dealer_id: int, balance: Decimal, bonus: Decimal) -> None:
        self.user_id = user_id
        self.dealer_id = dealer_id
        self.balance = balance
        self.bonus = bonus
        self.rows: list[dict[str, Any]] = []

    @property
    def funds(self) -> Decimal:
        return self.balance + self.bonus

    def spend(self, amount: Decimal, kind: Kind, tracker_id: int | None, now: int) -> bool:
        """Takes ``amount`` (not negative) if there is enough; False: there is not."""
        if amount > self.funds:
            return False
        if amount > ZERO:
            bonus = min(self.bonus, amount)
            self.post(bonus - amount, -bonus, kind, tracker_id, now)
        return True

    def post(
        self, amount: Decimal, bonus: Decimal, kind: Kind, tracker_id: int | None, now: int
    ) -> None:
        """Changes the balances by these (signed) amounts."""
        amount, bonus = money(amount), money(bonus)
        old_balance, old_bonus = self.balance, self.bonus
        self.balance += amount
        self.bonus += bonus
        self.rows.append(
            {
                "user_id": self.user_id,
                "dealer_id": self.dealer_id,
                "tracker_id": tracker_id,
                "at": now,
                "type": kind.type,
                "subtype": kind.subtype,
                "description": kind.description,
                "amount": amount,
                "old_balance": old_balance,
                "new_balance": self.balance,
                "bonus_amount": bonus,
                "old_bonus": old_bonus,
                "new_bonus": self.bonus,
            }
        )


def money(amount: Decimal | float) -> Decimal:
    """An amount as it is kept: four places."""
    return Decimal(amount).quantize(SMALL, ROUND_HALF_UP)


async def open_purses(connection: AsyncConnection, user_ids: Sequence[int]) -> dict[int, Purse]:
    """The purses of these users by id, locked in the order of ids until the end of the
    transaction."""
    query = (
        select(users.c.id, users.c.dealer_id, users.c.balance, users.c.bonus)
        .where(users.c.id.in_(user_ids))
        .order_by(users.c.id)
        .with_for_update(key_share=True)
    )
    return {
        row.id: Purse(row.id, row.dealer_id, money(row.balance), money(row.bonus))
        for row in await connection.execute(query)
    }


async def open_purse(connection: AsyncConnection, user_id: int) -> Purse:
    """The purse of one user. Raises :class:`Refused` 201."""
    purses = await open_purses(connection, [user_id])
    if user_id not in purses:
        raise Refused(201)
    return purses[user_id]


async def settle(connection: AsyncConnection, purses: Iterable[Purse]) -> None:
    """Writes what was posted to these purses."""
    changed = [purse for purse in purses if purse.rows]
    if not changed:
        return
    await connection.execute(
        update(users)
        .where(users.c.id == bindparam("b_id"))
        .values(balance=bindparam("b_balance"), bonus=bindparam("b_bonus")),
        [
            {"b_id": purse.user_id, "b_balance": purse.balance, "b_bonus": purse.bonus}
            for purse in changed
        ],
    )
    await connection.execute(insert(transactions), [row for purse in changed for row in purse.rows])
    for purse in changed:
        purse.rows = []


async def list_transactions(
    connection: AsyncConnection, user_id: int, since: int, until: int, limit: int | None
) -> list[Any]:
    """Rows of ``transactions`` from ``since`` to ``until`` (ms, both included), newest first."""
    query = (
        select(transactions)
        .where(
            transactions.c.user_id == user_id,
            transactions.c.at >= since,
            transactions.c.at <= until,
        )
        .order_by(transactions.c.at.desc(), transactions.c.id.desc())
        .limit(limit)
    )
    return list(await connection.execute(query))
