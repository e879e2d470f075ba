"""The messages of a delivery and what became of each, for people: no whole number, no text."""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.delivery.report import archived_facts
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import message_id_of
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.archive import find_archive
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.message_log import read_message_log


def message_log(
    store: Store,
    delivery_id: str,
    *,
    state: MessageState | None = None,
    after: int = 0,
    limit: int = 50,
) -> dict[str, Any]:
    """
    Give a page of the messages of a delivery, in the order in which they were prepared.

    Args:
        state: Only these. None: all.
        after: The ``next`` of the page before; 0: the first page.
        limit: Messages, 1 to 1,000.

    Returns:
        ``delivery``; ``messages``, each with ``position``, ``message_id`` (what the gateway was
        told), ``recipient_id``, ``phone`` (masked), ``parts``, ``state``, ``code``,
        ``gateway_ref`` and ``changed_at``; and ``next``: None on the last page. Empty before it is
        prepared. Once its messages are archived there are none, and ``archived`` says where they
        are, as in a report.

    Raises:
        NotFoundError: There is no such delivery.
        ValueError: *limit* is out of bounds.
    """
    delivery = find_delivery(store, delivery_id)
    rows: list[Row] = []
    if delivery.fingerprint is not None:
        wanted = state and state.value
        rows = read_message_log(store, delivery, after=after, limit=limit, state=wanted)
    return {
        "delivery": delivery.id,
        "messages": [_shown(delivery, row) for row in rows],
        "next": rows[-1]["position"] if len(rows) == limit else None,
        **archived_facts(find_archive(store, delivery.preparation)),
    }


def _shown(delivery: Delivery, row: Row) -> dict[str, Any]:
    changed_at = row["changed_at"]
    return {
        "position": row["position"],
        "message_id": message_id_of(delivery.no, delivery.preparation, row["position"]),
        "recipient_id": row["recipient_id"],
        "phone": mask_phone(row["phone"]),
        "parts": row["parts"],
        "state": row["state"],
        "code": row["code"] or "",
        "gateway_ref": row["gateway_ref"] or "",
        "changed_at": changed_at.isoformat() if changed_at else None,
    }
