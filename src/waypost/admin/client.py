"""Asking for an operation: the running server's, or done here where none runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from waypost.admin.address import FILE, LONGEST, address_of
from waypost.admin.requests import AdminError, Request, Say
from waypost.settings import Settings, SettingsError
from waypost.store.lock import DataInUse

#: Seconds that a server which holds the data gets to open its socket.
STARTING = 10.0


async def run(settings: Settings, request: Request, say: Say) -> Any:
    """The result of what is asked for. Raises :class:`AdminError`, SettingsError."""
    deadline = time.monotonic() + STARTING
    while True:
        connection = await _connect(settings)
        if connection is not None:
            return await _ask(*connection, request, say)
        try:
            return await _run_here(settings, request, say)
        except DataInUse:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def _connect(
    settings: Settings,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to the running server; None: there is none."""
    try:
        with address_of(settings.data_dir) as address:
            return await asyncio.open_unix_connection(address, limit=LONGEST)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise AdminError(f"{settings.data_dir / FILE}: {error.strerror or error}") from None


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, say: Say
) -> Any:
    try:
        async for reply in _replies(reader, writer, request):
            if "progress" in reply:
                await say(reply["progress"])
            elif "error" in reply:
                raise AdminError(reply["error"])
            else:
                return reply.get("result")
        raise AdminError("the server has closed the connection before it was done")
    finally:
        writer.close()


async def _replies(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
) -> AsyncIterator[dict[str, Any]]:
    try:
        writer.write(msgspec.json.encode(request) + b"\n")
        await writer.drain()
        while line := await reader.readline():
            yield msgspec.json.decode(line)
    except ConnectionError:
        raise AdminError("the server has closed the connection") from None


async def _run_here(settings: Settings, request: Request, say: Say) -> Any:
    from waypost import logs
    from waypost.admin.local import opened
    from waypost.admin.operations import perform
    from waypost.admin.server import explain

    logs.configure(settings.log_level, settings.log_format)
    try:
        async with opened(settings) as admin:
            return await perform(admin, request, say)
    except (AdminError, SettingsError):
        raise
    except Exception as error:
        raise AdminError(explain(error)) from error
