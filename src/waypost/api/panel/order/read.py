"""``order/read``."""

from __future__ import annotations

import msgspec

from waypost.api.action import PanelCall, panel_action
from waypost.api.panel.tracker.bundle import BundleObject, bundle_object
from waypost.api.reply import Value
from waypost.billing.bundles import of_order
from waypost.billing.orders import find_order


class OrderObject(msgspec.Struct, kw_only=True):
    """An order of a user; ``seller_id`` is the dealer."""

    id: int
    user_id: int
    seller_id: int
    amount: int
    sum: float
    type: str
    payer: str
    recipient: str
    contacts: str
    place: str
    comment: str
    creation_time: str
    status: str
    bundles: list[BundleObject]


@panel_action("order/read", permissions=["tracker_bundles:read"], errors=[201])
async def read(call: PanelCall, order_id: int) -> Value[OrderObject]:
    """An order and the bundles that were put into it."""
    dealer_id = call.account.dealer_id
    async with call.services.database.read() as connection:
        row = await find_order(connection, dealer_id, order_id)
        held = await of_order(connection, dealer_id, order_id)
    return Value(
        OrderObject(
            id=row.id,
            user_id=row.user_id,
            seller_id=row.dealer_id,
            amount=row.amount,
            sum=float(row.sum),
            type=row.type,
            payer=row.payer,
            recipient=row.recipient,
            contacts=row.contacts,
            place=row.place,
            comment=row.comment,
            creation_time=call.time(row.created_at),
            status=row.status,
            bundles=[bundle_object(call, bundle) for bundle in held],
        )
    )
