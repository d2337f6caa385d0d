"""Opens what the API's tests call: one process's services on SQLite, and the people in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_world import NOON, PASSWORD, Clock, World
from argon2 import PasswordHasher
from sqlalchemy import insert

from waypost.accounts.passwords import Passwords
from waypost.accounts.service import Accounts
from waypost.api.services import Services
from waypost.bus.local import LocalBus
from waypost.catalog.rights import PANEL_PERMISSIONS
from waypost.commands.queue import CommandQueue
from waypost.fleet.service import Fleet
from waypost.ingest import Foldings, Ingest
from waypost.settings import Settings
from waypost.store.engine import POINTS_FILE, Database
from waypost.store.points_sqlite import SqlitePoints
from waypost.store.tables import dealers, metadata, security_groups, tariffs


def quick_passwords() -> Passwords:
    """Hashing that costs nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def open_services(settings: Settings, passwords: Passwords) -> AsyncIterator[Services]:
    """What actions use, on the database in ``settings.data_dir``, whose tables are made where they
    are missing."""
    database = await Database.open(settings)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    bus = LocalBus()
    accounts = Accounts(database, settings, bus, passwords)
    await accounts.start()
    points = SqlitePoints(settings.data_dir / POINTS_FILE)
    await points.open()
    fleet = await Fleet.open(database, points, bus, settings)
    try:
        yield Services(
            settings=settings,
            database=database,
            bus=bus,
            accounts=accounts,
            points=points,
            fleet=fleet,
            commands=CommandQueue(database, bus, settings),
        )
    finally:
        await fleet.close()
        await points.close()
        await accounts.close()
        await bus.close()
        await database.close()


@asynccontextmanager
async def open_ingest(services: Services) -> AsyncIterator[Ingest]:
    """Where devices' messages go in."""
    ingest = Ingest(services.points, services.bus, owner="test")
    ingest.start()
    try:
        yield ingest
    finally:
        await ingest.close()


@asynccontextmanager
async def open_foldings(services: Services, ingest: Ingest) -> AsyncIterator[Foldings]:
    """What keeps ingest's ways of reading messages right."""
    foldings = await Foldings.open(services.database, services.bus, services.settings, ingest)
    try:
        yield foldings
    finally:
        await foldings.close()


async def settle(world: World) -> None:
    """Two dealers with their panels, users and a sub-user come to live in an empty world."""
    services = world.services
    world.password_hash = await services.accounts.passwords.hash(PASSWORD)
    permissions = {name: list(able) for name, able in PANEL_PERMISSIONS.items()}
    async with services.database.begin() as connection:
        one, other = [
            await connection.scalar(
                insert(dealers).values(title=title, created_at=NOON).returning(dealers.c.id)
            )
            for title in ("One", "Other")
        ]
        assert one is not None
        assert other is not None
        world.dealer_id = one
        tariff_id = await connection.scalar(
            insert(tariffs)
            .values(dealer_id=one, name="Default", features=["multilevel_access"])
            .returning(tariffs.c.id)
        )
        assert tariff_id is not None
        world.tariff_id = tariff_id
    await world.add_panel("panel", one, permissions)
    await world.add_panel("other_panel", other, permissions)
    user = await world.add_user(
        "user", one, time_zone="America/New_York", default_tariff_id=world.tariff_id
    )
    await world.add_user("stranger", one)
    await world.add_user("foreigner", other)
    async with services.database.begin() as connection:
        group = await connection.scalar(
            insert(security_groups)
            .values(user_id=user, label="Helpers", rights=["tag_update"])
            .returning(security_groups.c.id)
        )
    await world.add_user("sub", one, master_id=user, security_group_id=group)


def new_world(services: Services, ingest: Ingest, foldings: Foldings) -> World:
    """A world at noon."""
    return World(services, ingest, foldings, Clock())
