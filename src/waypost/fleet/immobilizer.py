"""Blocking a vehicle's engine: the device's first output, which installers wire to the starter's
relay."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import models
from waypost.fleet import instructions
from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import lines
from waypost.fleet.telling import can_tell
from waypost.protocols.instructions import Output, Outputs
from waypost.refusal import Refused
from waypost.store.tables import commands
from waypost.telemetry.state import State

#: Which output it is, from 1.
OUTPUT = 1


def has_immobilizer(row: TrackerRow) -> bool:
    """Has the device an output that can be switched?"""
    model = models.model(row.model)
    if model is None or model.output_control == "none" or model.digital_outputs < OUTPUT:
        return False
    return can_tell(row.model, "outputs" if _batch(row) else "output")


def _batch(row: TrackerRow) -> bool:
    """Can its outputs be switched together only?"""
    return models.all_models()[row.model].output_control.startswith("batch")


async def is_blocked(connection: AsyncConnection, row: TrackerRow, state: State | None) -> bool:
    """Is the engine blocked? What the device says of its output, or acknowledged since."""
    said = state.outputs if state is not None else None
    query = (
        select(commands.c.kind, commands.c.payload, commands.c.finished_at)
        .where(
            commands.c.source_id == row.source_id,
            commands.c.state == "acknowledged",
            commands.c.kind.in_(("output", "outputs")),
        )
        .order_by(commands.c.id.desc())
        .limit(20)
    )
    for done in await connection.execute(query):
        if said is not None and said.time > done.finished_at:
            break
        if done.kind == "outputs":
            return msgspec.json.decode(done.payload, type=Outputs).outputs[OUTPUT - 1]
        one = msgspec.json.decode(done.payload, type=Output)
        if one.output == OUTPUT:
            return one.enable
    return bool(lines(said, OUTPUT)[OUTPUT - 1])


async def block(outbox: Outbox, row: TrackerRow, enable: bool, state: State | None) -> None:
    """Blocks the engine of a locked tracker's vehicle, or lets it go. Raises :class:`Refused`: 214
    where the device cannot; 213 where it is not connected."""
    if not has_immobilizer(row):
        raise Refused(214)
    if not _batch(row):
        await instructions.set_output(outbox, row, OUTPUT, enable, state)
        return
    count = models.all_models()[row.model].digital_outputs
    outputs = lines(state.outputs if state is not None else None, count)[:count]
    outputs[OUTPUT - 1] = enable
    await instructions.set_outputs(outbox, row, outputs, state)
