"""``dealer/get_info``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import func, not_, select

from waypost.accounts.dealers import features_of, load_dealer, service_settings
from waypost.api.action import PanelCall, panel_action
from waypost.billing.activity import day_of, start_of
from waypost.billing.tariffs import ServicePrices, wholesale_prices
from waypost.store.tables import dealers, sources

#: Shown where the dealer has no limit.
UNLIMITED = 2**31 - 1


class PlatformPlan(msgspec.Struct, kw_only=True):
    """What the dealer itself pays for the platform: it is its own, so nothing."""

    id: int
    name: str
    type: str
    currency: str
    license_price: float | None
    min_license_pay: float | None
    vat: bool
    trial: bool
    premium_gis: bool
    service_prices: ServicePrices
    #: ISO 8601.
    store_period: str


class DealerInfo(msgspec.Struct, kw_only=True):
    """A dealer. Active trackers are devices that connected this month (UTC)."""

    id: int
    seller_id: int
    parent_dealer_id: int | None
    contract_type: str
    tariff_id: int
    tariff: PlatformPlan
    demo_tariff: bool
    tracker_tariff_end_date: str | None
    store_period: str
    demo_ends: str | None
    title: str
    block_status: str
    legal_name: str
    active_amount: int
    active_amount_own: int
    active_amount_subpaas: int
    active_limit: int
    locale: str
    domain: str
    favicon: str | None
    logo: str | None
    enable_trackers: bool
    enable_cameras: bool
    paas_activation_date: str
    license_balance: float
    seller_currency: str
    features: list[str]
    default_user_time_zone: str
    information_center: dict[str, Any]


@panel_action("dealer/get_info", permissions=["base:get_dealer_info"])
async def get_info(call: PanelCall) -> DealerInfo:
    """The dealer, with what it may use and how many of its devices are active."""
    dealer_id = call.account.dealer_id
    month = start_of(day_of(call.now).replace(day=1))
    active = (
        select(dealers.c.id, func.count())
        .join(sources, sources.c.dealer_id == dealers.c.id)
        .where(
            (dealers.c.id == dealer_id) | (dealers.c.parent_id == dealer_id),
            not_(sources.c.corrupted),
            sources.c.last_connection_at >= month,
        )
        .group_by(dealers.c.id)
    )
    async with call.services.database.read() as connection:
        row = await load_dealer(connection, dealer_id)
        counts = {one[0]: one[1] for one in await connection.execute(active)}
    own = counts.pop(dealer_id, 0)
    below = sum(counts.values())
    settings = service_settings(row)
    days = call.services.settings.retention_days
    period = f"P{days}D" if days else "P100Y"
    opened = datetime.fromtimestamp(row.created_at / 1000, UTC).date().isoformat()
    return DealerInfo(
        id=row.id,
        seller_id=row.parent_id or row.id,
        parent_dealer_id=row.parent_id,
        contract_type="PAAS",
        tariff_id=0,
        tariff=PlatformPlan(
            id=0,
            name="Waypost",
            type="monthly",
            currency=settings["currency"],
            license_price=None,
            min_license_pay=None,
            vat=False,
            trial=False,
            premium_gis=False,
            service_prices=wholesale_prices(row.settings),
            store_period=period,
        ),
        demo_tariff=False,
        tracker_tariff_end_date=None,
        store_period=period,
        demo_ends=None,
        title=row.title,
        block_status=row.block_status,
        legal_name=row.legal_name,
        active_amount=own + below,
        active_amount_own=own,
        active_amount_subpaas=below,
        active_limit=UNLIMITED if row.device_limit is None else row.device_limit,
        locale=settings["locale"],
        domain=settings["domain"],
        favicon=settings["favicon"],
        logo=settings["logo"],
        enable_trackers=True,
        enable_cameras=False,
        paas_activation_date=opened,
        license_balance=0.0,
        seller_currency=settings["currency"],
        features=features_of(row),
        default_user_time_zone=settings["default_user_time_zone"],
        information_center=settings["information_center"],
    )
