"""The relational schema's history: one module a step under ``versions``, run by Alembic."""
