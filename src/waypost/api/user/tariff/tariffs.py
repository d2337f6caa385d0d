"""``tariff/list``, ``tariff/tracker/list``, ``tariff/tracker/change``."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from waypost.api.action import Own, UserCall, user_action
from waypost.api.reply import Listed
from waypost.billing import tariff_change
from waypost.billing.charging import TariffType
from waypost.billing.tariffs import DeviceType, MapFilter, Tariff, of_dealer
from waypost.fleet.rows import TrackerRow
from waypost.store.tables import users


class UserTariff(msgspec.Struct, kw_only=True):
    """A tariff as users see it. ``price`` is per month, or per active day of type ``activeday``;
    ``early_change_price`` is what changing away from it costs within 30 days of the last change
    (null: that is not possible)."""

    id: int
    name: str
    group_id: int
    active: bool
    type: TariffType
    price: float
    early_change_price: float | None
    device_limit: int
    has_reports: bool
    #: No device is left out where the dealer's devices are counted.
    paas_free: bool
    store_period: str
    device_type: DeviceType
    features: list[str]
    map_filter: MapFilter


class Choices(msgspec.Struct):
    """What a tracker can be changed to, and in how many days that is free; 0: now."""

    items: list[UserTariff] = msgspec.field(name="list")
    days_to_next_change: int


@user_action("tariff/list")
async def list_(call: UserCall, device_type: DeviceType = "tracker") -> Listed[UserTariff]:
    """The dealer's tariffs for the account's legal type."""
    async with call.services.database.read() as connection:
        query = select(users.c.legal_type).where(users.c.id == call.user.account_id)
        legal_type = (await connection.execute(query)).scalar_one()
        rows = await of_dealer(connection, call.user.dealer_id, device_type)
    return Listed([_shown(row) for row in rows if row.is_for(legal_type)])


@user_action("tariff/tracker/list", tracker=Own(clone=False), errors=[237])
async def tracker_list(call: UserCall, tracker: TrackerRow) -> Choices:
    """The tariffs that a tracker can be changed to, even where it is too early for that."""
    async with call.services.database.read() as connection:
        rows, days = await tariff_change.choices(
            connection, call.user.dealer_id, tracker.user_id, tracker.id, call.now
        )
    return Choices([_shown(row) for row in rows], days)


@user_action(
    "tariff/tracker/change",
    right="admin",
    tracker=Own(clone=False),
    errors=[221, 237, 238, 239, 240, 251],
)
async def tracker_change(call: UserCall, tracker: TrackerRow, tariff_id: int) -> None:
    """Another tariff for a tracker: active, of the same group, and for the account's legal type.
    Within 30 days of the last change it costs the present tariff's ``early_change_price``."""
    async with call.services.fleet.write() as write:
        write.changes.sources |= await tariff_change.change_by_user(
            write.connection,
            call.user.dealer_id,
            tracker.user_id,
            tracker.id,
            tariff_id,
            call.now,
        )


def _shown(tariff: Tariff) -> UserTariff:
    early = tariff.early_change_price
    return UserTariff(
        id=tariff.id,
        name=tariff.name,
        group_id=tariff.group_id,
        active=tariff.active,
        type=tariff.type,
        price=float(tariff.price),
        early_change_price=None if early is None else float(early),
        device_limit=tariff.device_limit,
        has_reports=tariff.has_reports,
        paas_free=False,
        store_period=tariff.store_period,
        device_type=tariff.device_type,
        features=tariff.features,
        map_filter=msgspec.convert(tariff.map_filter, MapFilter),
    )
