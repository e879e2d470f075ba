"""Lets ``airflow db migrate`` migrate the store, which is another database than Airflow's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.utils.db_manager import BaseDBManager
from sqlalchemy import MetaData

import smsflow_provider.core.store
from smsflow_provider.core.errors import SchemaError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import check_schema, current_revision, drop, migrate
from smsflow_provider.hooks.find_store import find_store

_FOLDER = Path(smsflow_provider.core.store.__file__).parent / "migrations"


class SmsflowDBManager(BaseDBManager):
    """
    Runs the store's own migrations when Airflow runs its.

    Without a connection ``smsflow_store`` it says so and goes on; with one that does not answer
    it fails. Nothing is written to Airflow's metadata database.
    """

    metadata = MetaData()
    version_table_name = "smsflow_alembic_version"
    migration_dir = str(_FOLDER)
    alembic_file = ""
    supports_table_dropping = True

    def get_current_revision(self) -> str | None:
        """Read the revision of the store's schema."""
        store = self._store()
        return current_revision(store) if store else None

    def check_migration(self) -> bool:
        """Whether the store's schema is the one this version needs; True without a store."""
        store = self._store()
        if store is None:
            return True
        try:
            check_schema(store)
        except SchemaError:
            return False
        return True

    def initdb(self, use_migration_files: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Migrate the store."""
        self.upgradedb()

    def upgradedb(self, *_: Any, **__: Any) -> None:
        """Migrate the store; migrations are always run, never replaced by ``create_all``."""
        store = self._store()
        if store is None:
            self.log.warning("There is no connection smsflow_store: its migration is left out")
            return
        self.log.info("The smsflow store is at revision %s", migrate(store))

    def downgrade(
        self,
        to_revision: str,
        from_revision: str | None = None,
        show_sql_only: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Not offered: a ledger of what was sent is not taken apart."""
        raise NotImplementedError("the store of smsflow is not downgraded")

    def drop_tables(self, connection: Any) -> None:  # noqa: ARG002
        """Drop the store's tables, when ``airflow db reset`` drops Airflow's."""
        store = self._store()
        if store is not None and current_revision(store) is not None:
            drop(store)

    def _store(self) -> Store | None:
        try:
            return find_store()
        except AirflowNotFoundException:
            return None
