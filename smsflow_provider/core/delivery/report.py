"""What happened to a delivery, in numbers that add up."""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    excluded_of,
    find_delivery,
    read_causes,
    read_figures,
)


def report(store: Store, delivery_id: str) -> dict[str, Any]:
    """
    Report on one delivery. Holds counts and ids only.

    Returns:
        JSON values: ``delivery``, ``label``, ``state``, ``dag_id``, ``run_id``, ``dry_run``,
        ``targeted``, ``excluded`` (by reason), ``to_deliver``, ``parts``, ``accepted`` (ever,
        with those delivered or not since), ``delivered``, ``undelivered``, ``failed``,
        ``unknown``, ``cancelled``, ``expired``, ``waiting`` (not settled yet), ``causes``.
        targeted = sum of excluded + to_deliver; to_deliver = accepted + failed + unknown +
        cancelled + expired + waiting. Without a complete preparation all of them are 0.

    Raises:
        NotFoundError: There is no such delivery.
    """
    delivery = find_delivery(store, delivery_id)
    figures = read_figures(store, delivery)
    causes = [dict(row) for row in read_causes(store, delivery)]
    return {**summary_of(delivery, figures), "causes": causes}


def summary_of(delivery: Delivery, figures: dict[str, int]) -> dict[str, Any]:
    """Put a delivery and its figures into one JSON value. See ``report``."""
    settled = sum(figures[k] for k in ("accepted", "failed", "unknown", "cancelled", "expired"))
    return {
        "delivery": delivery.id,
        "label": delivery.label,
        "kind": delivery.kind.value,
        "state": delivery.state.value,
        "dag_id": delivery.origin.dag_id,
        "run_id": delivery.origin.run_id,
        "dry_run": delivery.dry_run,
        "created_at": delivery.created_at.isoformat(),
        "targeted": delivery.targeted,
        "excluded": excluded_of(delivery),
        "to_deliver": delivery.to_deliver,
        "parts": delivery.parts,
        **figures,
        "waiting": delivery.to_deliver - settled,
    }
