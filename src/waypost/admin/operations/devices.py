"""Devices: points, bytes, the inbox, commands."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import select

from waypost.admin.operations.base import Admin, AdminError, Operation, Say
from waypost.gateway.inbox import Inbox
from waypost.gateway.tap import Entry, tap_subject
from waypost.store.tables import commands, sources
from waypost.telemetry.message import iso_time

#: Seconds after which watching is asked for again; a gateway forgets it sooner or later.
WATCH_AGAIN = 30.0


class PointsCount(Operation, tag="points.count"):
    """How many points are stored, in all or of one device: ``{"points": N}``."""

    device: str | None = None

    async def run(self, admin: Admin, say: Say) -> dict[str, int]:
        source_id = None if self.device is None else await source_of(admin, self.device)
        return {"points": await admin.points.count(source_id)}


class TapDevice(Operation, tag="tap"):
    """Raw bytes in and out of a device, as progress: what is kept, and, but for ``once``, what
    comes from now on, without end."""

    device: str
    once: bool = False

    async def run(self, admin: Admin, say: Say) -> None:
        if self.once and admin.tap is None:
            raise AdminError("no gateway runs here: only a server keeps the bytes of devices")
        if admin.tap is not None:
            for entry in admin.tap.read(self.device):
                await say(_shown(entry))
        if not self.once:
            await self._follow(admin, say)

    async def _follow(self, admin: Admin, say: Say) -> None:
        arrived: asyncio.Queue[bytes] = asyncio.Queue()
        subscription = await admin.bus.subscribe(
            tap_subject(self.device), lambda subject, payload: arrived.put_nowait(payload)
        )
        watch = msgspec.msgpack.encode({"device_id": self.device, "seconds": 2 * WATCH_AGAIN})
        try:
            while True:
                admin.bus.publish("taps.watch", watch)
                try:
                    async with asyncio.timeout(WATCH_AGAIN):
                        while True:
                            fields = msgspec.msgpack.decode(await arrived.get())
                            await say(_shown(Entry(*fields)))
                except TimeoutError:
                    continue
        finally:
            await subscription.close()


def _shown(entry: Entry) -> dict[str, Any]:
    data = entry.data if isinstance(entry.data, str) else entry.data.hex()
    return {
        "time": iso_time(entry.time),
        "kind": entry.kind,
        "data": data,
        "address": entry.address,
    }


class InboxList(Operation, tag="inbox.list"):
    """Devices that connect and that nobody registered, the latest first."""

    async def run(self, admin: Admin, say: Say) -> list[dict[str, Any]]:
        inbox = Inbox(admin.database, admin.settings.inbox_size)
        return [
            {
                "device_id": one.device_id,
                "protocol": one.protocol,
                "model": one.model,
                "address": one.address,
                "first_seen": iso_time(one.first_seen_at),
                "last_seen": iso_time(one.last_seen_at),
                "count": one.count,
                "latitude": one.latitude,
                "longitude": one.longitude,
                "position_time": iso_time(one.position_at),
            }
            for one in await inbox.read(limit=admin.settings.inbox_size)
        ]


class CommandList(Operation, tag="command.list"):
    """The latest commands of a device, newest first."""

    device: str
    limit: int = 50

    async def run(self, admin: Admin, say: Say) -> list[dict[str, Any]]:
        query = (
            select(commands)
            .where(commands.c.source_id == await source_of(admin, self.device))
            .order_by(commands.c.id.desc())
            .limit(self.limit)
        )
        async with admin.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            {
                "id": row.id,
                "state": row.state,
                "kind": row.kind,
                "payload": row.payload.decode() if row.kind == "text" else row.payload.hex(),
                "channel": row.channel,
                "reliable": row.reliable,
                "attempts": row.attempts,
                "created": iso_time(row.created_at),
                "sent": iso_time(row.sent_at),
                "finished": iso_time(row.finished_at),
                "expires": iso_time(row.expires_at),
                "answer": row.answer,
                "error": row.error,
            }
            for row in rows
        ]


async def source_of(admin: Admin, device_id: str) -> int:
    """The source of a registered device. Raises :class:`AdminError`."""
    query = select(sources.c.id).where(sources.c.device_id == device_id)
    async with admin.database.read() as connection:
        found = await connection.scalar(query)
    if found is None:
        raise AdminError(f"no device is registered as {device_id!r}")
    return int(found)
