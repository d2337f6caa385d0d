"""Bundles: devices that a dealer sells together with a SIM card, known by their IMEI before anybody
registers them; and the SIM cards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.equipment import all_equipment
from waypost.billing.tariffs import find as find_tariff
from waypost.catalog import models
from waypost.refusal import Refused, invalid
from waypost.store.sql import chunks, utc_text
from waypost.store.tables import bundles, orders, sim_cards, sources, trackers, users

_IMEI = re.compile(r"\d{15}", re.ASCII)
_OTHER_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Clones = Literal["not_set", "exclude_clones", "only_include_clones"]
Order = Literal[
    "id",
    "label",
    "status",
    "model",
    "device_id",
    "phone",
    "creation_date",
    "user_id",
    "comment",
    "model_code",
    "imei",
    "iccid",
    "assign_time",
    "order_id",
    "equip_id",
]


class Sim(msgspec.Struct, frozen=True, kw_only=True):
    """A SIM card. ``registered``: a registered device uses it."""

    id: int
    iccid: str
    phone: str
    apn: str
    blocked: bool
    deleted: bool
    registered: bool


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle; ``assigned_at`` (ms) is when it got its SIM card."""

    id: int
    dealer_id: int
    imei: str
    equip_id: int
    model_code: str
    factory_preset: bool
    assigned_at: int | None
    order_id: int | None
    sim: Sim | None


_COLUMNS = (
    bundles.c.id,
    bundles.c.dealer_id,
    bundles.c.imei,
    bundles.c.equip_id,
    bundles.c.model_code,
    bundles.c.factory_preset,
    bundles.c.assigned_at,
    bundles.c.order_id,
    sim_cards.c.id.label("sim_id"),
    sim_cards.c.iccid,
    sim_cards.c.phone,
    sim_cards.c.apn,
    sim_cards.c.blocked,
    sim_cards.c.deleted,
    exists(select(sources.c.id).where(sources.c.sim_card_id == sim_cards.c.id))
    .correlate(sim_cards)
    .label("registered"),
)

#: The tracker of the bundle's device, where it is registered.
_FROM = (
    bundles.outerjoin(sim_cards, sim_cards.c.id == bundles.c.sim_card_id)
    .outerjoin(
        sources,
        and_(
            sources.c.device_id == bundles.c.imei,
            sources.c.dealer_id == bundles.c.dealer_id,
            not_(sources.c.corrupted),
        ),
    )
    .outerjoin(
        trackers,
        and_(
            trackers.c.source_id == sources.c.id,
            not_(trackers.c.clone),
            not_(trackers.c.deleted),
        ),
    )
)

_ORDERS: dict[str, ColumnElement[Any]] = {
    "id": bundles.c.id,
    "label": func.lower(trackers.c.label),
    # Not registered, registered, connected: the later the further.
    "status": case(
        (sources.c.id.is_(None), -1), else_=func.coalesce(sources.c.last_connection_at, 0)
    ),
    "model": bundles.c.model_code,
    "device_id": bundles.c.imei,
    "phone": sim_cards.c.phone,
    "creation_date": bundles.c.created_at,
    "user_id": trackers.c.user_id,
    "comment": func.lower(trackers.c.comment),
    "model_code": bundles.c.model_code,
    "imei": bundles.c.imei,
    "iccid": sim_cards.c.iccid,
    "assign_time": bundles.c.assigned_at,
    "order_id": bundles.c.order_id,
    "equip_id": bundles.c.equip_id,
}
if set(_ORDERS) != set(get_args(Order)):
    raise TypeError("an order without a column, or a column of no order")

_SEARCHED = (
    cast(bundles.c.id, Text),
    bundles.c.imei,
    bundles.c.model_code,
    sim_cards.c.iccid,
    utc_text(bundles.c.assigned_at),
)


def _bundle(row: Any) -> Bundle:
    sim = None
    if row.sim_id is not None:
        sim = Sim(
            id=row.sim_id,
            iccid=row.iccid,
            phone=row.phone,
            apn=row.apn,
            blocked=row.blocked,
            deleted=row.deleted,
            registered=bool(row.registered),
        )
    return Bundle(
        id=row.id,
        dealer_id=row.dealer_id,
        imei=row.imei,
        equip_id=row.equip_id,
        model_code=row.model_code,
        factory_preset=row.factory_preset,
        assigned_at=row.assigned_at,
        order_id=row.order_id,
        sim=sim,
    )


