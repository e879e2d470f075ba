"""Which gateways have taken messages lately."""

from __future__ import annotations

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.statements import statements


def recent_gateways(store: Store, *, days: int) -> list[str]:
    """
    Name the gateways, by connection, of deliveries that began to send in the last *days*.

    Those that deliveries may fail over to are among them; dry runs do not count.
    """
    sql = statements("used_gateways")["recent_gateways"]
    with store.transaction() as connection:
        rows = connection.execute(sql, {"days": days}).fetchall()
    return [str(row["gateway"]) for row in rows]
