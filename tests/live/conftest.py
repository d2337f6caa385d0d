"""The world of the API's tests, behind a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_opening import open_foldings, open_ingest, open_services, quick_passwords, settle
from api_world import World
from live_world import LiveWorld, Ticking

from waypost.api.server import ApiServer, address, listen
from waypost.live import Live
from waypost.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the server; a test module that needs others has a fixture of this name."""
    return Settings(data_dir=tmp_path / "data", api_rate=0, http="127.0.0.1:0")


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveWorld]:
    async with (
        open_services(settings, quick_passwords()) as services,
        open_ingest(services) as ingest,
        open_foldings(services, ingest) as foldings,
    ):
        world = World(services, ingest, foldings, Ticking())
        await settle(world)
        events = Live(
            settings,
            services.bus,
            services.accounts,
            services.fleet,
            services.commands,
            clock=world.clock,
        )
        await events.start()
        listening = listen(settings)
        server = ApiServer(world.api, listening, settings, events.accept)
        await server.start()
        found = LiveWorld(world, events, address(settings, listening).replace("http", "ws", 1))
        yield found
        await found.close()
        await server.close()
        await events.close()
        await world.client.aclose()
        listening.close()
