"""Brings the relational schema up to date at start, or says clearly why it cannot.

All steps of an upgrade run in one transaction (both engines can), so that an interrupted one
leaves the schema as it was; two processes that start together take turns. Alembic is imported only
where there is something to do: it takes a quarter of a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text

from waypost.store.engine import Database
from waypost.store.points import SchemaError

if TYPE_CHECKING:
    from alembic.config import Config

log = structlog.get_logger()

#: Advisory lock of whoever migrates, in PostgreSQL.
LOCK = 0x57505F6D
MIGRATIONS = Path(__file__).parent / "migrations"


def configuration() -> Config:
    """Alembic's configuration, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


async def migrate(database: Database) -> None:
    """Upgrades to this program's schema. Raises :class:`SchemaError` for a database that a newer
    program has upgraded, or that holds tables of ours without saying of which version."""
    async with database.read() as connection:
        current = await connection.run_sync(_current)
    if current != head():
        async with database.begin() as connection:
            await connection.run_sync(upgrade)


def head() -> str:
    """This program's schema: each step is in a file that is named after it."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("v*.py")).removeprefix("v")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return current


def upgrade(connection: Connection) -> None:
    """The same, within the caller's transaction."""
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    config = configuration()
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    if current is None:
        if "dealers" in inspect(connection).get_table_names():
            raise SchemaError(
                "the database has Waypost's tables but does not say of which version: an upgrade "
                "was cut short by something else than Waypost. Restore a backup"
            )
    elif current not in {step.revision for step in script.walk_revisions()}:
        raise SchemaError(
            f"the database is of schema {current}, which this program (schema {head}) does not "
            "know: a newer Waypost has upgraded it. Start the newer one, or restore a backup"
        )
    log.info("schema_upgrade", version=head, before=current)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
