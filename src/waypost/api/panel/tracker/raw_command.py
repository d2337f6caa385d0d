"""``tracker/raw_command/send``: a command as the device understands it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import PanelCall, panel_action
from waypost.api.command import CommandText, Kind, payload_of
from waypost.api.errors import ApiError
from waypost.text import PRINTABLE

DeviceId = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=PRINTABLE)]


@panel_action("tracker/raw_command/send", permissions=["trackers:update"], errors=[201, 252, 268])
async def send(
    call: PanelCall,
    device_id: DeviceId,
    command: CommandText,
    type: Kind = "text",
    reliable: bool = True,
) -> None:
    """Queues a command for the device: at once where it is connected, else when it connects.
    ``reliable``: repeated until the device answers; otherwise sent once at most.
    Refused with 268 while as many wait as the setting ``commands_waiting`` allows."""
    payload = payload_of(command, type)
    trackers = call.services.fleet.trackers
    tracker = await trackers.dealer_device(call.account.dealer_id, device_id)
    if tracker is None:
        raise ApiError(201)
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await call.outbox(write).tell(tracker, type, payload, reliable=reliable)
