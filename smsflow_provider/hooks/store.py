"""The store, through an Airflow connection of type ``smsflow_store``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from smsflow_provider.core.errors import ConfigError, SmsflowError, UnknownSettingError

if TYPE_CHECKING:
    from smsflow_provider.core.store.connection import Store

#: Extra fields of the connection that libpq gets; nothing else is passed on.
LIBPQ_EXTRAS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs")


class StoreHook(BaseHook):
    """
    Reach the store.

    Opens nothing until the store is used.

    :param store_conn_id: Connection of type ``smsflow_store``.
    """

    conn_name_attr = "store_conn_id"
    default_conn_name = "smsflow_store"
    conn_type = "smsflow_store"
    hook_name = "smsflow store (PostgreSQL)"

    def __init__(self, store_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store_conn_id = store_conn_id

    def store(self) -> Store:
        """
        Translate the connection into a store.

        Raises:
            ConfigError: There is no such connection, or it cannot be read.
        """
        from smsflow_provider.core.store.connection import Store  # noqa: PLC0415  loads psycopg

        try:
            connection = self.get_connection(self.store_conn_id)
        except AirflowNotFoundException:
            raise ConfigError(
                "there is no connection to the store: add one of type smsflow_store",
                conn_id=self.store_conn_id,
            ) from None
        return Store(dsn_of(connection))

    def get_conn(self) -> Store:
        """Airflow's name for it."""
        return self.store()

    def test_connection(self) -> tuple[bool, str]:
        """Connect and compare the schema, for Airflow's Test button."""
        from smsflow_provider.core.store.migrate import check_schema  # noqa: PLC0415  heavy

        try:
            revision = check_schema(self.store())
        except SmsflowError as error:
            return False, str(error)
        return True, f"The store answers; its schema is {revision}."


def dsn_of(connection: Any) -> str:
    """
    Write the libpq connection string of an Airflow connection.

    Raises:
        ConfigError: No host or no database.
        UnknownSettingError: An extra field that is not in ``LIBPQ_EXTRAS``.
    """
    extra = connection.extra_dejson
    unknown = sorted(set(extra) - set(LIBPQ_EXTRAS))
    if unknown:
        raise UnknownSettingError(
            "unknown extra fields of the store's connection",
            conn_id=connection.conn_id,
            names=unknown,
            known=LIBPQ_EXTRAS,
        )
    missing = [
        label
        for label, value in (("host", connection.host), ("schema (database)", connection.schema))
        if not value
    ]
    if missing:
        raise ConfigError(
            "the connection of the store lacks fields",
            conn_id=connection.conn_id,
            missing=missing,
        )
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  not at DAG parse time

    return make_conninfo(
        "",
        host=connection.host,
        port=connection.port or 5432,
        dbname=connection.schema,
        user=connection.login or None,
        password=connection.password or None,
        **{name: value for name, value in extra.items() if value not in {None, ""}},
    )
