"""Registers the vehicles of the demo, those that are not there yet."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from waypost.clock import now_ms
from waypost.emulator.fleet import DemoDevice
from waypost.fleet.outgoing import Outbox
from waypost.fleet.register import NewDevice, register, taken_ids
from waypost.parts import Parts
from waypost.store.tables import users

log = structlog.get_logger()


async def register_demo(parts: Parts, devices: Sequence[DemoDevice]) -> None:
    """Registers ``devices`` for the first user; one that somebody has registered already stays
    whose it is."""
    async with parts.database.read() as connection:
        query = select(users.c.id).where(users.c.master_id.is_(None), ~users.c.deleted)
        user_id = await connection.scalar(query.order_by(users.c.id).limit(1))
        taken = await taken_ids(connection, [device.device_id for device in devices])
    missing = [device for device in devices if device.device_id not in taken]
    if user_id is None or not missing:
        return
    async with parts.fleet.write() as write:
        fleet = parts.fleet
        outbox = Outbox(
            write=write, settings=fleet.settings, addresses=fleet.addresses, now=now_ms()
        )
        for device in missing:
            new = NewDevice(label=device.label, model=device.model, device_id=device.device_id)
            await register(outbox, user_id, new)
    log.info("demo_registered", vehicles=len(missing))
