"""Vehicles: what an account knows of the thing that a tracker is in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement, delete, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog.vehicles import vehicle_types
from waypost.fleet.locking import lock_sources
from waypost.fleet.service import Write
from waypost.fleet.tags import known_tags
from waypost.refusal import Refused, invalid
from waypost.store.tables import sources, trackers, vehicle_tags, vehicles
from waypost.text import PRINTABLE

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Size = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)]
Word = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Text = Annotated[str, msgspec.Meta(max_length=5000)]


class VehicleFields(msgspec.Struct, kw_only=True):
    """A vehicle as a client sends it. Weights in kg, sizes in mm, volumes in litres, consumption in
    litres per 100 km."""

    id: Int | None = None
    tracker_id: Int | None = None
    label: Label
    max_speed: Count | None = None
    model: Word | None = None
    type: Literal["truck", "car", "bus", "special"]
    subtype: str | None = None
    garage_id: Int | None = None
    trailer: Word | None = None
    manufacture_year: Annotated[int, msgspec.Meta(ge=1800, le=3000)] | None = None
    color: Word | None = None
    additional_info: Text | None = None
    reg_number: Word | None = None
    vin: Word | None = None
    chassis_number: Word | None = None
    frame_number: Word | None = None
    payload_weight: Count | None = None
    payload_height: Size | None = None
    payload_length: Size | None = None
    payload_width: Size | None = None
    passengers: Count | None = None
    gross_weight: Count | None = None
    fuel_type: Literal["petrol", "diesel", "gas"] | None = None
    fuel_grade: Word | None = None
    norm_avg_fuel_consumption: Size | None = None
    fuel_tank_volume: Count | None = None
    fuel_cost: Size | None = None
    wheel_arrangement: Word | None = None
    tyre_size: Word | None = None
    tyres_number: Count | None = None
    liability_insurance_policy_number: Word | None = None
    liability_insurance_valid_till: date | None = None
    free_insurance_policy_number: Word | None = None
    free_insurance_valid_till: date | None = None
    icon_color: Word | None = None
    tags: Annotated[list[Int], msgspec.Meta(max_length=100)] = []


#: Fields that have columns or tables of their own.
_OWN = ("id", "tracker_id", "label", "reg_number", "vin", "tags")
_DETAILS = tuple(name for name in VehicleFields.__struct_fields__ if name not in _OWN)

SORTS = (
    "id",
    "label",
    "reg_number",
    "model",
    "type",
    "garage_organization_name",
    "vin",
    "tracker_label",
    "fuel_type",
    "fuel_grade",
    "norm_avg_fuel_consumption",
    "fuel_tank_volume",
    "payload_weight",
    "chassis_number",
    "subtype",
    "wheel_arrangement",
    "tyres_number",
    "tyres_size",
    "max_speed",
    "passengers",
)
"""What a list of vehicles is sorted by."""


def check(fields: VehicleFields) -> None:
    """Raises :class:`Refused`: 7 for a subtype that the type does not have; 204 for a garage: no
    account has one."""
    if fields.subtype and fields.subtype not in vehicle_types()[fields.type]:
        raise invalid("vehicle.subtype", "is none of this type")
    if fields.garage_id is not None:
        raise Refused(204)


async def create_vehicle(write: Write, user_id: int, fields: VehicleFields, *, force: bool) -> int:
    """A vehicle of an account; its id. Raises :class:`Refused`: 201 tracker, 217 tags that the
    account does not have; 247 for a tracker that is in another vehicle, unless ``force`` takes it
    from there."""
    connection = write.connection
    await _take_tracker(connection, user_id, fields.tracker_id, None, force=force)
    await _need_tags(connection, user_id, fields.tags)
    try:
        made = await connection.execute(
            insert(vehicles).values(user_id=user_id, **_columns(fields)).returning(vehicles.c.id)
        )
    except IntegrityError:
        raise Refused(247) from None
    vehicle_id = int(made.scalar_one())
    await _set_tags(connection, vehicle_id, fields.tags)
    return vehicle_id


async def update_vehicle(
    write: Write, user_id: int, vehicle_id: int, fields: VehicleFields, *, force: bool
) -> None:
    """Raises :class:`Refused`: 201 vehicle or tracker; 217; 247."""
    connection = write.connection
    query = select(vehicles.c.id).where(vehicles.c.id == vehicle_id, vehicles.c.user_id == user_id)
    if await connection.scalar(query) is None:
        raise Refused(201)
    await _take_tracker(connection, user_id, fields.tracker_id, vehicle_id, force=force)
    await _need_tags(connection, user_id, fields.tags)
    if await connection.scalar(query.with_for_update()) is None:
        raise Refused(201)
    try:
        await connection.execute(
            update(vehicles).where(vehicles.c.id == vehicle_id).values(_columns(fields))
        )
    except IntegrityError:
        raise Refused(247) from None
    await _set_tags(connection, vehicle_id, fields.tags)


async def delete_vehicles(write: Write, user_id: int, vehicle_ids: Iterable[int]) -> int:
    """Deletes those that the account has; how many they were."""
    query = select(vehicles.c.id).where(
        vehicles.c.user_id == user_id, vehicles.c.id.in_(list(vehicle_ids))
    )
    some = list(await write.connection.scalars(query.order_by(vehicles.c.id).with_for_update()))
    if some:
        await write.connection.execute(
            delete(vehicle_tags).where(vehicle_tags.c.vehicle_id.in_(some))
        )
        await write.connection.execute(delete(vehicles).where(vehicles.c.id.in_(some)))
    return len(some)


async def list_vehicles(
    connection: AsyncConnection,
    user_id: int,
    *,
    text: str | None = None,
    sort: Sequence[tuple[str, bool]] = (),
    offset: int = 0,
    limit: int | None = None,
    only: int | None = None,
    tagged: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """The vehicles of an account as the API shows them. ``text`` is looked for in VIN, registration
    number and label; ``sort``: fields and whether ascending; ``only``: this one; ``tagged``: those
    that have all these tags."""
    query = (
        select(vehicles, trackers.c.label.label("tracker_label"))
        .outerjoin(trackers, trackers.c.id == vehicles.c.tracker_id)
        .where(vehicles.c.user_id == user_id)
        .order_by(vehicles.c.id)
    )
    if only is not None:
        query = query.where(vehicles.c.id == only)
    for tag_id in tagged:
        having = select(vehicle_tags.c.vehicle_id).where(vehicle_tags.c.tag_id == tag_id)
        query = query.where(vehicles.c.id.in_(having))
    if text:
        searched: tuple[ColumnElement[str], ...] = (
            vehicles.c.vin,
            vehicles.c.reg_number,
            vehicles.c.label,
        )
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in searched)))
    rows = (await connection.execute(query)).all()
    tags: dict[int, list[int]] = {}
    bound = (
        select(vehicle_tags.c.vehicle_id, vehicle_tags.c.tag_id)
        .join(vehicles, vehicles.c.id == vehicle_tags.c.vehicle_id)
        .where(vehicles.c.user_id == user_id)
        .order_by(vehicle_tags.c.tag_id)
    )
    for vehicle_id, tag_id in await connection.execute(bound):
        tags.setdefault(vehicle_id, []).append(tag_id)
    found = [_shown(row, tags.get(row.id, [])) for row in rows]
    for name, ascending in reversed(sort):
        found.sort(key=lambda one: _sort_key(one.get(name)), reverse=not ascending)
    return found[offset : None if limit is None else offset + limit]


def _sort_key(value: Any) -> tuple[bool, float, str]:
    """What is not there comes before anything; texts without regard to case."""
    if isinstance(value, str):
        return True, 0.0, value.casefold()
    return value is not None, float(value or 0), ""


def _shown(row: Any, tags: list[int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": row.id, "tracker_id": row.tracker_id}
    if row.tracker_label is not None:
        shown["tracker_label"] = row.tracker_label
    shown["label"] = row.label
    details: dict[str, Any] = row.details
    for name in VehicleFields.__struct_fields__:
        if name in ("reg_number", "vin"):
            shown[name] = getattr(row, name)
        elif name not in _OWN:
            shown[name] = details.get(name)
    shown["icon_id"] = None
    shown["avatar_file_name"] = None
    shown["tags"] = tags
    return shown


def _columns(fields: VehicleFields) -> dict[str, Any]:
    details = msgspec.to_builtins(fields)
    return {
        "tracker_id": fields.tracker_id,
        "label": fields.label,
        "reg_number": fields.reg_number or "",
        "vin": fields.vin or "",
        "details": {name: details[name] for name in _DETAILS},
    }


async def _take_tracker(
    connection: AsyncConnection,
    user_id: int,
    tracker_id: int | None,
    vehicle_id: int | None,
    *,
    force: bool,
) -> None:
    """The tracker is free for this vehicle."""
    if tracker_id is None:
        return
    query = (
        select(trackers.c.source_id)
        .join(sources, sources.c.id == trackers.c.source_id)
        .where(
            trackers.c.id == tracker_id,
            trackers.c.user_id == user_id,
            not_(trackers.c.deleted),
            not_(sources.c.corrupted),
        )
    )
    source_id = await connection.scalar(query)
    if source_id is not None:
        await lock_sources(connection, (source_id,))
    if source_id is None or await connection.scalar(query) is None:
        raise Refused(201)
    holder = await connection.scalar(
        select(vehicles.c.id).where(vehicles.c.tracker_id == tracker_id)
    )
    if holder is None or holder == vehicle_id:
        return
    if not force:
        raise Refused(247)
    await connection.execute(
        update(vehicles).where(vehicles.c.id == holder).values(tracker_id=None)
    )


async def _need_tags(connection: AsyncConnection, user_id: int, tag_ids: Sequence[int]) -> None:
    if tag_ids and await known_tags(connection, user_id, tag_ids) != set(tag_ids):
        raise Refused(217)


async def _set_tags(connection: AsyncConnection, vehicle_id: int, tag_ids: Sequence[int]) -> None:
    await connection.execute(delete(vehicle_tags).where(vehicle_tags.c.vehicle_id == vehicle_id))
    rows = [{"vehicle_id": vehicle_id, "tag_id": one} for one in dict.fromkeys(tag_ids)]
    if rows:
        await connection.execute(insert(vehicle_tags), rows)
