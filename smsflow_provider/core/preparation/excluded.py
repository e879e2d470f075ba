"""Those who get no text, as a reviewer lists them: by reason, a page at a time, numbers masked."""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.store.archive import check_kept
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import excluded_of, find_delivery
from smsflow_provider.core.store.exclusions import read_excluded


def excluded_for(
    store: Store, delivery_id: str, *, reason: Exclusion, after: int = 0, limit: int = 50
) -> dict[str, Any]:
    """
    List whom one delivery leaves out for one reason, in the order of the audience.

    Counts no row: how many there are is a figure of the preparation.

    Args:
        after: The ``next`` of the page before; 0: the first page.
        limit: People, 1 to 1,000.

    Returns:
        JSON values: ``delivery``, ``fingerprint``, ``reason``, ``total``, ``people``
        (``row_number`` in the audience, ``recipient_id``, ``to_masked``, None without a number,
        ``detail``, ``winner_id``: who gets the text of a duplicate) and ``next`` (None: this is
        the last page). Without a complete preparation there is nobody.

    Raises:
        NotFoundError: There is no such delivery, or its rows are archived.
        ValueError: *limit* is out of bounds.
    """
    delivery = find_delivery(store, delivery_id)
    check_kept(store, delivery.id, delivery.preparation)
    rows = read_excluded(store, delivery, reason=reason, after=after, limit=limit)
    return {
        "delivery": delivery.id,
        "fingerprint": delivery.fingerprint,
        "reason": reason.value,
        "total": excluded_of(delivery).get(reason.value, 0),
        "people": [_shown(row) for row in rows],
        "next": rows[-1]["row_number"] if len(rows) == limit else None,
    }


def _shown(row: Row) -> dict[str, Any]:
    phone = row["phone"]
    return {
        "row_number": row["row_number"],
        "recipient_id": row["recipient_id"],
        "to_masked": None if phone is None else mask_phone(phone),
        "detail": row["detail"],
        "winner_id": row["winner_id"],
    }
