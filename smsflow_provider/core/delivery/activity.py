"""What was done about a delivery, by whom: for its page, and for who asks later."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from smsflow_provider.core.store.activity import read_activity
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import find_delivery

#: Sources that an entry may come from.
SOURCES: Final = ("approval", "audit", "delivery", "ended", "log", "proof", "sending")


def activity(
    store: Store, delivery_id: str, *, before: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """
    Give a page of what happened to a delivery, over all its preparations, newest first.

    Args:
        before: The ``next`` of the page before.
        limit: Entries, 1 or more.

    Returns:
        JSON values: ``delivery``; ``entries``, each with ``id``, ``at``, ``event`` (a log event,
        an action of the audit, ``created``, ``proof_asked``, ``sending_began`` or
        ``delivery_finished``), ``actor`` (empty: the system), ``level``, ``comment``, ``via`` and
        ``facts``; ``next``: None on the last page. No number and no text of a message.

    Raises:
        NotFoundError: There is no such delivery.
        ValueError: *before* is none of ours.
    """
    delivery = find_delivery(store, delivery_id)
    place = _place_of(before) if before else None
    rows = read_activity(store, delivery, before=place, limit=limit)
    return {
        "delivery": delivery.id,
        "entries": [_entry(row) for row in rows],
        "next": _next_of(rows[-1]) if len(rows) == limit else None,
    }


def _entry(row: Row) -> dict[str, Any]:
    facts = dict(row["facts"])
    return {
        "id": f"{row['source']}-{row['no']}",
        "at": row["at"].isoformat(),
        "event": row["event"],
        "actor": row["actor"],
        "level": row["level"],
        "comment": str(facts.pop("comment", "")),
        "via": str(facts.pop("via", "")),
        "facts": facts,
    }


def _next_of(row: Row) -> str:
    return f"{row['at'].isoformat()}_{row['source']}_{row['no']}"


def _place_of(text: str) -> tuple[datetime, str, int]:
    """
    Read the ``next`` of a page.

    Example:
        >>> _place_of("2026-11-24T10:00:00+00:00_log_7")[1:]
        ('log', 7)
    """
    at, source, no = text.split("_")
    read = datetime.fromisoformat(at)
    if read.tzinfo is None or source not in SOURCES or not 0 <= int(no) < 2**63:
        raise ValueError("it is none of ours")
    return read, source, int(no)
