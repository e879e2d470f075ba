"""Where polls of gateways stand."""

from __future__ import annotations

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.statements import statements

_SQL = "cursors"


def read_cursor(store: Store, gateway: str, name: str) -> str:
    """Read where the poll *name* of *gateway* stands; empty: at the beginning."""
    with store.transaction() as connection:
        values = {"gateway": gateway, "name": name}
        row = connection.execute(statements(_SQL)["read_cursor"], values).fetchone()
    return "" if row is None else str(row["value"])


def move_cursor(
    connection: Connection, gateway: str, name: str, *, before: str, after: str
) -> bool:
    """
    Move a cursor in an open transaction, if it still stands at *before*.

    Locks it until that ends. Returns whether it did: False when somebody else has moved it.
    """
    values = {"gateway": gateway, "name": name, "before": before, "after": after}
    connection.execute(statements(_SQL)["ensure_cursor"], values)
    return connection.execute(statements(_SQL)["move_cursor"], values).rowcount == 1
