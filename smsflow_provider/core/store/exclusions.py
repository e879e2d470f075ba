"""Who was left out of a preparation, a page at a time."""

from __future__ import annotations

from typing import Final

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

#: People on one page, at the most.
MOST_EXCLUDED: Final = 1_000


def read_excluded(
    store: Store, delivery: Delivery, *, reason: Exclusion, after: int = 0, limit: int = 50
) -> list[Row]:
    """
    Read a page of those whom *delivery* leaves out for one reason, in the order of their rows.

    What a page costs depends on its length, not on how many are left out or how rare the reason
    is; only a preparation of an earlier version is read whole.

    Args:
        after: Row number of the last one of the page before; 0: the first page.
        limit: People, 1 to 1,000.

    Returns:
        ``row_number``, ``recipient_id``, ``phone`` (whole, None where there was none: whoever
        shows it masks it), ``detail`` and ``winner_id``. Nothing, and no error, where there is no
        complete preparation, or its rows were dropped.

    Raises:
        ValueError: *limit* is out of bounds.
    """
    if not 1 <= limit <= MOST_EXCLUDED:
        raise ValueError(f"a page has 1 to {MOST_EXCLUDED} people")
    if delivery.fingerprint is None:
        return []
    values = {
        "preparation": delivery.preparation,
        "reason": reason.value,
        "after": after,
        "limit": limit,
    }
    with store.transaction() as connection:
        return connection.execute(statements("exclusions")["excluded_page"], values).fetchall()
