"""The local socket of a running server."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import msgspec
import structlog

from waypost import tasks
from waypost.admin.address import FILE, LONGEST, address_of
from waypost.admin.operations import perform
from waypost.admin.operations.base import Admin
from waypost.admin.requests import AdminError, parse
from waypost.catalog import errors
from waypost.refusal import Refused
from waypost.store.engine import is_unavailable
from waypost.store.points import SchemaError

log = structlog.get_logger()


class AdminServer:
    """Listens on ``DIR/admin.sock``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._path = admin.settings.data_dir / FILE
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises :class:`AdminError` where another process listens there already."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._admin.settings.data_dir) as address:
                self._clear(address)
                # Before anybody can connect, only the owner may.
                before = os.umask(0o177)
                try:
                    listener.bind(address)
                finally:
                    os.umask(before)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=LONGEST
            )
        except BaseException:
            listener.close()
            raise

    def _clear(self, address: str) -> None:
        """Takes away what a process that was killed has left."""
        if not self._path.is_socket():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(address)
            except OSError:
                self._path.unlink(missing_ok=True)
                return
        raise AdminError(f"another process uses {self._path.parent}")

    async def close(self) -> None:
        """Ends what is under way and takes the socket away."""
        if self._server is None:
            return
        self._server.close()
        await tasks.end(self._running)
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self._answer(reader, writer))
        self._running.add(answering)
        try:
            await answering
        except (asyncio.CancelledError, ConnectionError):
            pass  # the client has left, or the server ends
        finally:
            self._running.discard(answering)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(progress: Any) -> None:
            writer.write(_line({"progress": progress}))
            await writer.drain()

        try:
            try:
                line = await reader.readline()
            except ValueError:
                raise AdminError(f"the request is longer than {LONGEST} bytes") from None
            if not line:
                return
            doing = asyncio.ensure_future(perform(self._admin, parse(line), say))
            # A client sends one request; the next thing heard of it is that it has left.
            left = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait((doing, left), return_when=asyncio.FIRST_COMPLETED)
                if not doing.done():
                    return
                writer.write(_line({"result": doing.result()}))
            finally:
                await tasks.end([doing, left])
        except Exception as error:  # noqa: BLE001  (whatever it is, the one who asked hears of it)
            writer.write(_line({"error": explain(error)}))
        await writer.drain()


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def explain(error: Exception) -> str:
    """What to tell a person about a failed operation. A fault of our own goes to the log."""
    if isinstance(error, AdminError | SchemaError):
        return str(error)
    if isinstance(error, Refused):
        detail = "; ".join(
            f"{item['parameter']}: {item['error']}" for item in error.extra.get("errors", ())
        )
        row = errors.error(error.code)
        return f"{row.description} ({error.code})" + (f": {detail}" if detail else "")
    if is_unavailable(error):
        return "the database cannot be reached"
    log.exception("admin_fault", exc_info=error)
    first = str(error).partition("\n")[0]
    return f"internal fault, see the log: {type(error).__name__}: {first}"
