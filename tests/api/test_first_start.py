"""The first start makes what a newcomer needs, once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import func, select

from waypost.accounts.first_start import FILE, first_start, renew_first_login
from waypost.accounts.passwords import Passwords, password_fault, random_password
from waypost.accounts.service import Accounts
from waypost.bus.local import LocalBus
from waypost.catalog.rights import PANEL_PERMISSIONS
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.migrate import migrate
from waypost.store.tables import dealers, tariffs, users


@pytest.fixture
def settings(data_dir: Path, database_url: str) -> Settings:
    return Settings(data_dir=data_dir, database=database_url)


@pytest.fixture
async def database(settings: Settings) -> Database:
    database = await Database.open(settings)
    await migrate(database)
    return database


async def test_the_first_start_gives_log_ins_that_work(
    database: Database, settings: Settings, passwords: Passwords
) -> None:
    logins = await first_start(database, settings, 1_700_000_000_000, passwords)
    assert logins is not None
    file = settings.data_dir / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert renew_first_login(settings.data_dir, "http://127.0.0.1:8080")
    kept = json.loads(file.read_text())
    assert set(kept) == {"http", "panel", "user"}
    assert kept["http"] == "http://127.0.0.1:8080"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in settings.data_dir.glob("*first*")] == [FILE]
    assert kept["panel"]["password"] != kept["user"]["password"]
    accounts = Accounts(database, settings, LocalBus(), passwords)
    await accounts.log_in_user(
        kept["user"]["login"], kept["user"]["password"], None, "", 1_700_000_000_000
    )
    _, panel = await accounts.log_in_panel(
        kept["panel"]["login"], kept["panel"]["password"], "", 1_700_000_000_000
    )
    assert panel.login == str(panel.dealer_id)
    assert panel.permissions == {name: list(able) for name, able in PANEL_PERMISSIONS.items()}
    async with database.read() as connection:
        row = (await connection.execute(select(users))).one()
        tariff = (await connection.execute(select(tariffs))).one()
    assert row.default_tariff_id == tariff.id
    assert "multilevel_access" in tariff.features
    assert kept["user"]["password"] not in str(row)
    await database.close()


async def test_a_second_start_changes_nothing(
    database: Database, settings: Settings, passwords: Passwords
) -> None:
    await first_start(database, settings, 1, passwords)
    before = (settings.data_dir / FILE).read_bytes()
    assert await first_start(database, settings, 2, passwords) is None
    assert (settings.data_dir / FILE).read_bytes() == before
    (settings.data_dir / FILE).unlink()
    assert not renew_first_login(settings.data_dir, "http://x")
    assert not (settings.data_dir / FILE).exists()
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(dealers)) == 1
    await database.close()


async def test_a_start_that_cannot_write_the_file_makes_nothing(
    database: Database, settings: Settings, passwords: Passwords
) -> None:
    (settings.data_dir / FILE).mkdir(parents=True)
    with pytest.raises(OSError, match=FILE):
        await first_start(database, settings, 1, passwords)
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(dealers)) == 0
    await database.close()


def test_random_passwords_satisfy_the_rules_and_differ() -> None:
    made = {random_password() for _ in range(200)}
    assert len(made) == 200
    assert {password_fault(password) for password in made} == {None}
