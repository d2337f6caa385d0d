"""SIM cards that dealers put into the devices they sell."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import bundles, sim_cards


async def add_sim(
    connection: AsyncConnection, dealer_id: int, iccid: str, phone: str, apn: str
) -> int:
    """A SIM card of a dealer; its id. ``phone``: digits with the country's code. Raises
    :class:`Refused` 247 where there is one with this ICCID or number."""
    try:
        made = await connection.execute(
            insert(sim_cards)
            .values(dealer_id=dealer_id, iccid=iccid, phone=phone, apn=apn)
            .returning(sim_cards.c.id)
        )
    except IntegrityError:
        raise Refused(247) from None
    return int(made.scalar_one())


async def change_sim(connection: AsyncConnection, iccid: str, **flags: bool) -> None:
    """Sets ``blocked`` or ``deleted``. Raises :class:`Refused` 226."""
    changed = await connection.execute(
        update(sim_cards).where(sim_cards.c.iccid == iccid).values(**flags)
    )
    if changed.rowcount != 1:
        raise Refused(226)


async def list_sims(connection: AsyncConnection) -> list[Any]:
    """All SIM cards, with the IMEI of the bundle that each is in."""
    query = (
        select(sim_cards, bundles.c.imei)
        .outerjoin(bundles, bundles.c.sim_card_id == sim_cards.c.id)
        .order_by(sim_cards.c.id)
    )
    return list(await connection.execute(query))
