"""How far the preparations of deliveries are, as they tell it themselves while they run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

_SQL = "progress"


def read_progress(store: Store, deliveries: Iterable[Delivery]) -> dict[int, dict[str, Any]]:
    """
    Read how far those of *deliveries* are that are being prepared now.

    Returns:
        By the ``no`` of the delivery, JSON values: ``begun_at``, ``told_at`` (None before the
        first word), and what the preparation told: counts by step. The others are left out. One
        that died tells nothing more: compare ``told_at`` with the clock.
    """
    wanted = {one.preparation: one.no for one in deliveries if one.state is DeliveryState.PREPARING}
    if not wanted:
        return {}
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["list_progress"], {"preparations": list(wanted)}
        ).fetchall()
    return {wanted[row["no"]]: _as_json(row) for row in rows}


def _as_json(row: Row) -> dict[str, Any]:
    told_at = row["progressed_at"]
    return {
        **row["progress"],
        "begun_at": row["begun_at"].isoformat(),
        "told_at": told_at and told_at.isoformat(),
    }
