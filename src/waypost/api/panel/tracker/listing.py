"""``tracker/list`` and ``tracker/read``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import Own, PanelCall, panel_action
from waypost.api.reply import Counted, Value
from waypost.fleet.panel_list import Clones, Order, Wanted, list_trackers, show
from waypost.fleet.rows import TrackerRow
from waypost.fleet.tracker_view import PanelTracker
from waypost.text import PRINTABLE

Filter = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Count = Annotated[int, msgspec.Meta(ge=0)]


@panel_action("tracker/list", permissions=["trackers:read"], errors=[201])
async def list_(
    call: PanelCall,
    user_id: int | None = None,
    tariff_id: int | None = None,
    filter: Filter | None = None,
    clones_filter: Clones = "not_set",
    order_by: Order = "id",
    ascending: bool = True,
    offset: Count = 0,
    limit: Count | None = None,
) -> Counted[PanelTracker]:
    """Trackers of all users of the dealer, deleted and corrupted ones too. ``filter`` is looked for
    in id, label, source id, device id, model, phone and user id."""
    wanted = Wanted(
        dealer_id=call.account.dealer_id,
        user_id=user_id,
        tariff_id=tariff_id,
        filter=filter,
        clones=clones_filter,
        order_by=order_by,
        ascending=ascending,
        offset=offset,
        limit=limit,
    )
    return Counted(*await list_trackers(call.services.fleet, wanted, call.now))


@panel_action("tracker/read", permissions=["trackers:read"], tracker=Own())
async def read(call: PanelCall, tracker: TrackerRow) -> Value[PanelTracker]:
    """One tracker."""
    return Value(await show(call.services.fleet, tracker, call.now))
