"""Alembic's entry: runs on the connection that core/store/migrate.py hands in."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="smsflow_alembic_version",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
