"""``vehicle/*``: what trackers are in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.reply import Identified, Listed, Value
from waypost.api.wire import Upload
from waypost.fleet import vehicle_batch, vehicles
from waypost.fleet.vehicles import VehicleFields

Count = Annotated[int, msgspec.Meta(ge=0)]
Sorts = Annotated[list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=2)]
Ids = Annotated[list[int], msgspec.Meta(max_length=1000)]
Filter = Annotated[str, msgspec.Meta(max_length=100)]
Object = dict[str, Any]


@user_action("vehicle/list")
async def list_(
    call: UserCall,
    limit: Count | None = None,
    offset: Count = 0,
    sort: Sorts | None = None,
    filter: Filter | None = None,
) -> Listed[Object]:
    """The account's vehicles, or those with ``filter`` in VIN, registration number or label;
    ``sort`` like ``["type=desc", "label=asc"]``."""
    async with call.services.database.read() as connection:
        return Listed(
            await vehicles.list_vehicles(
                connection,
                call.user.account_id,
                text=filter,
                sort=[_sort(option) for option in sort or ()],
                offset=offset,
                limit=limit,
            )
        )


def _sort(option: str) -> tuple[str, bool]:
    """A field and whether ascending. Raises :class:`ApiError` 7."""
    name, _, direction = option.partition("=")
    if name not in vehicles.SORTS or direction not in ("asc", "desc", ""):
        raise invalid("sort", "must be a field and asc or desc, like label=asc")
    return "tyre_size" if name == "tyres_size" else name, direction != "desc"


@user_action("vehicle/read", errors=[201])
async def read(call: UserCall, vehicle_id: int) -> Value[Object]:
    """One vehicle."""
    async with call.services.database.read() as connection:
        found = await vehicles.list_vehicles(connection, call.user.account_id, only=vehicle_id)
    if not found:
        raise ApiError(201)
    return Value(found[0])


async def _check(call: UserCall, vehicle: VehicleFields) -> None:
    """Raises :class:`ApiError` for what no vehicle can be, and 201 for a tracker that the caller
    does not see."""
    vehicles.check(vehicle)
    if vehicle.tracker_id is not None:
        garage = await call.services.fleet.trackers.of_user(call.user)
        if vehicle.tracker_id not in garage.by_id:
            raise ApiError(201)


@user_action("vehicle/create", right="vehicle_update", errors=[201, 204, 217, 247])
async def create(call: UserCall, vehicle: VehicleFields, force_reassign: bool = True) -> Identified:
    """Makes a vehicle. A tracker that is in another one is taken from there, unless
    ``force_reassign`` is false."""
    await _check(call, vehicle)
    async with call.services.fleet.write() as write:
        made = await vehicles.create_vehicle(
            write, call.user.account_id, vehicle, force=force_reassign
        )
    return Identified(made)


@user_action("vehicle/update", right="vehicle_update", errors=[201, 204, 217, 247])
async def update(call: UserCall, vehicle: VehicleFields, force_reassign: bool = True) -> None:
    """Changes the vehicle ``vehicle.id``."""
    if vehicle.id is None:
        raise invalid("vehicle.id", "is required")
    await _check(call, vehicle)
    async with call.services.fleet.write() as write:
        await vehicles.update_vehicle(
            write, call.user.account_id, vehicle.id, vehicle, force=force_reassign
        )


@user_action("vehicle/delete", right="vehicle_update", errors=[201])
async def delete(
    call: UserCall, vehicle_id: int | None = None, vehicle_ids: Ids | None = None
) -> None:
    """Deletes one vehicle, or several, of which unknown ones are passed over."""
    if (vehicle_id is None) == (vehicle_ids is None):
        raise invalid("vehicle_id", "exactly one of vehicle_id and vehicle_ids is required")
    wanted = [vehicle_id] if vehicle_id is not None else vehicle_ids or []
    async with call.services.fleet.write() as write:
        gone = await vehicles.delete_vehicles(write, call.user.account_id, wanted)
        if vehicle_id is not None and not gone:
            raise ApiError(201)


class Converted(msgspec.Struct):
    """Vehicles of a table; those with ``errors`` cannot be made as they are."""

    items: list[Object] = msgspec.field(name="list")
    limit_exceeded: bool


@user_action("vehicle/batch_convert", right="vehicle_update", errors=[234])
async def batch_convert(
    call: UserCall,
    batch: Annotated[str, msgspec.Meta(max_length=2_000_000)] | None = None,
    file: Upload | None = None,
    fields: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)] | None = None,
) -> Converted:
    """Checks vehicles in tab-delimited lines, given as ``batch`` or as a ``file`` of a multipart
    form, whose columns are ``fields``. Nothing is stored."""
    columns = list(vehicle_batch.FIELDS) if fields is None else fields
    if any(name not in VehicleFields.__struct_fields__ for name in columns):
        raise invalid("fields", "must be names of a vehicle's fields")
    if file is not None:
        try:
            batch = file.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ApiError(234) from None
    if batch is None:
        raise invalid("batch", "is required")
    return Converted(*vehicle_batch.convert(batch, columns))
