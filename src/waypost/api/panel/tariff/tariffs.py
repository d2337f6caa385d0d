"""``tariff/create``, ``list``, ``read``, ``update``."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from sqlalchemy import select

from waypost.api.action import PanelCall, panel_action
from waypost.api.reply import Identified, Value
from waypost.billing import tariffs
from waypost.billing.charging import TariffType
from waypost.billing.tariffs import (
    DeviceType,
    MapFilter,
    ServicePrices,
    Tariff,
    TariffFields,
    wholesale_prices,
)
from waypost.store.tables import dealers
from waypost.text import PRINTABLE

Filter = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Order = Literal["id", "name", "device_type", "group_id", "price"]


class PanelTariff(msgspec.Struct, kw_only=True):
    """A tariff as its dealer sees it; ``doc_type``: 0 everybody, 1 individuals, 2 legal entities
    and sole traders, 3 paas."""

    id: int
    name: str
    group_id: int
    active: bool
    type: TariffType
    price: float
    early_change_price: float | None
    device_limit: int
    has_reports: bool
    store_period: str
    device_type: DeviceType
    proportional_charge: bool
    service_prices: ServicePrices
    doc_type: int
    features: list[str]
    map_filter: MapFilter


class TariffList(msgspec.Struct):
    """A page of tariffs; ``wholesale_service_prices`` are what the dealer itself pays."""

    items: list[PanelTariff] = msgspec.field(name="list")
    wholesale_service_prices: ServicePrices
    count: int


@panel_action("tariff/create", permissions=["tariffs:create"], errors=[214, 244])
async def create(call: PanelCall, tariff: TariffFields) -> Identified:
    """Makes a tariff; name and price are needed."""
    async with call.services.database.begin() as connection:
        made = await tariffs.create(connection, call.account.dealer_id, tariff)
    return Identified(made)


@panel_action("tariff/update", permissions=["tariffs:update"], errors=[201, 214, 244])
async def update(call: PanelCall, tariff: TariffFields) -> None:
    """Changes the tariff ``tariff.id``, but for its type of device. Points of its trackers are kept
    for the new period from now on."""
    async with call.services.fleet.write() as write:
        write.changes.sources |= await tariffs.change(
            write.connection, call.account.dealer_id, tariff
        )


@panel_action("tariff/read", permissions=["tariffs:read"], errors=[201])
async def read(call: PanelCall, tariff_id: int) -> Value[PanelTariff]:
    """One tariff."""
    async with call.services.database.read() as connection:
        return Value(_shown(await tariffs.find(connection, call.account.dealer_id, tariff_id)))


@panel_action("tariff/list", permissions=["tariffs:read"])
async def list_(
    call: PanelCall,
    device_type: DeviceType | None = None,
    filter: Filter | None = None,
    order_by: Order = "id",
    ascending: bool = True,
    offset: Count = 0,
    limit: Count | None = None,
) -> TariffList:
    """The dealer's tariffs; ``filter`` is looked for in id, name, price and device type."""
    async with call.services.database.read() as connection:
        rows, count = await tariffs.list_page(
            connection,
            call.account.dealer_id,
            device_type=device_type,
            text=filter,
            order_by=order_by,
            ascending=ascending,
            offset=offset,
            limit=limit,
        )
        settings = await connection.scalar(
            select(dealers.c.settings).where(dealers.c.id == call.account.dealer_id)
        )
    return TariffList([_shown(row) for row in rows], wholesale_prices(settings or {}), count)


def _shown(tariff: Tariff) -> PanelTariff:
    return PanelTariff(
        id=tariff.id,
        name=tariff.name,
        group_id=tariff.group_id,
        active=tariff.active,
        type=tariff.type,
        price=float(tariff.price),
        early_change_price=_money(tariff),
        device_limit=tariff.device_limit,
        has_reports=tariff.has_reports,
        store_period=tariff.store_period,
        device_type=tariff.device_type,
        proportional_charge=tariff.proportional_charge,
        service_prices=msgspec.convert(tariff.service_prices, ServicePrices),
        doc_type=tariff.doc_type,
        features=tariff.features,
        map_filter=msgspec.convert(tariff.map_filter, MapFilter),
    )


def _money(tariff: Tariff) -> float | None:
    return None if tariff.early_change_price is None else float(tariff.early_change_price)
