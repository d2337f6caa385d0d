"""``tracker/bundle/*``: devices that the dealer sells with a SIM card."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.api.reply import Counted, Value
from waypost.billing import bundles
from waypost.billing.bundles import Bundle, Clones, Order
from waypost.billing.equipment import all_equipment
from waypost.text import PRINTABLE

Filter = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Iccid = Annotated[str, msgspec.Meta(min_length=3, max_length=20, pattern=PRINTABLE)]
Imei = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Imeis = Annotated[list[Imei], msgspec.Meta(min_length=1, max_length=10_000)]


class SimObject(msgspec.Struct):
    """A SIM card; all empty where the bundle has none."""

    iccid: str = ""
    phone: str = ""
    apn: str = ""
    blocked: bool = False
    deleted: bool = False
    #: A registered device uses it.
    registered: bool = False


class BundleObject(msgspec.Struct, kw_only=True):
    """A bundle. ``assign_time`` (UTC) is when it got its SIM card."""

    id: int
    equip_id: int
    equip_vendor: str
    equip_name: str
    equip_model: str
    model_code: str
    imei: str
    factory_preset: bool
    iccid: str | None
    assign_time: str | None
    order_id: int | None
    sim_card: SimObject


def bundle_object(call: PanelCall, bundle: Bundle) -> BundleObject:
    equipment = all_equipment().get(bundle.equip_id)
    sim = bundle.sim
    return BundleObject(
        id=bundle.id,
        equip_id=bundle.equip_id,
        equip_vendor=equipment.vendor if equipment else "",
        equip_name=equipment.name if equipment else bundle.model_code,
        equip_model=equipment.model_name if equipment else bundle.model_code,
        model_code=bundle.model_code,
        imei=bundle.imei,
        factory_preset=bundle.factory_preset,
        iccid=sim.iccid if sim else None,
        assign_time=call.time_or_none(bundle.assigned_at),
        order_id=bundle.order_id,
        sim_card=SimObject()
        if sim is None
        else SimObject(sim.iccid, sim.phone, sim.apn, sim.blocked, sim.deleted, sim.registered),
    )


@panel_action(
    "tracker/bundle/assign",
    permissions=["tracker_bundles:update"],
    errors=[201, 208, 223, 226, 247, 250],
)
async def assign(call: PanelCall, bundle_id: int, iccid: Iccid | None = None) -> None:
    """Puts a SIM card into a bundle; without ``iccid`` the bundle's SIM card is taken off."""
    async with call.services.fleet.write() as write:
        write.changes.sources |= await bundles.set_sim(
            write.connection, call.account.dealer_id, bundle_id, iccid, call.now
        )


@panel_action("tracker/bundle/order/assign", permissions=["tracker_bundles:update"], errors=[201])
async def assign_order(call: PanelCall, bundle_id: int, order_id: int | None = None) -> None:
    """Puts a bundle into an order; without ``order_id`` out of the one it is in."""
    async with call.services.database.begin() as connection:
        await bundles.set_order(connection, call.account.dealer_id, bundle_id, order_id)


@panel_action("tracker/bundle/import", permissions=["tracker_bundles:create"], errors=[204, 247])
async def import_(call: PanelCall, imeis: Imeis, equip_id: int, factory_preset: bool) -> None:
    """Adds bundles of one equipment, all or none; 247 names those that there are already."""
    async with call.services.database.begin() as connection:
        await bundles.import_bundles(
            connection,
            call.account.dealer_id,
            imeis,
            equip_id,
            factory_preset=factory_preset,
            now=call.now,
        )


@panel_action("tracker/bundle/list", permissions=["tracker_bundles:read"], errors=[201])
async def list_(
    call: PanelCall,
    user_id: int | None = None,
    tariff_id: int | None = None,
    clones_filter: Clones = "not_set",
    filter: Filter | None = None,
    order_by: Order = "id",
    ascending: bool = True,
    offset: Count = 0,
    limit: Count | None = None,
) -> Counted[BundleObject]:
    """The dealer's bundles. ``filter`` is looked for in id, IMEI, model code, ICCID and time of
    assignment; label, status, user, tariff and comment are those of the registered device."""
    async with call.services.database.read() as connection:
        found, count = await bundles.list_bundles(
            connection,
            call.account.dealer_id,
            user_id=user_id,
            tariff_id=tariff_id,
            clones=clones_filter,
            text=filter,
            order_by=order_by,
            ascending=ascending,
            offset=offset,
            limit=limit,
        )
    return Counted([bundle_object(call, bundle) for bundle in found], count)


@panel_action("tracker/bundle/read", permissions=["tracker_bundles:read"], errors=[201])
async def read(call: PanelCall, imei: Imei) -> Value[BundleObject]:
    """The bundle with this IMEI."""
    async with call.services.database.read() as connection:
        bundle = await bundles.find_bundle(connection, call.account.dealer_id, imei.strip())
    if bundle is None:
        raise ApiError(201)
    return Value(bundle_object(call, bundle))


@panel_action("tracker/bundle/update", permissions=["tracker_bundles:update"], errors=[201, 204])
async def update(call: PanelCall, bundle_id: int, equip_id: int) -> None:
    """Another equipment, and so another model, for a bundle."""
    async with call.services.database.begin() as connection:
        await bundles.set_equipment(connection, call.account.dealer_id, bundle_id, equip_id)
