"""Commands that people keep with a tracker, to send them again: to the device, or to a server of
theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.fleet.state_view import value_text
from waypost.refusal import Refused, invalid
from waypost.store.sql import chunks
from waypost.store.tables import saved_commands
from waypost.telemetry.state import State
from waypost.text import END, PRINTABLE

#: Most of one tracker.
MOST = 100

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)]
Url = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f]+" + END)]
Line = Annotated[str, msgspec.Meta(max_length=4000, pattern=PRINTABLE)]
Token = Annotated[str, msgspec.Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}" + END)]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,100})\s*\}\}")


class Hardware(msgspec.Struct):
    """A command as the device understands it."""

    command: Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
    reliable: bool = True


class Header(msgspec.Struct):
    key: Token
    value: Line


class Http(msgspec.Struct):
    """A POST request; ``{{speed}}`` and the like in ``body`` stand for what is known of the device
    when it is sent."""

    url: Url
    headers: Annotated[list[Header], msgspec.Meta(max_length=50)] = []
    body: Annotated[str, msgspec.Meta(max_length=65_536)] = ""


class CommandFields(msgspec.Struct):
    """A command as a client sends it."""

    name: Name
    type: Literal["hardware", "http"]
    config: dict[str, Any]
    id: Int | None = None


class SavedCommand(msgspec.Struct, frozen=True):
    """A command as the API shows it."""

    id: int
    name: str
    type: str
    config: dict[str, Any]


def config_of(fields: CommandFields) -> dict[str, Any]:
    """The checked ``config``. Raises :class:`Refused` 7."""
    kind: type[Hardware | Http] = Hardware if fields.type == "hardware" else Http
    try:
        checked = msgspec.convert(fields.config, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid("command.config", str(error).replace("`", "'")) from None
    found: dict[str, Any] = msgspec.to_builtins(checked)
    return found


async def of_trackers(
    connection: AsyncConnection, tracker_ids: Iterable[int]
) -> dict[int, list[SavedCommand]]:
    """The commands of each of these trackers, in the order of ids."""
    found: dict[int, list[SavedCommand]] = {one: [] for one in tracker_ids}
    for some in chunks(found):
        query = (
            select(saved_commands)
            .where(saved_commands.c.tracker_id.in_(some))
            .order_by(saved_commands.c.id)
        )
        for row in await connection.execute(query):
            found[row.tracker_id].append(SavedCommand(row.id, row.name, row.type, row.config))
    return found


async def create_command(write: Write, row: TrackerRow, fields: CommandFields) -> SavedCommand:
    """Keeps a command with ``row`` (locked). Raises :class:`Refused`: 7; 268 for one too many."""
    config = config_of(fields)
    had = select(func.count()).where(saved_commands.c.tracker_id == row.id)
    if (await write.connection.scalar(had) or 0) >= MOST:
        raise Refused(268)
    made = await write.connection.execute(
        insert(saved_commands)
        .values(tracker_id=row.id, name=fields.name, type=fields.type, config=config)
        .returning(saved_commands.c.id)
    )
    return SavedCommand(int(made.scalar_one()), fields.name, fields.type, config)


async def update_command(
    write: Write, row: TrackerRow, command_id: int, fields: CommandFields
) -> SavedCommand:
    """Raises :class:`Refused`: 7; 201 for a command that the tracker does not have."""
    config = config_of(fields)
    changed = await write.connection.execute(
        update(saved_commands)
        .where(saved_commands.c.id == command_id, saved_commands.c.tracker_id == row.id)
        .values(name=fields.name, type=fields.type, config=config)
    )
    if changed.rowcount != 1:
        raise Refused(201)
    return SavedCommand(command_id, fields.name, fields.type, config)


async def delete_command(write: Write, row: TrackerRow, command_id: int) -> None:
    """Raises :class:`Refused` 201."""
    gone = await write.connection.execute(
        delete(saved_commands).where(
            saved_commands.c.id == command_id, saved_commands.c.tracker_id == row.id
        )
    )
    if gone.rowcount != 1:
        raise Refused(201)


async def execute_command(
    outbox: Outbox, row: TrackerRow, command_id: int, state: State | None
) -> None:
    """Queues a command of ``row``. Raises :class:`Refused`: 201; 268 where too many wait."""
    found = await of_trackers(outbox.write.connection, [row.id])
    command = next((one for one in found[row.id] if one.id == command_id), None)
    if command is None:
        raise Refused(201)
    config = command.config
    if command.type == "hardware":
        content = config["command"].encode()
        await outbox.tell(row, "text", content, reliable=config["reliable"])
        return
    body = _PLACEHOLDER.sub(lambda match: _attribute(match[1], row, state), config["body"])
    message = {"headers": config["headers"], "body": body}
    await outbox.tell(row, "webhook", message, channel="http", recipient=config["url"], soon=True)


def _attribute(name: str, row: TrackerRow, state: State | None) -> str:
    """What is known under a name, as it stands in JSON; ``null`` where nothing is."""
    fix = state.gps if state is not None else None
    known: dict[str, Any] = {
        "device_id": row.device_id,
        "tracker_id": row.id,
        "label": row.label,
        "model": row.model,
    }
    if fix is not None:
        known |= {
            "latitude": fix.latitude,
            "longitude": fix.longitude,
            "altitude": fix.altitude,
            "speed": fix.speed,
            "heading": fix.heading,
            "satellites": fix.satellites,
        }
    if name in known:
        value = known[name]
    else:
        value = state.values.get(name, (None, 0))[0] if state is not None else None
    if value is None:
        return "null"
    # Inside the quotation marks of a JSON text, or bare where it is a number.
    return msgspec.json.encode(value_text(value)).decode()[1:-1]
