"""Runs jobs at their intervals. One that fails is logged and tried again at its next turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from prometheus_client import Counter

from waypost.jobs.leader import Leader

log = structlog.get_logger()

RUNS = Counter("waypost_jobs_total", "Jobs run", ["job", "outcome"])

#: How often one looks whether this process leads, and whether something is due, seconds.
TICK = 1.0


class Job(msgspec.Struct):
    """Something to do every ``interval`` seconds; ``run`` gets the time in ms."""

    name: str
    interval: float
    run: Callable[[int], Awaitable[object]]


class Scheduler:
    """The jobs of this process."""

    def __init__(self, leader: Leader, jobs: list[Job]) -> None:
        self._leader = leader
        self._jobs = jobs
        self._due = dict.fromkeys((job.name for job in jobs), time.monotonic())
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._leader.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            due = [job for job in self._jobs if time.monotonic() >= self._due[job.name]]
            if not due or not await self._leader.leads():
                continue
            for job in due:
                self._due[job.name] = time.monotonic() + job.interval
                await self._do(job)

    async def _do(self, job: Job) -> None:
        try:
            await job.run(time.time_ns() // 1_000_000)
        except Exception:
            RUNS.labels(job.name, "failed").inc()
            log.exception("job_failed", job=job.name)
        else:
            RUNS.labels(job.name, "done").inc()
