"""The messages of a delivery and what became of each, for people: no whole number, no text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from smsflow_provider.core.delivery.report import archived_facts
from smsflow_provider.core.errors import NotFoundError
from smsflow_provider.core.mask import mask_phone
from smsflow_provider.core.model import message_id_of
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store.archive import find_archive
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.message_log import (
    MOST_ROWS,
    read_message_log,
    read_message_story,
)

#: The columns of an export, in their order.
EXPORTED: Final = (
    "phone",
    "position",
    "message_id",
    "recipient_id",
    "parts",
    "state",
    "code",
    "gateway_ref",
    "changed_at",
)


def message_log(
    store: Store,
    delivery_id: str,
    *,
    states: Collection[MessageState] = (),
    after: int = 0,
    limit: int = 50,
) -> dict[str, Any]:
    """
    Give a page of the messages of a delivery, in the order in which they were prepared.

    Args:
        states: Only messages in one of these. Empty: all.
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
        rows = read_message_log(store, delivery, after=after, limit=limit, states=states)
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


def message_story(store: Store, delivery_id: str, position: int) -> dict[str, Any]:
    """
    Tell what happened to one message, step by step.

    Returns:
        JSON values: the message as ``message_log`` has it, and ``steps`` in their order, each with
        ``at`` (None: not known), ``event`` (``prepared``, ``marked``: given its moment to leave,
        ``outcome`` or ``receipt``), ``kind``, ``code``, ``gateway_ref`` and ``attempt`` (from 1;
        None: not of one).

    Raises:
        NotFoundError: There is no such delivery or message, or the message has left the store.
    """
    delivery = find_delivery(store, delivery_id)
    found = None
    if delivery.fingerprint is not None:
        found = read_message_story(store, delivery, position)
    if found is None:
        raise NotFoundError("there is no such message in the store")
    message, rows = found
    empty = {"kind": "", "code": "", "gateway_ref": "", "attempt": None}
    at = delivery.prepared_at and delivery.prepared_at.isoformat()
    steps = [{"at": at, "event": "prepared", **empty}, *map(_step, rows)]
    return {**_shown(delivery, message), "steps": steps}


def _step(row: Row) -> dict[str, Any]:
    attempt = row["attempt"]
    return {
        "at": row["at"].isoformat(),
        "event": row["event"],
        "kind": row["kind"],
        "code": row["code"],
        "gateway_ref": row["gateway_ref"],
        "attempt": None if attempt is None else attempt + 1,
    }


def exported_messages(
    store: Store,
    delivery: Delivery,
    *,
    states: Collection[MessageState] = (),
    whole: bool = False,
) -> Iterator[list[tuple[Any, ...]]]:
    """
    Read all messages of a delivery, a page of 1,000 at a time: as much memory as one page takes.

    Each page is as the store has it by then: what changes meanwhile may be seen or not.

    Args:
        states: Only messages in one of these. Empty: all.
        whole: Whole numbers instead of masked ones. Who may see them is asked before.

    Returns:
        Pages of rows of ``EXPORTED``.
    """
    after: int | None = 0 if delivery.fingerprint is not None else None
    with KeptStore(store) as kept:
        while after is not None:
            rows = read_message_log(kept, delivery, after=after, limit=MOST_ROWS, states=states)
            yield [_exported(delivery, row, whole=whole) for row in rows]
            after = rows[-1]["position"] if len(rows) == MOST_ROWS else None


def _exported(delivery: Delivery, row: Row, *, whole: bool) -> tuple[Any, ...]:
    shown = _shown(delivery, row)
    if whole:
        shown["phone"] = f"+{row['phone']}"
    return tuple(shown[name] for name in EXPORTED)
