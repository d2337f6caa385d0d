"""Asking for an operation: the running server's, or done here where none runs."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from waypost.admin.operations.base import AdminError, Operation, Say
from waypost.admin.server import FILE, LONGEST, address_of, explain
from waypost.settings import Settings, SettingsError


async def run(settings: Settings, operation: Operation, say: Say) -> Any:
    """The operation's result. Raises :class:`AdminError`."""
    try:
        with address_of(settings.data_dir) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LONGEST)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return await _run_here(settings, operation, say)
    except OSError as error:
        raise AdminError(f"{settings.data_dir / FILE}: {error.strerror or error}") from None
    try:
        writer.write(msgspec.json.encode(operation) + b"\n")
        await writer.drain()
        return await _result(reader, say)
    except ConnectionError:
        raise AdminError("the server has closed the connection") from None
    finally:
        writer.close()


async def _result(reader: asyncio.StreamReader, say: Say) -> Any:
    while line := await reader.readline():
        reply: dict[str, Any] = msgspec.json.decode(line)
        if "progress" in reply:
            await say(reply["progress"])
        elif "error" in reply:
            raise AdminError(reply["error"])
        else:
            return reply.get("result")
    raise AdminError("the server has closed the connection before it was done")


async def _run_here(settings: Settings, operation: Operation, say: Say) -> Any:
    from waypost.admin.local import opened

    try:
        async with opened(settings) as admin:
            return await operation.run(admin, say)
    except (AdminError, SettingsError):
        raise
    except Exception as error:
        raise AdminError(explain(error)) from error
