"""What users have ordered from their dealer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import insert, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import orders, users


class NewOrder(msgspec.Struct, kw_only=True):
    """An order of ``amount`` pieces for ``sum`` in the dealer's currency."""

    user_id: int
    amount: int
    sum: Decimal
    payer: str = ""
    recipient: str = ""
    contacts: str = ""
    place: str = ""
    comment: str = ""


async def find_order(connection: AsyncConnection, dealer_id: int, order_id: int) -> Any:
    """The row of a dealer's order. Raises :class:`Refused` 201."""
    query = select(orders).where(orders.c.id == order_id, orders.c.dealer_id == dealer_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise Refused(201)
    return row


async def create_order(connection: AsyncConnection, new: NewOrder, now: int) -> int:
    """An order of a user (no sub-user) for equipment; its id. Raises :class:`Refused` 201."""
    dealer_id = await connection.scalar(
        select(users.c.dealer_id).where(
            users.c.id == new.user_id, users.c.master_id.is_(None), not_(users.c.deleted)
        )
    )
    if dealer_id is None:
        raise Refused(201)
    made = await connection.execute(
        insert(orders)
        .values(
            **msgspec.structs.asdict(new),
            dealer_id=dealer_id,
            type="equip",
            status="created",
            created_at=now,
        )
        .returning(orders.c.id)
    )
    return int(made.scalar_one())
