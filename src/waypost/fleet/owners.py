"""Whose devices they are: what registering asks of an account and its dealer."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from sqlalchemy import func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import dealers, sources, tariffs, users

#: Days in the units of a storage period, rounded up so that nothing goes too early.
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 31.0, "y": 366.0}

#: ``tariffs.doc_type``: whom a tariff is for, by legal type. What is not here is for everybody.
_FOR = {1: {"individual"}, 2: {"legal_entity", "sole_trader"}}


class Owner(msgspec.Struct, frozen=True):
    """An account that registers devices."""

    user_id: int
    dealer_id: int
    legal_type: str
    #: Devices that the dealer may still register; None: no limit.
    free_places: int | None
    #: Plugin 37 asks for an activation code.
    needs_code: bool
    tariff_id: int | None
    #: Whom the tariff is for (``tariffs.doc_type``).
    tariff_for: int
    #: Days that points are kept; None: as the server's settings say.
    retention_days: int | None

    def check_tariff(self) -> None:
        """Raises :class:`Refused` 225 where the tariff is not for this legal type."""
        if self.legal_type not in _FOR.get(self.tariff_for, {self.legal_type}):
            raise Refused(225)


def period_days(period: str) -> int:
    """Days in a storage period like ``2h``, ``3d``, ``5m`` (months), ``1y``. Raises ValueError."""
    number, unit = period[:-1], period[-1:]
    if not number.isdigit() or unit not in _DAYS:
        raise ValueError(f"{period!r} is not a period like 2h, 3d, 5m or 1y")
    return max(1, math.ceil(int(number) * _DAYS[unit]))


async def load_owner(connection: AsyncConnection, user_id: int) -> Owner:
    """The account as it is in this transaction. Registrations of one dealer take turns, so that its
    limit holds. Raises :class:`Refused` 201 for an account that is not there."""
    user = (
        await connection.execute(
            select(
                users.c.dealer_id,
                users.c.legal_type,
                users.c.default_tariff_id,
            ).where(users.c.id == user_id, not_(users.c.deleted), users.c.master_id.is_(None))
        )
    ).one_or_none()
    if user is None:
        raise Refused(201)
    dealer = (
        await connection.execute(
            select(dealers.c.device_limit, dealers.c.settings)
            .where(dealers.c.id == user.dealer_id)
            .with_for_update(key_share=True)
        )
    ).one()
    free: int | None = None
    if dealer.device_limit is not None:
        had = await connection.scalar(
            select(func.count())
            .select_from(sources)
            .where(sources.c.dealer_id == user.dealer_id, not_(sources.c.corrupted))
        )
        free = dealer.device_limit - (had or 0)
    wanted = user.default_tariff_id or dealer.settings.get("default_tariff_id")
    tariff = await _tariff(connection, user.dealer_id, wanted)
    return Owner(
        user_id=user_id,
        dealer_id=user.dealer_id,
        legal_type=user.legal_type,
        free_places=free,
        needs_code=bool(dealer.settings.get("activation_code_required")),
        tariff_id=tariff.id if tariff else None,
        tariff_for=tariff.doc_type if tariff else 0,
        retention_days=period_days(tariff.store_period) if tariff else None,
    )


async def _tariff(connection: AsyncConnection, dealer_id: int, wanted: int | None) -> Any:
    """The row of the tariff of new devices: the wanted one, or the dealer's first that is active;
    None where there is neither."""
    query = (
        select(tariffs.c.id, tariffs.c.doc_type, tariffs.c.store_period)
        .where(tariffs.c.dealer_id == dealer_id, tariffs.c.device_type == "tracker")
        .order_by(tariffs.c.id)
        .limit(1)
    )
    if wanted is not None:
        found = (await connection.execute(query.where(tariffs.c.id == wanted))).one_or_none()
        if found is not None:
            return found
    return (await connection.execute(query.where(tariffs.c.active))).one_or_none()
