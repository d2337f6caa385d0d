"""The server's end of the process that writes (``sqlite_writer``)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from waypost.store.points import StaleEpoch
from waypost.store.sqlite_writer import DONE, Failure, Request, frame

log = structlog.get_logger()

#: How long the process may take to end once it has been told to, seconds.
END_SECONDS = 10
#: Bytes on their way between the processes.
BUFFER = 1 << 20

T = TypeVar("T")


class WriterGone(OSError):
    """The writing process has ended; whether it did what it was asked is not known. The next
    request starts another one."""


class WriterFault(Exception):
    """It failed in a way that is a fault of ours."""


class WriterProcess:
    """Writes to the file at ``path``; started when it is first needed, and again should it have
    ended."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asking = asyncio.Lock()

    async def ask(self, requests: Iterable[Request], answer: type[T]) -> T:
        """Sends all ``requests`` and returns the answer to the last. Raises the errors of
        ``sqlite3``, :class:`StaleEpoch`, :class:`WriterGone`, and OSError if there can be no
        process. One that is given up is done nevertheless."""
        asking = asyncio.ensure_future(self._ask(requests, answer))
        # Its failure is known, even if nobody waits for it any more.
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(asking)

    async def _ask(self, requests: Iterable[Request], answer: type[T]) -> T:
        async with self._asking:
            reader, writer = await self._link()
            try:
                for request in requests:
                    writer.write(frame(msgspec.msgpack.encode(request)))
                    await writer.drain()
                    await asyncio.sleep(0)  # a pause for others
                size = int.from_bytes(await reader.readexactly(4), "big")
                data = await reader.readexactly(size)
            except (EOFError, OSError):
                code = await self._end()
                log.warning("points_writer_ended", code=code)
                raise WriterGone(f"the process that writes {self._path} has ended") from None
            except BaseException:
                await self._end()  # it has heard a part of the whole
                raise
        if data[:1] == DONE:
            return msgspec.msgpack.decode(memoryview(data)[1:], type=answer)
        raise _error(msgspec.msgpack.decode(memoryview(data)[1:], type=Failure))

    async def close(self) -> None:
        """After what it was asked."""
        async with self._asking:
            await self._end()

    async def _link(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            ours, theirs = socket.socketpair()
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            try:
                self._process = await asyncio.to_thread(self._start, theirs)
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        return self._reader, self._writer

    def _start(self, link: socket.socket) -> subprocess.Popen[bytes]:
        # ``-P``: nothing in the directory that the server was started from is taken for a module.
        arguments = ["-P", "-m", "waypost.store.sqlite_writer", str(self._path)]
        return subprocess.Popen(  # noqa: S603  (this program)
            [sys.executable, *arguments, str(link.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[link.fileno()],
        )

    async def _end(self) -> int | None:
        """Waits until the process has ended; its exit code."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        process = self._process
        self._process = self._reader = self._writer = None
        if process is None:
            return None
        try:
            return await asyncio.to_thread(process.wait, END_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("points_writer_hangs", seconds=END_SECONDS)
            process.kill()
            return await asyncio.to_thread(process.wait)


def _error(failure: Failure) -> Exception:
    if failure.stale:
        return StaleEpoch(failure.stale)
    if not failure.error:
        log.error("points_writer_fault", traceback=failure.text)
        return WriterFault(failure.text.strip().rpartition("\n")[2])
    error: Exception = getattr(sqlite3, failure.error)(failure.text)
    if failure.name:
        error.sqlite_errorname = failure.name  # type: ignore[attr-defined]
    return error
