"""Devices: points, bytes, the inbox, commands, SMS."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import select

from waypost.admin.operations.base import Admin
from waypost.admin.requests import (
    AdminError,
    CommandList,
    InboxList,
    PointsCount,
    Say,
    SmsList,
    TapDevice,
)
from waypost.bus.taps import Entry, read_entry, tap_subject, watch
from waypost.commands.shown import shown_payload
from waypost.gateway.inbox import Inbox
from waypost.store.tables import commands, sms_incoming, sources
from waypost.telemetry.message import iso_time

#: Seconds after which watching is asked for again; a gateway forgets it sooner or later.
WATCH_AGAIN = 30.0


async def points_count(admin: Admin, request: PointsCount, say: Say) -> dict[str, int]:
    source_id = None if request.device is None else await source_of(admin, request.device)
    return {"points": await admin.points.count(source_id)}


async def tap_device(admin: Admin, request: TapDevice, say: Say) -> None:
    if request.once:
        if admin.tap is None:
            raise AdminError("no gateway runs here: only a server keeps the bytes of devices")
        for entry in admin.tap.read(request.device):
            await say(_shown(entry))
        return
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    subscription = await admin.bus.subscribe(
        tap_subject(request.device), lambda subject, payload: arrived.put_nowait(payload)
    )
    try:
        watch(admin.bus, request.device, 2 * WATCH_AGAIN)
        # In the same breath, so that nothing is shown twice or left out.
        kept = admin.tap.read(request.device) if admin.tap is not None else []
        for entry in kept:
            await say(_shown(entry))
        while True:
            try:
                async with asyncio.timeout(WATCH_AGAIN):
                    while True:
                        await say(_shown(read_entry(await arrived.get())))
            except TimeoutError:
                watch(admin.bus, request.device, 2 * WATCH_AGAIN)
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


async def inbox_list(admin: Admin, request: InboxList, say: Say) -> list[dict[str, Any]]:
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


async def command_list(admin: Admin, request: CommandList, say: Say) -> list[dict[str, Any]]:
    query = (
        select(commands)
        .where(commands.c.source_id == await source_of(admin, request.device))
        .order_by(commands.c.id.desc())
        .limit(request.limit)
    )
    async with admin.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return [
        {
            "id": row.id,
            "state": row.state,
            "kind": row.kind,
            "payload": shown_payload(row.kind, row.payload, row.shown),
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


async def sms_list(admin: Admin, request: SmsList, say: Say) -> list[dict[str, Any]]:
    query = select(sms_incoming).order_by(sms_incoming.c.id.desc()).limit(request.limit)
    if request.device is not None:
        source_id = await source_of(admin, request.device)
        query = query.where(sms_incoming.c.source_id == source_id)
    async with admin.database.read() as connection:
        rows = (await connection.execute(query)).all()
    return [
        {
            "id": row.id,
            "time": iso_time(row.at),
            "kind": row.kind,
            "from": row.sender,
            "to": row.recipient,
            "text": row.text,
            "command": row.command_id,
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
