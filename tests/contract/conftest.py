"""A stage for every test of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contract_stage import Stage, Theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage that no other test has."""
    async with theatre.stage(tmp_path / "data") as stage:
        yield stage
