"""``tracker/tariff/change``."""

from __future__ import annotations

from waypost.api.action import Own, PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.billing.tariff_change import change_by_dealer
from waypost.fleet.rows import TrackerRow


@panel_action(
    "tracker/tariff/change",
    permissions=["trackers:update", "transactions:create", "tariffs:read"],
    tracker=Own(clone=False),
    errors=[221, 237, 238, 239, 250],
)
async def change(
    call: PanelCall, tracker: TrackerRow, tariff_id: int, repay: bool, charge: bool
) -> None:
    """Another tariff for a tracker. ``repay``: what is left of a paid monthly one comes back to its
    owner's balance. ``charge``: the new one is to be paid from now on, else from the next period
    on."""
    if tracker.deleted:
        raise ApiError(250)
    async with call.services.fleet.write() as write:
        write.changes.sources |= await change_by_dealer(
            write.connection,
            call.account.dealer_id,
            tracker.user_id,
            tracker.id,
            tariff_id,
            call.now,
            repay=repay,
            charge=charge,
        )
