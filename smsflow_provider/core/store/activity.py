"""Who did what about a delivery, and when."""

from __future__ import annotations

from datetime import datetime

from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements


def read_activity(
    store: Store, delivery: Delivery, *, before: tuple[datetime, str, int] | None, limit: int
) -> list[Row]:
    """
    Read a page of what happened, newest first: moves, decisions, proofs, audit lines.

    Args:
        before: ``at``, ``source`` and ``no`` of the last entry of the page before.

    Returns:
        ``at``, ``source``, ``no``, ``event``, ``actor`` (empty: the system), ``level``, ``facts``
        and ``preparation`` (0: not about one).
    """
    at, source, no = before or (None, "", 0)
    values = {"delivery_no": delivery.no, "at": at, "source": source, "no": no, "limit": limit}
    with store.transaction() as connection:
        return connection.execute(statements("activity")["activity"], values).fetchall()