def _query(dealer_id: int) -> Select[Any]:
    return select(*_COLUMNS).select_from(_FROM).where(bundles.c.dealer_id == dealer_id)


async def find_bundle(connection: AsyncConnection, dealer_id: int, imei: str) -> Bundle | None:
    """The dealer's bundle with this IMEI."""
    row = (await connection.execute(_query(dealer_id).where(bundles.c.imei == imei))).first()
    return None if row is None else _bundle(row)


async def of_order(connection: AsyncConnection, dealer_id: int, order_id: int) -> list[Bundle]:
    """The bundles of an order."""
    query = _query(dealer_id).where(bundles.c.order_id == order_id).order_by(bundles.c.id)
    return [_bundle(row) for row in await connection.execute(query)]


async def list_bundles(
    connection: AsyncConnection,
    dealer_id: int,
    *,
    user_id: int | None,
    tariff_id: int | None,
    clones: Clones,
    text: str | None,
    order_by: Order,
    ascending: bool,
    offset: int,
    limit: int | None,
) -> tuple[list[Bundle], int]:
    """A page of the dealer's bundles, and how many there are in all. ``user_id``, ``tariff_id``:
    only those whose registered device has this owner, this tariff (201 for one that the dealer does
    not have); ``clones``: leave out those whose device has been cloned, or all others."""
    query = _query(dealer_id)
    if user_id is not None:
        known = select(users.c.id).where(users.c.id == user_id, users.c.dealer_id == dealer_id)
        if await connection.scalar(known) is None:
            raise Refused(201)
        query = query.where(trackers.c.user_id == user_id)
    if tariff_id is not None:
        await find_tariff(connection, dealer_id, tariff_id)
        query = query.where(sources.c.tariff_id == tariff_id)
    if clones != "not_set":
        other = trackers.alias("other")
        cloned = exists(
            select(other.c.id).where(
                other.c.source_id == sources.c.id, other.c.clone, not_(other.c.deleted)
            )
        )
        query = query.where(cloned if clones == "only_include_clones" else not_(cloned))
    if text:
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in _SEARCHED)))
    count = await connection.scalar(query.with_only_columns(func.count()))
    for column in (_ORDERS[order_by], bundles.c.id):
        query = query.order_by((column.asc() if ascending else column.desc()).nulls_last())
    rows = await connection.execute(query.limit(2**62 if limit is None else limit).offset(offset))
    return [_bundle(row) for row in rows], count or 0


async def import_bundles(
    connection: AsyncConnection,
    dealer_id: int,
    imeis: Sequence[str],
    equip_id: int,
    *,
    factory_preset: bool,
    now: int,
) -> None:
    """New bundles of one equipment: all, or none. Raises :class:`Refused`: 204 for unknown
    equipment, 7 for what cannot be a device id of it, 247 with the IMEIs that there are already."""
    code = _model_code(equip_id)
    model = models.model(code)
    pattern = _IMEI if model is not None and model.id_type == "imei" else _OTHER_ID
    wanted = list(dict.fromkeys(imei.strip() for imei in imeis))
    for place, imei in enumerate(wanted):
        if pattern.fullmatch(imei) is None:
            raise invalid(f"imeis[{place}]", "is no device id of this equipment")
    there: set[str] = set()
    for some in chunks(wanted):
        query = select(bundles.c.imei).where(bundles.c.imei.in_(some))
        there.update(await connection.scalars(query))
    if there:
        raise Refused(247, list=[imei for imei in wanted if imei in there])
    rows = [
        {
            "dealer_id": dealer_id,
            "imei": imei,
            "equip_id": equip_id,
            "model_code": code,
            "factory_preset": factory_preset,
            "created_at": now,
        }
        for imei in wanted
    ]
    try:
        await connection.execute(insert(bundles), rows)
    except IntegrityError:
        raise Refused(247) from None


