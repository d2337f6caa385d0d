"""Tariffs: what a dealer sells, to whom, and on which terms a new device starts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Text, cast, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.charging import Plan, TariffType
from waypost.refusal import Refused, invalid
from waypost.store.tables import dealers, sources, tariffs, trackers
from waypost.text import END, PRINTABLE

DeviceType = Literal["tracker", "camera", "socket"]

#: Days in the units of a storage period, rounded up so that nothing goes too early.
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 31.0, "y": 366.0}
_PERIOD = re.compile(r"([1-9]\d{0,4})([hdwmy])")

#: ``doc_type``: whom a tariff is for, by legal type. What is not here is for everybody.
_FOR = {1: {"individual"}, 2: {"legal_entity", "sole_trader"}}

SERVICES = ("incoming_sms", "outgoing_sms", "service_sms", "phone_call", "traffic")

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
Price = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class MapFilter(msgspec.Struct):
    """Maps of a tariff's users: all but ``values`` (``exclusion``), or only these."""

    exclusion: bool = True
    values: Annotated[list[str], msgspec.Meta(max_length=1000)] = []


class ServicePrices(msgspec.Struct):
    """Prices of one SMS, call, megabyte."""

    incoming_sms: Price = 0.0
    outgoing_sms: Price = 0.0
    service_sms: Price = 0.0
    phone_call: Price = 0.0
    traffic: Price = 0.0


class TariffFields(msgspec.Struct, kw_only=True):
    """A tariff as the panel sends it. What is left out takes its default in a new tariff, and stays
    as it is in one that is changed."""

    id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | Unset | None = UNSET
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)] | Unset = (
        UNSET
    )
    group_id: Count | Unset = UNSET
    active: bool | Unset = UNSET
    type: TariffType | Unset = UNSET
    price: Price | Unset = UNSET
    early_change_price: Price | Unset | None = UNSET
    device_limit: Count | Unset = UNSET
    has_reports: bool | Unset = UNSET
    store_period: str | Unset = UNSET
    device_type: DeviceType | Unset = UNSET
    proportional_charge: bool | Unset = UNSET
    service_prices: ServicePrices | Unset | None = UNSET
    #: 0 everybody, 1 individuals, 2 legal entities and sole traders, 3 paas.
    doc_type: Annotated[int, msgspec.Meta(ge=0, le=3)] | Unset = UNSET
    features: (
        Annotated[
            list[Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,64}" + END)]],
            msgspec.Meta(max_length=200),
        ]
        | Unset
        | None
    ) = UNSET
    map_filter: MapFilter | Unset | None = UNSET


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff as it is stored."""

    id: int
    dealer_id: int
    name: str
    group_id: int
    #: Users may change to it themselves.
    active: bool
    type: TariffType
    price: Decimal
    early_change_price: Decimal | None
    #: Most devices of one account.
    device_limit: int
    has_reports: bool
    store_period: str
    device_type: DeviceType
    proportional_charge: bool
    service_prices: dict[str, float]
    doc_type: int
    features: list[str]
    map_filter: dict[str, Any]

    @property
    def plan(self) -> Plan:
        return Plan(self.type, self.price, self.proportional_charge)

    @property
    def retention_days(self) -> int:
        return period_days(self.store_period)

    def is_for(self, legal_type: str) -> bool:
        """May users of this legal type have it?"""
        return legal_type in _FOR.get(self.doc_type, {legal_type})


#: Columns by which the panel's list can be sorted.
ORDERS = {name: tariffs.c[name] for name in ("id", "name", "device_type", "group_id", "price")}

_SEARCHED = (
    cast(tariffs.c.id, Text),
    tariffs.c.name,
    cast(tariffs.c.price, Text),
    tariffs.c.device_type,
)


def period_days(period: str) -> int:
    """Days in a storage period like ``2h``, ``3d``, ``5m`` (months), ``1y``. Raises ValueError."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ValueError(f"{period!r} is not a period like 2h, 3d, 5m or 1y")
    return max(1, math.ceil(int(found[1]) * _DAYS[found[2]]))


def wholesale_prices(settings: dict[str, Any]) -> ServicePrices:
    """What a dealer pays for services: nothing, unless its settings say otherwise."""
    return msgspec.convert(settings.get("service_prices", {}), ServicePrices)


def tariff_of(row: Any) -> Tariff:
    """A row of ``tariffs``."""
    values = {field: getattr(row, field) for field in Tariff.__struct_fields__}
    values["price"] = Decimal(values["price"])
    values["service_prices"] = {name: float(row.service_prices.get(name, 0.0)) for name in SERVICES}
    values["map_filter"] = {"exclusion": True, "values": [], **row.map_filter}
    return Tariff(**values)


async def find(
    connection: AsyncConnection, dealer_id: int, tariff_id: int | None, missing: int = 201
) -> Tariff:
    """A tariff of this dealer. Raises :class:`Refused` with ``missing``."""
    row = None
    if tariff_id is not None:
        query = select(tariffs).where(tariffs.c.id == tariff_id, tariffs.c.dealer_id == dealer_id)
        row = (await connection.execute(query)).first()
    if row is None:
        raise Refused(missing)
    return tariff_of(row)


async def of_dealer(connection: AsyncConnection, dealer_id: int, device_type: str) -> list[Tariff]:
    """All tariffs of a dealer for one type of device."""
    query = (
        select(tariffs)
        .where(tariffs.c.dealer_id == dealer_id, tariffs.c.device_type == device_type)
        .order_by(tariffs.c.id)
    )
    return [tariff_of(row) for row in await connection.execute(query)]


