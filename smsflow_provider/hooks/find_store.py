"""Finding the store outside a task: in the API server, in migrations, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smsflow_provider.hooks.store import StoreHook, dsn_of

if TYPE_CHECKING:
    from smsflow_provider.core.store.connection import Store


def find_store(store_conn_id: str = StoreHook.default_conn_name) -> Store:
    """
    Find the store by its connection, from the environment, a secrets backend or the metadata.

    Raises:
        AirflowNotFoundException: There is no such connection.
        ConfigError: The connection cannot be read.
    """
    from airflow.models import Connection  # noqa: PLC0415  not in a task

    from smsflow_provider.core.store.connection import Store  # noqa: PLC0415  loads psycopg

    return Store(dsn_of(Connection.get_connection_from_secrets(store_conn_id)))  # noqa: AIR311
