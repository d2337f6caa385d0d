"""``tracker/led/*``: the lights of a device."""

from __future__ import annotations

from waypost.api.action import Own, UserCall, user_action
from waypost.api.reply import Value
from waypost.fleet import device_settings
from waypost.fleet.rows import TrackerRow


@user_action("tracker/led/read", tracker=Own(live=True, supports=device_settings.has_led))
async def read(call: UserCall, tracker: TrackerRow) -> Value[bool]:
    """Whether the device's lights are on, as it was set last; they are on at first."""
    async with call.services.database.read() as connection:
        return Value(await device_settings.led_of(connection, tracker))


@user_action(
    "tracker/led/update",
    right="tracker_update",
    tracker=Own(live=True, supports=device_settings.has_led),
)
async def update(call: UserCall, tracker: TrackerRow, value: bool) -> None:
    """Switches the device's lights; it is told when it connects."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await device_settings.change_led(call.outbox(write), tracker, value)
