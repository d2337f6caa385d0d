"""Brings the relational schema up to date at start, or says clearly why it cannot.

All steps of an upgrade run in one transaction (both engines can), so that an interrupted one
leaves the schema as it was; two processes that start together take turns.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from waypost.store.engine import Database
from waypost.store.points import SchemaError

log = structlog.get_logger()

#: Advisory lock of whoever migrates, in PostgreSQL.
LOCK = 0x57505F6D


def configuration() -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


async def migrate(database: Database) -> None:
    """Upgrades to this program's schema. Raises :class:`SchemaError` for a database that a newer
    program has upgraded, or that holds tables of ours without saying of which version."""
    async with database.begin() as connection:
        await connection.run_sync(upgrade)


def upgrade(connection: Connection) -> None:
    """The same, within the caller's transaction."""
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
