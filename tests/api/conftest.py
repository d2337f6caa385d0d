"""A world to call: one process's API on SQLite, two dealers, users, and a sub-user.

``call("tracker/list", ...)`` posts JSON as the first user; ``world`` has the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from api_opening import (
    new_world,
    open_foldings,
    open_ingest,
    open_services,
    quick_passwords,
    settle,
)
from api_world import World

from waypost.accounts.passwords import Passwords
from waypost.api.services import Services
from waypost.ingest import Foldings, Ingest
from waypost.protocols import all_protocols
from waypost.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the world; a test module that needs others has a fixture of this name."""
    return Settings(data_dir=tmp_path / "data", api_rate=0)


@pytest.fixture
def passwords() -> Passwords:
    """Quick ones."""
    return quick_passwords()


@pytest.fixture
async def services(settings: Settings, passwords: Passwords) -> AsyncIterator[Services]:
    """What actions use, on an empty database."""
    async with open_services(settings, passwords) as services:
        yield services


@pytest.fixture
async def ingest(services: Services) -> AsyncIterator[Ingest]:
    """Where devices' messages go in."""
    async with open_ingest(services) as ingest:
        yield ingest


@pytest.fixture
async def foldings(services: Services, ingest: Ingest) -> AsyncIterator[Foldings]:
    """What keeps ingest's ways of reading messages right."""
    async with open_foldings(services, ingest) as foldings:
        yield foldings


@pytest.fixture
async def world(services: Services, ingest: Ingest, foldings: Foldings) -> AsyncIterator[World]:
    world = new_world(services, ingest, foldings)
    await settle(world)
    yield world
    await world.client.aclose()


@pytest.fixture
def all_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every protocol has instructions of every kind."""
    for protocol in all_protocols().values():
        monkeypatch.setattr(protocol, "can_tell", classmethod(lambda *_: True))


@pytest.fixture
def call(world: World) -> Any:
    """``await call(path, who="user", **params)``: the reply's JSON."""
    return world.call