async def set_equipment(
    connection: AsyncConnection, dealer_id: int, bundle_id: int, equip_id: int
) -> None:
    """Another equipment for a bundle. Raises :class:`Refused`: 201 bundle, 204 equipment."""
    await _lock(connection, dealer_id, bundle_id)
    code = _model_code(equip_id)
    await connection.execute(
        update(bundles).where(bundles.c.id == bundle_id).values(equip_id=equip_id, model_code=code)
    )


async def set_order(
    connection: AsyncConnection, dealer_id: int, bundle_id: int, order_id: int | None
) -> None:
    """Puts a bundle into an order, or (None) out of it. Raises :class:`Refused` 201 for a bundle or
    an order that the dealer does not have."""
    await _lock(connection, dealer_id, bundle_id)
    if order_id is not None:
        query = select(orders.c.id).where(orders.c.id == order_id, orders.c.dealer_id == dealer_id)
        if await connection.scalar(query) is None:
            raise Refused(201)
    await connection.execute(
        update(bundles).where(bundles.c.id == bundle_id).values(order_id=order_id)
    )


async def set_sim(
    connection: AsyncConnection, dealer_id: int, bundle_id: int, iccid: str | None, now: int
) -> set[int]:
    """Puts a SIM card into a bundle, or (None) takes it off; the sources whose phone changed by
    it. Raises :class:`Refused`: 201 for the bundle; for the SIM card 226 unknown, 250 deleted, 208
    blocked, 247 in another bundle already, 223 its number is another device's."""
    bundle = await _lock(connection, dealer_id, bundle_id)
    if iccid is None:
        if bundle.sim_card_id is None:
            return set()
        touched = await _take_off(connection, bundle.sim_card_id)
        await _put(connection, bundle_id, None, None)
        return touched
    sim = (
        await connection.execute(
            select(sim_cards)
            .where(sim_cards.c.iccid == iccid.strip(), sim_cards.c.dealer_id == dealer_id)
            .with_for_update()
        )
    ).first()
    if sim is None:
        raise Refused(226)
    if sim.deleted:
        raise Refused(250)
    if sim.blocked:
        raise Refused(208)
    holder = await connection.scalar(
        select(bundles.c.id).where(bundles.c.sim_card_id == sim.id, bundles.c.id != bundle_id)
    )
    if holder is not None:
        raise Refused(247)
    user = (
        await connection.execute(
            select(sources.c.id, sources.c.device_id).where(sources.c.phone == sim.phone)
        )
    ).first()
    if user is not None and user.device_id != bundle.imei:
        raise Refused(223)
    if bundle.sim_card_id == sim.id:
        return set()
    touched = set()
    if bundle.sim_card_id is not None:
        touched = await _take_off(connection, bundle.sim_card_id)
    await _put(connection, bundle_id, sim.id, now)
    # A registered device that has no number of its own has this one now.
    changed = await connection.scalars(
        update(sources)
        .where(
            sources.c.device_id == bundle.imei,
            or_(sources.c.phone.is_(None), sources.c.phone == sim.phone),
        )
        .values(phone=sim.phone, sim_card_id=sim.id)
        .returning(sources.c.id)
    )
    return touched | set(changed)


async def _put(
    connection: AsyncConnection, bundle_id: int, sim_id: int | None, now: int | None
) -> None:
    try:
        await connection.execute(
            update(bundles)
            .where(bundles.c.id == bundle_id)
            .values(sim_card_id=sim_id, assigned_at=now)
        )
    except IntegrityError:
        raise Refused(247) from None


async def _take_off(connection: AsyncConnection, sim_id: int) -> set[int]:
    """The SIM card leaves the device that uses it."""
    changed = await connection.scalars(
        update(sources)
        .where(sources.c.sim_card_id == sim_id)
        .values(phone=None, sim_card_id=None)
        .returning(sources.c.id)
    )
    return set(changed)


async def _lock(connection: AsyncConnection, dealer_id: int, bundle_id: int) -> Any:
    """The row of a bundle, locked. Raises :class:`Refused` 201."""
    row = (
        await connection.execute(
            select(bundles)
            .where(bundles.c.id == bundle_id, bundles.c.dealer_id == dealer_id)
            .with_for_update()
        )
    ).first()
    if row is None:
        raise Refused(201)
    return row


def _model_code(equip_id: int) -> str:
    equipment = all_equipment().get(equip_id)
    if equipment is None:
        raise Refused(204)
    return equipment.model_code
