"""Finding the store outside a task: in the API server, in migrations, on the command line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

from smsflow_provider.hooks.store import StoreHook, dsn_of

if TYPE_CHECKING:
    from smsflow_provider.core.store.connection import Store

log = logging.getLogger(__name__)


def find_store(store_conn_id: str = StoreHook.default_conn_name) -> Store:
    """
    Find the store by its connection, from the environment, a secrets backend or the metadata.

    Raises:
        AirflowNotFoundException: There is no such connection.
        ConfigError: The connection cannot be read.
    """
    from smsflow_provider.core.store.connection import Store  # noqa: PLC0415  loads psycopg

    return Store(dsn_of(find_connection(store_conn_id)))


def find_connection(conn_id: str) -> Any:
    """
    Ask Airflow's secrets backends in their order, as ``Connection.get_connection_from_secrets``.

    That one logs a warning about the underscore of our connection type at each call, and the API
    server looks every second.

    Raises:
        AirflowNotFoundException: No backend has a connection of that name.
    """
    from airflow.configuration import ensure_secrets_loaded  # noqa: PLC0415  not in a task

    for backend in ensure_secrets_loaded():
        connection = _ask(backend, conn_id)
        if connection is not None:
            return connection
    raise AirflowNotFoundException(f"there is no connection {conn_id}")


def _ask(backend: Any, conn_id: str) -> Any:
    try:
        return backend.get_connection(conn_id=conn_id)
    except AirflowSecretsBackendAccessDenied:
        raise
    except Exception as error:  # noqa: BLE001  the next backend may know it, as in Airflow
        log.debug("A secrets backend has no answer", extra={"cause": type(error).__name__})
        return None
