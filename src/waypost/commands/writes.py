"""Many short transactions: a few at a time, and on SQLite several in one.

A thousand devices that answer at once are a thousand transactions. All of them together would take
every connection to the database and leave none for people; SQLite, with its one writer, spends more
on beginning and committing each than on what it holds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.store.engine import Database

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[Any]]
Piece = tuple[Work, asyncio.Future[Any]]

#: Transactions at once, where the database has several writers.
AT_ONCE = 4
#: Pieces of work in one transaction, where it has one: who comes next waits for all of them.
TOGETHER = 16


class Writes:
    """Does pieces of work, each in a transaction, in the order in which they are given."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at_once, self._together = (1, TOGETHER) if database.sqlite else (AT_ONCE, 1)
        self._waiting: deque[Piece] = deque()
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def do(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What ``work`` returns or raises. It may be called twice: the second time where something
        else failed in the transaction of the first, which was undone."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._busy < self._at_once:
            self._busy += 1
            task = asyncio.create_task(self._run(), name="commands: writes")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken: list[Piece] = []
                while self._waiting and len(taken) < self._together:
                    one = self._waiting.popleft()
                    if not one[1].done():  # or its caller was cancelled
                        taken.append(one)
                if len(taken) < 2 or not await self._in_one(taken):
                    for work, future in taken:
                        await self._alone(work, future)
        finally:
            self._busy -= 1

    async def _in_one(self, taken: list[Piece]) -> bool:
        """False: something failed, and nothing was done."""
        try:
            async with self._database.begin() as connection:
                results = [await work(connection) for work, _ in taken]
        except Exception:  # noqa: BLE001 - each is tried alone then, and what fails says so
            return False
        for (_, future), result in zip(taken, results, strict=True):
            if not future.done():
                future.set_result(result)
        return True

    async def _alone(self, work: Work, future: asyncio.Future[Any]) -> None:
        try:
            async with self._database.begin() as connection:
                result = await work(connection)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)
