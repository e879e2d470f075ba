"""Deliveries whose time is over and that have not ended."""

from __future__ import annotations

from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

_SQL = "overdue"


def overdue_deliveries(store: Store, *, proofs: bool = False) -> list[str]:
    """
    Name the deliveries that were approved or begun and did not end while they were valid.

    By the store's clock. One that was approved and never begun is overdue when its approval has
    run out, or when its validity has passed since it was approved, and a day.

    Args:
        proofs: Proofs instead of all others; for them no day is added.
    """
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["overdue_deliveries"], {"is_proof": proofs, "id": None}
        ).fetchall()
    return [str(row["id"]) for row in rows]


def is_overdue(connection: Connection, delivery: Delivery) -> bool:
    """Say whether the time of *delivery*, which the caller holds, is over and it has not ended."""
    values = {"is_proof": delivery.kind is DeliveryKind.PROOF, "id": delivery.id}
    row = connection.execute(statements(_SQL)["overdue_deliveries"], values).fetchone()
    return row is not None
