"""A running gateway for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_world import PROTOCOLS, World

from waypost.bus.local import LocalBus
from waypost.commands import CommandQueue
from waypost.gateway import Gateway
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import metadata

Start = Callable[..., Awaitable[World]]


@pytest.fixture
async def start(data_dir: Path) -> AsyncIterator[Start]:
    """Starts a gateway with these settings (and the made-up protocols)."""
    worlds: list[World] = []
    database: Database | None = None

    async def run(**values: Any) -> World:
        nonlocal database
        values.setdefault("device_port", {"all": 0})
        values.setdefault("device_host", "127.0.0.1")
        settings = Settings(data_dir=data_dir, **values)
        if database is None:
            database = await Database.open(settings)
            async with database.begin() as connection:
                await connection.run_sync(metadata.create_all)
        world = World()
        world.settings = settings
        world.database = database
        world.bus = LocalBus()
        world.queue = CommandQueue(database, world.bus, settings)
        directory: Any = world.directory
        ingest: Any = world.ingest
        world.gateway = await Gateway.start(
            settings, database, world.bus, directory, ingest, world.queue, protocols=PROTOCOLS
        )
        worlds.append(world)
        return world

    yield run
    for world in worlds:
        await world.close()
    if database is not None:
        await database.close()


@pytest.fixture
async def world(start: Start) -> World:
    """A gateway with one registered device, ``d1`` (source 1)."""
    running = await start()
    running.directory.register("d1", 1)
    return running
