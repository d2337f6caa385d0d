"""``tariff/defaults/read`` and ``update``: what new devices start with."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from waypost.api.action import PanelCall, panel_action
from waypost.billing.start import Defaults, defaults_of, set_defaults
from waypost.store.tables import dealers


class DefaultsByType(msgspec.Struct):
    tracker: Defaults
    camera: Defaults


@panel_action("tariff/defaults/read", permissions=["tariffs:read"])
async def read(call: PanelCall) -> DefaultsByType:
    """Tariff, bonus and free days of new trackers and cameras."""
    async with call.services.database.read() as connection:
        query = select(dealers.c.settings).where(dealers.c.id == call.account.dealer_id)
        settings = (await connection.execute(query)).scalar_one()
    return DefaultsByType(defaults_of(settings, "tracker"), defaults_of(settings, "camera"))


@panel_action("tariff/defaults/update", permissions=["tariffs:update"], errors=[237, 239])
async def update(
    call: PanelCall, tracker: Defaults | None = None, camera: Defaults | None = None
) -> None:
    """Changes them; what is left out stays."""
    given = {"tracker": tracker, "camera": camera}
    async with call.services.database.begin() as connection:
        await set_defaults(
            connection,
            call.account.dealer_id,
            {name: value for name, value in given.items() if value is not None},
        )
