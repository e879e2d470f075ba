"""What the codes of gateways mean in words, for those who look: outside tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

from smsflow_provider.core.gateways.registry import GATEWAY_TYPES
from smsflow_provider.hooks.find_store import find_connection

if TYPE_CHECKING:
    from smsflow_provider.core.gateways.error_table import ErrorTable

#: A connection is read again after so many seconds: pages ask every two.
_READ_EVERY_S = 60


def meanings_of(conn_ids: Sequence[str]) -> Callable[[str], str]:
    """
    Make what gives the meaning of a code, by the error tables of some connections of gateways.

    The first one that lists the code has the word; empty: none does, or the code is one of ours.
    A connection is read when there is a code to look up, and never fails: one that is gone, or
    whose package is, has no table. Nothing is asked of a gateway.
    """

    def meaning_of(code: str) -> str:
        if not code:
            return ""
        period = int(time.monotonic() // _READ_EVERY_S)
        tables = (_table_of(_conn_type_of(conn_id, period)) for conn_id in conn_ids)
        found = (table.meaning_of(code) for table in tables if table is not None)
        return next(filter(None, found), "")

    return meaning_of


@lru_cache(maxsize=1_000)
def _conn_type_of(conn_id: str, period: int) -> str:
    del period
    try:
        return find_connection(conn_id).conn_type or ""
    except (AirflowNotFoundException, AirflowSecretsBackendAccessDenied):
        return ""


@cache
def _table_of(conn_type: str) -> ErrorTable | None:
    kind = GATEWAY_TYPES.get(conn_type)
    return None if kind is None else kind.error_table()
