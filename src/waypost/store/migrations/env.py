"""What Alembic runs; the connection comes from ``store.migrate``, never from a configuration
file."""

from __future__ import annotations

from alembic import context

from waypost.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run migrations by starting waypost, or see docs for making a new one")
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
