"""How a delivery leaves, for those who look at it before they say Send."""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.delivery.waves import sending_of, wave_bounds
from smsflow_provider.core.store.deliveries import Delivery


def leaving_of(delivery: Delivery) -> dict[str, Any]:
    """
    Tell what the template and the connections say, as they were when it was prepared.

    Returns:
        JSON values. ``gateways`` (the delivery's own, then the second one: ``conn_id``,
        ``parts_per_s``, ``sender_parts_per_s``; 0: no limit, None: not known), ``workers`` (None:
        not known), ``shortest_s`` (seconds it takes if nothing else leaves through them, None: no
        limit is set), ``validity_s``; ``waves`` (None: none) with ``until``, the last message of
        each but for the rest, ``wait_s`` and ``ask``; and ``priority``, ``spread``,
        ``pause_when``, ``doubt``, ``doubt_after_s`` and ``failover`` as the template has them.
    """
    sending = sending_of(delivery)
    known = delivery.figures.get("leaving", {})
    unknown = {"conn_id": delivery.gateway, "parts_per_s": None, "sender_parts_per_s": None}
    bounds = wave_bounds(delivery.to_deliver, sending.waves)
    told = sending.model_dump(mode="json", exclude={"waves"})
    waves = sending.waves
    return {
        "gateways": known.get("gateways") or [unknown],
        "workers": known.get("workers"),
        "shortest_s": known.get("shortest_s"),
        "validity_s": delivery.validity_s,
        "waves": (
            {"until": list(bounds), "wait_s": waves.wait_s, "ask": waves.ask}
            if waves and bounds
            else None
        ),
        **told,
    }
