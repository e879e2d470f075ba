"""Why was this person texted, or not?"""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.delivery.report import archived_facts
from smsflow_provider.core.store.archive import find_archive
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.message_log import find_messages
from smsflow_provider.core.store.statements import statements


def why(
    store: Store,
    delivery_id: str,
    *,
    phone: int | None = None,
    recipient_id: str | None = None,
) -> dict[str, Any]:
    """
    Say what one delivery did with one person.

    Looks at every row of the preparation: right for one question, not for a list of people.

    Args:
        phone: E.164 digits.
        recipient_id: The id in the audience; finds also those whose number could not be read.

    Returns:
        JSON values, without the number: ``delivery``, ``state`` (of the delivery), ``messages``
        (position, recipient_id, parts, state, code, changed_at) and ``exclusions`` (row_number,
        recipient_id, reason, detail, winner_id: who got the message of a duplicate). Both empty:
        nobody like that was targeted; or, with ``archived`` (``at``, ``uri``), the messages have
        left the store and the answer is in the files there.

    Raises:
        ValueError: Neither or both of the two were given.
        NotFoundError: There is no such delivery.
    """
    if (phone is None) == (recipient_id is None):
        raise ValueError("give a phone or a recipient_id")
    delivery = find_delivery(store, delivery_id)
    subject = "phone" if recipient_id is None else "recipient"
    messages, exclusions = _look_up(
        store, delivery, subject, {"phone": phone, "recipient_id": recipient_id}
    )
    return {
        "delivery": delivery.id,
        "state": delivery.state.value,
        "messages": messages,
        "exclusions": exclusions,
        **archived_facts(find_archive(store, delivery.preparation)),
    }


def _look_up(
    store: Store, delivery: Delivery, subject: str, wanted: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Find messages and exclusions; none without a complete preparation."""
    if delivery.fingerprint is None:
        return [], []
    messages = find_messages(store, delivery, **wanted)
    values = {**wanted, "preparation": delivery.preparation}
    with store.transaction() as connection:
        exclusions = connection.execute(
            statements("deliveries")[f"exclusions_of_{subject}"], values
        ).fetchall()
    return [_as_json(row) for row in messages], [dict(row) for row in exclusions]


def _as_json(row: Row) -> dict[str, Any]:
    changed_at = row["changed_at"]
    names = ("position", "recipient_id", "parts", "state", "code")
    told = {name: row[name] for name in names}
    return {**told, "changed_at": changed_at and changed_at.isoformat()}
