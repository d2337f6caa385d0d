"""``tracker/command/*`` and ``tracker/batch_get_commands``: commands kept to be sent again."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.batch import TrackerIds, named_trackers
from waypost.api.errors import invalid
from waypost.fleet import saved_commands
from waypost.fleet.rows import TrackerRow
from waypost.fleet.saved_commands import CommandFields, SavedCommand


class Made(msgspec.Struct):
    """The command and its id."""

    id: int
    value: SavedCommand


class Commands(msgspec.Struct):
    """Commands by the ids of trackers."""

    result: dict[str, list[SavedCommand]]


@user_action("tracker/command/create", right="tracker_update", tracker=Own(live=True), errors=[268])
async def create(call: UserCall, tracker: TrackerRow, command: CommandFields) -> Made:
    """Keeps a command with the tracker: ``hardware`` for the device, ``http`` for another
    server."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        made = await saved_commands.create_command(write, tracker, command)
    return Made(made.id, made)


@user_action("tracker/command/update", right="tracker_update", tracker=Own(live=True), errors=[201])
async def update(call: UserCall, tracker: TrackerRow, command: CommandFields) -> Made:
    """Changes the command ``command.id``."""
    if command.id is None:
        raise invalid("command.id", "is required")
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        made = await saved_commands.update_command(write, tracker, command.id, command)
    return Made(made.id, made)


@user_action(
    "tracker/command/execute", right="tracker_update", tracker=Own(live=True), errors=[201, 268]
)
async def execute(call: UserCall, tracker: TrackerRow, command_id: int) -> None:
    """Sends a command: to the device at once where it is connected, else when it connects."""
    known = await call.services.fleet.states.one(tracker.source_id)
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await saved_commands.execute_command(call.outbox(write), tracker, command_id, known.state)


@user_action("tracker/command/delete", right="tracker_update", tracker=Own(live=True), errors=[201])
async def delete(call: UserCall, tracker: TrackerRow, command_id: int) -> None:
    """Deletes a command."""
    async with call.services.fleet.write() as write:
        tracker = await call.locked(write, tracker)
        await saved_commands.delete_command(write, tracker, command_id)


@user_action("tracker/batch_get_commands", right="tracker_update", errors=[217])
async def batch_get_commands(call: UserCall, trackers: TrackerIds | None = None) -> Commands:
    """The commands of several trackers, or of all that the user sees."""
    if trackers:
        rows = await named_trackers(call, trackers, most=None)
    else:
        rows = (await call.services.fleet.trackers.of_user(call.user)).trackers
    async with call.services.database.read() as connection:
        found = await saved_commands.of_trackers(connection, [row.id for row in rows])
    return Commands({str(tracker_id): commands for tracker_id, commands in found.items()})
