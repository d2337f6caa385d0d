"""``tracker/console/connect``: a key to a device's console."""

from __future__ import annotations

from waypost.api.action import Own, PanelCall, panel_action
from waypost.fleet.console import ConsoleKey, make_key
from waypost.fleet.rows import TrackerRow


@panel_action(
    "tracker/console/connect",
    permissions=["trackers:update"],
    tracker=Own(),
    errors=[230],
)
async def connect(call: PanelCall, tracker: TrackerRow) -> ConsoleKey:
    """A key to the device's console: a WebSocket opened within five minutes at ``/console`` with
    the parameters device, key, timestamp and dealer_id."""
    async with call.services.database.begin() as connection:
        return await make_key(connection, tracker, call.account.id, call.now)
