"""Wait a while for the receipts of a delivery that has been sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, read_figures
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven


def wait_for_receipts(
    store: Store,
    delivery_id: str,
    *,
    within_s: float,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float] = time.monotonic,
) -> bool:
    """
    Apply what came in, until every accepted message has its final receipt or time is up.

    Late receipts are not lost: whoever applies the inbox next takes them.

    Returns:
        Whether all are in.
    """
    deadline = monotonic() + within_s
    while True:
        apply_all_receipts(store)
        delivery = find_delivery(store, delivery_id)
        resolve_proven(store, delivery.preparation)
        figures = read_figures(store, delivery)
        open_count = figures["accepted"] - figures["delivered"] - figures["undelivered"]
        if open_count <= 0:
            return True
        if monotonic() >= deadline:
            return False
        sleep(0.5)
