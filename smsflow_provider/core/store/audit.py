"""Who did what beyond the moves of a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.statements import statements


def write_audit(
    connection: Connection,
    *,
    actor: str,
    action: str,
    delivery_no: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Note who did what, in an open transaction. No number and no text in *facts*."""
    connection.execute(
        statements("audit")["write_audit"],
        {
            "actor": actor,
            "action": action,
            "delivery_no": delivery_no,
            "facts": Jsonb(dict(facts or {})),
        },
    )
