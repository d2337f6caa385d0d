"""On which terms a device starts: the tariff, free days and bonus that its dealer's defaults, or an
activation code, give it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from sqlalchemy import func, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing import charging, ledger
from waypost.billing.codes import Code, use_code
from waypost.billing.tariffs import Tariff, find, tariff_of
from waypost.refusal import Refused
from waypost.store.sql import chunks
from waypost.store.tables import dealers, sources, tariffs, trackers

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class Defaults(msgspec.Struct, kw_only=True):
    """What a dealer gives new devices of one type. ``activation_bonus`` is money for the bonus
    balance; ``free_days_device_limit``: most devices of one account with free days (null: all)."""

    tariff_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    activation_bonus: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    free_days: Annotated[int, msgspec.Meta(ge=0, le=36500)] = 0
    free_days_device_limit: Count | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of an account's next devices."""

    #: None: the dealer has none.
    tariff: Tariff | None
    free_days: int = 0
    #: How many further devices get the free days; None: all.
    free_places: int | None = None
    bonus: Decimal = charging.ZERO
    #: The activation code that these terms come from.
    code: Code | None = None

    def columns(self, place: int, today: date) -> dict[str, Any]:
        """What the ``place``-th (from 0) of the devices registered now has in ``sources``."""
        if self.tariff is None:
            return {"tariff_id": None}
        free = self.free_days
        if self.free_places is not None and place >= self.free_places:
            free = 0
        standing = charging.start(self.tariff.plan, today, free)
        return {
            "tariff_id": self.tariff.id,
            "tariff_end_date": standing.end_date,
            "last_charged_date": standing.charged,
            "free_days": standing.free_days,
        }


def defaults_of(settings: dict[str, Any], device_type: str) -> Defaults:
    """The defaults in a dealer's ``settings``."""
    stored = settings.get("tariff_defaults", {}).get(device_type, {})
    return msgspec.convert(stored, Defaults)


async def default_terms(
    connection: AsyncConnection, user: Any, dealer_settings: dict[str, Any]
) -> Terms:
    """The terms of a user's row (``id``, ``dealer_id``, ``default_tariff_id``): its own default
    tariff, the dealer's, or the dealer's first active one."""
    defaults = defaults_of(dealer_settings, "tracker")
    tariff = await _first_of(
        connection, user.dealer_id, [user.default_tariff_id, defaults.tariff_id]
    )
    places = None
    if defaults.free_days and defaults.free_days_device_limit is not None:
        # Devices that were given up count too, else one could register anew for ever.
        had = await connection.scalar(
            select(func.count())
            .select_from(trackers.join(sources, sources.c.id == trackers.c.source_id))
            .where(trackers.c.user_id == user.id, not_(trackers.c.clone), sources.c.free_days > 0)
        )
        places = max(0, defaults.free_days_device_limit - (had or 0))
    return Terms(
        tariff=tariff,
        free_days=defaults.free_days,
        free_places=places,
        bonus=ledger.money(Decimal(str(defaults.activation_bonus))),
    )


def terms_of_code(code: Code) -> Terms:
    return Terms(tariff=code.tariff, free_days=code.free_days, code=code)


async def _first_of(
    connection: AsyncConnection, dealer_id: int, wanted: Sequence[int | None]
) -> Tariff | None:
    query = select(tariffs).where(
        tariffs.c.dealer_id == dealer_id, tariffs.c.device_type == "tracker"
    )
    rows = {
        row.id: row
        for row in await connection.execute(
            query.where(tariffs.c.id.in_([one for one in wanted if one is not None]))
        )
    }
    for one in wanted:
        if one in rows:
            return tariff_of(rows[one])
    row = (
        await connection.execute(query.where(tariffs.c.active).order_by(tariffs.c.id).limit(1))
    ).first()
    return None if row is None else tariff_of(row)


async def welcome(
    connection: AsyncConnection,
    user_id: int,
    terms: Terms,
    tracker_ids: Sequence[int],
    now: int,
) -> None:
    """Gives an account what its newly registered devices bring, and uses up the activation code.
    Raises :class:`Refused` 227 where somebody else has used it meanwhile."""
    if terms.code is not None:
        await use_code(connection, terms.code, tracker_ids[0], user_id, now)
        return
    if terms.bonus <= charging.ZERO or not tracker_ids:
        return
    known = await _known_before(connection, tracker_ids)
    purse = await ledger.open_purse(connection, user_id)
    for tracker_id in tracker_ids:
        if tracker_id not in known:
            purse.post(charging.ZERO, terms.bonus, ledger.ACTIVATION_BONUS, tracker_id, now)
    await ledger.settle(connection, [purse])


async def _known_before(connection: AsyncConnection, tracker_ids: Sequence[int]) -> set[int]:
    """Trackers whose device was registered once already: no bonus for it a second time."""
    former = sources.alias("former")
    found: set[int] = set()
    for some in chunks(tracker_ids):
        query = (
            select(trackers.c.id)
            .join(sources, sources.c.id == trackers.c.source_id)
            .join(former, former.c.former_device_id == sources.c.device_id)
            .where(trackers.c.id.in_(some))
        )
        found.update(await connection.scalars(query))
    return found


async def set_defaults(
    connection: AsyncConnection, dealer_id: int, given: dict[str, Defaults]
) -> None:
    """Stores a dealer's defaults by type of device. Raises :class:`Refused`: 239 for a tariff that
    the dealer does not have, 237 for one of another type of device."""
    query = select(dealers.c.settings).where(dealers.c.id == dealer_id)
    settings = dict((await connection.execute(query.with_for_update())).scalar_one())
    stored = dict(settings.get("tariff_defaults", {}))
    for device_type, defaults in given.items():
        if defaults.tariff_id:
            tariff = await find(connection, dealer_id, defaults.tariff_id, missing=239)
            if tariff.device_type != device_type:
                raise Refused(237)
        stored[device_type] = msgspec.to_builtins(defaults)
    settings["tariff_defaults"] = stored
    await connection.execute(
        update(dealers).where(dealers.c.id == dealer_id).values(settings=settings)
    )
