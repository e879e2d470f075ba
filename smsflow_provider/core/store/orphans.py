"""What a lost worker leaves behind: marks that nobody has settled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from smsflow_provider.core.store.connection import Connection, Row
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements


def reap(connection: Connection, delivery: Delivery, *, lease_s: float) -> int:
    """
    Fence the workers that were silent for longer than *lease_s*, and settle what they left.

    Returns:
        How many there were.
    """
    sqls = statements("ledger")
    values = {"delivery_no": delivery.no, "lease_s": lease_s}
    lost = connection.execute(sqls["lost_lanes"], values).fetchall()
    if lost:
        _end_lanes(connection, delivery, lost)
    return len(lost)


def _end_lanes(connection: Connection, delivery: Delivery, lost: Sequence[Row]) -> None:
    sqls = statements("ledger")
    connection.execute(
        sqls["fence_lanes"], {"delivery_no": delivery.no, "lost": [row["lane"] for row in lost]}
    )
    rows = connection.execute(
        sqls["lock_leased_chunks"],
        {"preparation": delivery.preparation, "epochs": [row["epoch"] for row in lost]},
    ).fetchall()
    settle_chunks(connection, delivery.preparation, [row["chunk"] for row in rows])


def settle_chunks(connection: Connection, preparation: int, chunks: Sequence[int]) -> None:
    """
    Settle the marks of *chunks* that have no outcome, and free the chunks. They are locked.

    With a receipt a message is ``accepted``; without one it is ``unknown``.
    """
    if not chunks:
        return
    values = {"preparation": preparation, "chunks": list(chunks)}
    rows = connection.execute(statements("ledger")["orphaned_marks"], values).fetchall()
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[chunk_of(row["position"])][row["kind"]] += 1
    for chunk in sorted(found):
        add_to_chunk(connection, preparation, chunk, found[chunk])
    connection.execute(statements("ledger")["free_chunks"], values)


def settle_former(connection: Connection, preparation: int) -> None:
    """
    Settle what a sender of the former version left, which leased no chunks.

    Reads all marks and outcomes of the preparation once.
    """
    sqls = statements("ledger")
    values = {"preparation": preparation}
    rows = connection.execute(sqls["lock_all_chunks"], values).fetchall()
    settle_chunks(connection, preparation, [row["chunk"] for row in rows])
    connection.execute(sqls["count_waiting"], values)
