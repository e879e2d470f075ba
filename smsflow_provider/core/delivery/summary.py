"""What became of a delivery's messages by country, cause and encoding: counted now and then."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.kept_connection import KeptStore
from smsflow_provider.core.store.running import (
    changed_deliveries,
    count_messages,
    read_summary,
    write_sample,
)

#: A delivery of so many messages is counted while somebody waits.
SMALL: Final = 50_000
#: A small delivery's summary is counted again when it is older, in seconds.
FRESH_S: Final = 10.0
#: Counting takes no longer, in seconds.
LONGEST_S: Final = 60.0
#: Codes that are kept, those of most messages.
MOST_CAUSES: Final = 50
#: States of a message in a summary. ``accepted``: without a receipt that says more; ``waiting``:
#: not settled yet.
STATES: Final = (
    "delivered",
    "accepted",
    "undelivered",
    "failed",
    "unknown",
    "cancelled",
    "expired",
    "waiting",
)
_ENDED_WELL: Final = frozenset({"delivered", "accepted", "waiting"})


def count_summary(store: Store, delivery: Delivery, *, timeout_s: float = LONGEST_S) -> bool:
    """
    Count the messages of *delivery*, and keep what comes out.

    Reads every message once: some seconds for five million. Locks nothing that sending needs. One
    at a time counts a delivery; killed, it leaves what was counted before.

    Returns:
        False: another one is counting it, it took longer than *timeout_s*, or there is nothing to
        count, since it is not prepared or its messages have left the store.
    """
    if delivery.fingerprint is None:
        return False
    began = time.monotonic()
    return count_messages(
        store,
        delivery,
        document_of=lambda rows, opted_out: document_of(
            rows, opted_out, took_s=time.monotonic() - began
        ),
        timeout_s=timeout_s,
    )


def document_of(rows: Iterable[Row], opted_out: int, *, took_s: float = 0.0) -> dict[str, Any]:
    """
    Fold counted rows into what is kept.

    Returns:
        JSON values: ``countries`` and ``encodings``, each with ``messages``, ``parts`` and a count
        by state (``STATES``), most messages first; ``causes`` (``kind``, ``code``, ``messages``),
        at most 50; ``opted_out`` and ``took_ms``.
    """
    countries: dict[str, dict[str, Any]] = {}
    encodings: dict[str, dict[str, Any]] = {}
    causes: dict[tuple[str, str], int] = {}
    for row in rows:
        _add(countries, row["region"], row)
        _add(encodings, row["encoding"], row)
        if row["state"] not in _ENDED_WELL:
            key = (row["state"], row["code"])
            causes[key] = causes.get(key, 0) + row["messages"]
    most = sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))[:MOST_CAUSES]
    return {
        "countries": [{"country": name, **sums} for name, sums in _sorted(countries)],
        "encodings": [{"encoding": name, **sums} for name, sums in _sorted(encodings)],
        "causes": [{"kind": k, "code": c, "messages": n} for (k, c), n in most],
        "opted_out": opted_out,
        "took_ms": round(took_s * 1000),
    }


def _add(groups: dict[str, dict[str, Any]], name: str, row: Row) -> None:
    empty = {"messages": 0, "parts": 0, **dict.fromkeys(STATES, 0)}
    sums = groups.setdefault(name, empty)
    sums["messages"] += row["messages"]
    sums["parts"] += row["parts"]
    sums[row["state"]] += row["messages"]


def _sorted(groups: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(groups.items(), key=lambda group: (-group[1]["messages"], group[0]))


def summary(store: Store, delivery_id: str) -> dict[str, Any]:
    """
    Give what was counted last; a small delivery is counted at once where that is old.

    Returns:
        JSON values: ``delivery``, ``counted_at`` and ``age_s`` (None: never), and the fields of
        ``document_of``, empty where nothing was counted.

    Raises:
        NotFoundError: There is no such delivery.
    """
    with KeptStore(store) as kept:
        delivery = find_delivery(kept, delivery_id)
        found = read_summary(kept, delivery)
        is_old = found is None or found["age_s"] > FRESH_S
        if is_old and delivery.to_deliver <= SMALL and count_summary(kept, delivery, timeout_s=5):
            found = read_summary(kept, delivery)
    return {
        "delivery": delivery.id,
        "counted_at": found["counted_at"].isoformat() if found else None,
        "age_s": max(0.0, found["age_s"]) if found else None,
        **document_of([], 0),
        **(found["document"] if found else {}),
    }


def count_again(store: Store) -> int:
    """
    Sample and count deliveries of which more is known than before, such as by late receipts.

    Returns:
        How many there were.
    """
    changed = changed_deliveries(store)
    for delivery_id in changed:
        delivery = find_delivery(store, delivery_id)
        # Sampled first: what comes while it is counted makes it be counted again.
        write_sample(store, delivery, every_s=0)
        count_summary(store, delivery)
    return len(changed)
