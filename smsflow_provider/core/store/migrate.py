"""Bring the store's schema to what this code needs, and tell whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from smsflow_provider.core.errors import SchemaError
from smsflow_provider.core.store.connection import Store

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

#: Held while migrating, so that two machines that start at once do not run the same step.
_LOCK = 0x736D73666C6F77


def migrate(store: Store) -> str:
    """
    Run every migration the store lacks. Two at once: the second waits and finds nothing to do.

    Returns:
        The revision the schema has now.

    Raises:
        StoreUnreachableError: No connection.
        SchemaError: The schema is newer than this code; nothing was changed.
    """
    from alembic import command  # noqa: PLC0415  heavy, and only migrations need it

    _check_known(current_revision(store))
    with _migrating(store) as config:
        command.upgrade(config, "head")
    return check_schema(store)


def drop(store: Store) -> None:
    """Remove every table of smsflow, with all that is in them."""
    from alembic import command  # noqa: PLC0415  heavy, and only migrations need it

    with store.transaction() as connection:
        partitions = connection.execute(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
            " WHERE inhparent::regclass::text LIKE 'smsflow\\_%%'"
        ).fetchall()
        for row in partitions:
            connection.execute(f"DROP TABLE IF EXISTS {row['name']}".encode())
    with _migrating(store) as config:
        command.downgrade(config, "base")


def current_revision(store: Store) -> str | None:
    """Read the revision of the schema. None: there is none yet."""
    with store.transaction() as connection:
        found = connection.execute("SELECT to_regclass('smsflow_alembic_version') AS t").fetchone()
        if found is None or found["t"] is None:
            return None
        row = connection.execute("SELECT version_num FROM smsflow_alembic_version").fetchone()
    return str(row["version_num"]) if row else None


def newest_revision() -> str:
    """Read the revision this code was written for."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  heavy, only migrations need it

    return str(ScriptDirectory.from_config(_config()).get_current_head())


def check_schema(store: Store) -> str:
    """
    Make sure that the schema is the one this code was written for.

    Returns:
        The revision.

    Raises:
        SchemaError: It is another one; the facts name both, and the command that mends it.
    """
    found, needed = current_revision(store), newest_revision()
    _check_known(found)
    if found != needed:
        raise SchemaError(
            "the store's schema is not the one this version needs: run 'smsflow db migrate'",
            found=found,
            needed=needed,
        )
    return needed


def _check_known(found: str | None) -> None:
    """Raise if the schema is newer than this code: no migration of ours leads there."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  heavy, only migrations need it

    script = ScriptDirectory.from_config(_config())
    known = {each.revision for each in script.walk_revisions()}
    if found is not None and found not in known:
        raise SchemaError(
            "the store was migrated by a newer version of smsflow: upgrade this one",
            found=found,
            needed=script.get_current_head(),
        )


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415  heavy, and only migrations need it

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@contextmanager
def _migrating(store: Store) -> Iterator[Config]:
    """Hand out a configuration bound to a connection that holds the migration lock."""
    from sqlalchemy import create_engine, text  # noqa: PLC0415  heavy, only migrations need it
    from sqlalchemy.pool import NullPool  # noqa: PLC0415  same

    engine = create_engine("postgresql+psycopg://", creator=store.connect_plain, poolclass=NullPool)
    connection: Connection
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        yield config
