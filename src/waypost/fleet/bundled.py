"""Registering a device that the dealer sells as a bundle: with its SIM card, known by its IMEI."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.bundles import Bundle, Sim, find_bundle, set_sim
from waypost.refusal import Refused
from waypost.store.tables import sim_cards

#: What is wrong with a SIM card that a user names, whatever the dealer would be told.
_WRONG_ICCID = (208, 247, 250)


async def bundle_of(
    connection: AsyncConnection,
    dealer_id: int,
    device_id: str | None,
    iccid: str | None = None,
    *,
    needed: bool,
) -> Bundle | None:
    """The bundle that this device is. Raises :class:`Refused`: 226 for a SIM card that the dealer
    does not have, 258 where the device must be a bundle."""
    if iccid is not None:
        known = select(sim_cards.c.id).where(
            sim_cards.c.iccid == iccid.strip(), sim_cards.c.dealer_id == dealer_id
        )
        if await connection.scalar(known) is None:
            raise Refused(226)
    bundle = await find_bundle(connection, dealer_id, device_id) if device_id else None
    if bundle is None and (needed or iccid is not None):
        raise Refused(258)
    return bundle


async def sim_of(
    connection: AsyncConnection, bundle: Bundle, iccid: str | None, *, needed: bool, now: int
) -> Sim | None:
    """The SIM card that the bundle's device gets: the one in the bundle, or, where that has none
    yet, the dealer's with this ICCID, which is put into it. Raises :class:`Refused`: 226 where it
    is not there, of another bundle, blocked or deleted; 223 where its number is taken."""
    if bundle.sim is None and iccid is not None:
        try:
            await set_sim(connection, bundle.dealer_id, bundle.id, iccid, now)
        except Refused as refused:
            raise Refused(226) if refused.code in _WRONG_ICCID else refused from None
        found = await find_bundle(connection, bundle.dealer_id, bundle.imei)
        return found.sim if found is not None else None
    sim = bundle.sim
    if sim is not None and iccid is not None and sim.iccid != iccid.strip():
        raise Refused(226)
    if sim is None or sim.blocked or sim.deleted:
        if needed or iccid is not None:
            raise Refused(226)
        return None
    return sim
