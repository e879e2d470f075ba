"""The dialects of all gateways at hand, for the receiver: who signed a call, and what it says."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smsflow_provider.core.gateways.base import Dialect
    from smsflow_provider.core.store.connection import Store

_VARIABLE = "AIRFLOW_CONN_"
#: Gateways of deliveries that began in so many days may still call.
_DAYS = 30

log = logging.getLogger(__name__)


def read_dialects(store: Store) -> dict[str, Dialect]:
    """
    Read the connections of gateways and make their dialects. Takes seconds the first time.

    Looked at are those that deliveries of the last month name, those in environment variables
    ``AIRFLOW_CONN_*``, and those in Airflow's metadata database where it can be reached. One of a
    secrets backend that no delivery names yet is not found. One that cannot be read is left out.

    Returns:
        Dialects by connection id.
    """
    from smsflow_provider.core.store.used_gateways import recent_gateways  # noqa: PLC0415  psycopg

    names = {*recent_gateways(store, days=_DAYS), *_in_environment(), *_in_metadata()}
    return dict(_dialects(sorted(names)))


def known_gateways(store: Store) -> tuple[set[str], set[str]]:
    """
    Name the gateways of deliveries of the last month, and the connections of gateways beside them.

    As for ``read_dialects``, one of a secrets backend that no delivery names yet is not found.
    """
    from smsflow_provider.core.store.used_gateways import recent_gateways  # noqa: PLC0415  psycopg

    used = {*recent_gateways(store, days=_DAYS)}
    in_environment = {name for name in _in_environment() if _is_gateway(name)}
    return used, {*in_environment, *_in_metadata()} - used


def _is_gateway(name: str) -> bool:
    from smsflow_provider.core.gateways.registry import GATEWAY_TYPES  # noqa: PLC0415
    from smsflow_provider.hooks.find_store import find_connection  # noqa: PLC0415

    try:
        return (find_connection(name).conn_type or "") in GATEWAY_TYPES
    except Exception as error:  # noqa: BLE001  one that cannot be read must not hide the others
        log.debug("A connection is left out", extra={"cause": type(error).__name__})
        return False


def _dialects(names: Iterable[str]) -> Iterable[tuple[str, Dialect]]:
    from smsflow_provider.core.errors import SmsflowError  # noqa: PLC0415
    from smsflow_provider.hooks.gateway import GatewayOutsideTasks  # noqa: PLC0415  takes seconds

    for name in names:
        try:
            yield name, GatewayOutsideTasks(name).dialect()
        except SmsflowError as error:
            facts = {"event": "connection_unread", "conn_id": name, "kind": type(error).__name__}
            log.debug("A connection is left out", extra=facts)
        except Exception as error:  # noqa: BLE001  one must not silence all others
            facts = {"event": "connection_broken", "conn_id": name, "kind": type(error).__name__}
            log.warning("A connection is left out: its gateway's code fails", extra=facts)


def _in_environment() -> list[str]:
    return [
        name.removeprefix(_VARIABLE).lower() for name in os.environ if name.startswith(_VARIABLE)
    ]


def _in_metadata() -> list[str]:
    from airflow.models.connection import Connection  # noqa: PLC0415  takes seconds
    from airflow.utils.session import create_session  # noqa: PLC0415

    from smsflow_provider.core.gateways.registry import GATEWAY_TYPES  # noqa: PLC0415

    try:
        with create_session() as session:
            found = session.query(Connection.conn_id).filter(
                Connection.conn_type.in_([*GATEWAY_TYPES])
            )
            return [str(row.conn_id) for row in found]
    except Exception as error:  # noqa: BLE001  a receiver alone may have no such database
        log.debug("No metadata database", extra={"cause": type(error).__name__})
        return []
