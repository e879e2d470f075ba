"""Messages in doubt that go once more because the user's policy says so."""

from __future__ import annotations

from collections import Counter

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.counters import add_to_chunk, chunk_of
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements


def again_by_policy(store: Store, delivery: Delivery, *, older_than_s: float) -> float | None:
    """
    Let the messages in doubt of a delivery that is being sent go once more (``at_least_once``).

    Each at most twice: a gateway that takes texts and never answers must not be fed for ever.

    Args:
        older_than_s: Seconds since it was recorded that nobody knows.

    Returns:
        Seconds until the next one is old enough. None: there is none.
    """
    sqls = statements("again")
    values = {
        "preparation": delivery.preparation,
        "delivery_no": delivery.no,
        "older_than_s": older_than_s,
    }
    with store.transaction() as connection:
        if connection.execute(sqls["hold_sending"], values).fetchone() is None:
            return None
        if not connection.execute(sqls["lock_doubtful"], values).fetchall():
            return None
        rows = connection.execute(sqls["again"], values).fetchall()
        moved = Counter(chunk_of(row["position"]) for row in rows)
        for chunk, count in sorted(moved.items()):
            changes = {"unknown": -count, "waiting": count}
            add_to_chunk(connection, delivery.preparation, chunk, changes)
        left = connection.execute(sqls["next_doubt"], values).fetchone()
    return None if left is None or left["left_s"] is None else float(left["left_s"])