async def list_page(
    connection: AsyncConnection,
    dealer_id: int,
    *,
    device_type: str | None,
    text: str | None,
    order_by: str,
    ascending: bool,
    offset: int,
    limit: int | None,
) -> tuple[list[Tariff], int]:
    """A page of a dealer's tariffs, sorted by one of :data:`ORDERS`, and how many there are in
    all."""
    query = select(tariffs).where(tariffs.c.dealer_id == dealer_id)
    if device_type is not None:
        query = query.where(tariffs.c.device_type == device_type)
    if text:
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in _SEARCHED)))
    count = await connection.scalar(query.with_only_columns(func.count()))
    for column in (ORDERS[order_by], tariffs.c.id):
        query = query.order_by(column if ascending else column.desc())
    rows = await connection.execute(query.limit(2**62 if limit is None else limit).offset(offset))
    return [tariff_of(row) for row in rows], count or 0


async def create(connection: AsyncConnection, dealer_id: int, fields: TariffFields) -> int:
    """A new tariff; its id. Raises :class:`Refused`: 7 for what is missing or wrong, 214 for a type
    that the type of device cannot have, 244 for a name that the dealer has already."""
    for name in ("name", "price"):
        if getattr(fields, name) is UNSET:
            raise invalid(f"tariff.{name}", "is required")
    values = _columns(fields)
    device_type = values.setdefault("device_type", "tracker")
    _check_type(device_type, values.setdefault("type", "monthly"))
    await _check_name(connection, dealer_id, values["name"], None)
    made = await connection.execute(
        insert(tariffs).values(dealer_id=dealer_id, **values).returning(tariffs.c.id)
    )
    return int(made.scalar_one())


async def change(connection: AsyncConnection, dealer_id: int, fields: TariffFields) -> set[int]:
    """Changes the tariff ``fields.id``, but for the type of device; the sources whose points are
    kept for another time now. Raises like :func:`create`, and 201."""
    if not isinstance(fields.id, int):
        raise invalid("tariff.id", "is required")
    await _lock(connection, dealer_id)
    tariff = await find(connection, dealer_id, fields.id)
    values = _columns(fields)
    values.pop("device_type", None)
    _check_type(tariff.device_type, values.get("type", tariff.type))
    if "name" in values:
        await _check_name(connection, dealer_id, values["name"], tariff.id)
    if values:
        await connection.execute(update(tariffs).where(tariffs.c.id == tariff.id).values(values))
    if values.get("type", tariff.type) != tariff.type:
        # Nothing is owed from the former type of fee.
        await connection.execute(
            update(sources)
            .where(sources.c.tariff_id == tariff.id, sources.c.tariff_ended)
            .values(last_charged_date=sources.c.tariff_end_date)
        )
    period = values.get("store_period", tariff.store_period)
    if period_days(period) == tariff.retention_days:
        return set()
    changed = await connection.scalars(
        update(sources)
        .where(sources.c.tariff_id == tariff.id)
        .values(retention_days=period_days(period))
        .returning(sources.c.id)
    )
    return set(changed)


def _columns(fields: TariffFields) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: value
        for name in TariffFields.__struct_fields__
        if name != "id" and (value := getattr(fields, name)) is not UNSET
    }
    for name, empty in (
        ("service_prices", ServicePrices),
        ("map_filter", MapFilter),
        ("features", list),
    ):
        if name in values:
            values[name] = msgspec.to_builtins(empty() if values[name] is None else values[name])
    for name in ("price", "early_change_price"):
        if values.get(name) is not None:
            values[name] = Decimal(str(values[name]))
    if "store_period" in values:
        try:
            period_days(values["store_period"])
        except ValueError:
            raise invalid(
                "tariff.store_period", "must be a number and h, d, w, m or y, like 5m"
            ) from None
    return values


def _check_type(device_type: str, kind: str) -> None:
    if kind == "activeday" and device_type != "tracker":
        raise Refused(214)


async def _lock(connection: AsyncConnection, dealer_id: int) -> None:
    """Changes of one dealer's tariffs take turns, so that no two get the same name."""
    await connection.execute(
        select(dealers.c.id).where(dealers.c.id == dealer_id).with_for_update(key_share=True)
    )


async def _check_name(
    connection: AsyncConnection, dealer_id: int, name: str, but: int | None
) -> None:
    await _lock(connection, dealer_id)
    same = select(tariffs.c.id).where(tariffs.c.dealer_id == dealer_id, tariffs.c.name == name)
    if but is not None:
        same = same.where(tariffs.c.id != but)
    if await connection.scalar(same.limit(1)) is not None:
        raise Refused(244)


async def allowed_maps(
    connection: AsyncConnection, account_id: int, maps: Sequence[str]
) -> list[str]:
    """Those of a dealer's ``maps`` that at least one tariff of an account's trackers allows; all
    where it has no trackers."""
    used = (
        select(sources.c.tariff_id)
        .join(trackers, trackers.c.source_id == sources.c.id)
        .where(trackers.c.user_id == account_id, not_(trackers.c.deleted))
    )
    filters = list(
        await connection.scalars(select(tariffs.c.map_filter).where(tariffs.c.id.in_(used)))
    )
    if not filters:
        return list(maps)
    return [
        one
        for one in maps
        if any((one in of.get("values", ())) != of.get("exclusion", True) for of in filters)
    ]
