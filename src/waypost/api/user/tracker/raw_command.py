"""``tracker/raw_command/send``: a command as the device understands it."""

from __future__ import annotations

from waypost.api.action import Own, UserCall, user_action
from waypost.api.command import CommandText, Kind, check_payload, payload_of
from waypost.fleet.rows import TrackerRow


@user_action(
    "tracker/raw_command/send",
    rights=["tracker_configure", "tracker_set_output"],
    tracker=Own(live=True),
    check=check_payload,
    errors=[268],
)
async def send(
    call: UserCall,
    tracker: TrackerRow,
    command: CommandText,
    type: Kind = "text",
    reliable: bool = True,
) -> None:
    """Queues a command for the device: at once where it is connected, else when it connects.
    ``reliable``: repeated until the device answers; otherwise sent once at most.
    Refused with 268 while as many wait as the setting ``commands_waiting`` allows."""
    payload = payload_of(command, type)
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await call.outbox(write).tell(tracker, type, payload, reliable=reliable)
