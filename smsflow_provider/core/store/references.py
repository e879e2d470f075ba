"""Messages by the gateway's own id, for gateways whose receipts name nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.statements import statements

_SQL = "references"


def add_references(
    connection: Connection, gateway: str, rows: Sequence[tuple[str, int, int]]
) -> None:
    """
    Note which messages the gateway's own ids mean, in an open transaction.

    An id that comes again means the later message: gateways count round. Rows without an id are
    left out. Cheap when *rows* is empty.

    Args:
        gateway: The connection through which the messages went.
        rows: Gateway's id, preparation, position.
    """
    named = {ref: (preparation, position) for ref, preparation, position in rows if ref}
    if not named:
        return
    connection.execute(
        statements(_SQL)["add_references"],
        {
            "gateway": gateway,
            "refs": list(named),
            "preparations": [preparation for preparation, _ in named.values()],
            "positions": [position for _, position in named.values()],
        },
    )


def forget_old_references(store: Store) -> int:
    """
    Drop the references of deliveries that ended more than eight days ago, for maintenance.

    A receipt that comes later than that and names nothing else is a stray. Returns how many.
    """
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["forget_old_references"]).rowcount
