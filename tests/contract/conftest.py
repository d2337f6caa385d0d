"""A stage for every test of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contract_samples import furnish
from contract_stage import Stage, Theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.fixture(scope="session")
def furnished_theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"), furnish)


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage that no other test has: people, and nothing else."""
    async with theatre.stage(tmp_path / "data") as stage:
        yield stage


@pytest.fixture
async def furnished(furnished_theatre: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage that no other test has, with what the sample calls name."""
    async with furnished_theatre.stage(tmp_path / "data") as stage:
        yield stage
