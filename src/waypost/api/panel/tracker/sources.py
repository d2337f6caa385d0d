"""``tracker/source/update`` and ``tracker/corrupt``: devices barred and given up."""

from __future__ import annotations

from waypost.api.action import Own, PanelCall, panel_action
from waypost.fleet.corrupt import corrupt as give_up
from waypost.fleet.rows import TrackerRow
from waypost.fleet.settings import change_blocked


@panel_action("tracker/source/update", permissions=["trackers:update"], tracker=Own())
async def update(call: PanelCall, tracker: TrackerRow, blocked: bool) -> None:
    """Blocks a device, or lets it go on. A blocked one's data is kept and not shown to users."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await change_blocked(write, tracker, blocked)


@panel_action(
    "tracker/corrupt",
    permissions=["trackers:corrupt"],
    tracker=Own(clone=False),
    errors=[253],
)
async def corrupt(call: PanelCall, tracker: TrackerRow, corrupt_clones: bool = False) -> None:
    """Gives a device up: its id and phone are free again, the tracker is gone; its clones too where
    ``corrupt_clones`` says so."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await give_up(call.outbox(write), tracker, with_clones=corrupt_clones)
