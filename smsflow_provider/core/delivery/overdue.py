"""Ending proofs whose sender was lost: a killed API server leaves nobody who goes on with them."""

from __future__ import annotations

from smsflow_provider.core.delivery.send import LEASE_S
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import find_delivery, move_and_log, read_delivery
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.proofs import overdue_proofs


def close_overdue_proofs(store: Store, *, actor: str, lease_s: float = LEASE_S) -> int:
    """
    End every proof that was not finished while it was valid, for an hour by itself.

    What was under way becomes ``unknown``, the rest ``expired``; one that was approved and never
    begun is ``expired`` as a whole. One that a sender holds is left to it.

    Returns:
        How many were ended.
    """
    return sum(_close(store, one, actor=actor, lease_s=lease_s) for one in overdue_proofs(store))


def _close(store: Store, proof_id: str, *, actor: str, lease_s: float) -> bool:
    ledger = claim(store, find_delivery(store, proof_id), owner=actor, lease_s=lease_s, alone=True)
    if ledger is None:
        return False
    try:
        with store.transaction() as connection:
            proof = read_delivery(connection, proof_id, lock=True)
            if proof.state is DeliveryState.APPROVED:
                move_and_log(connection, proof, DeliveryState.EXPIRED, actor=actor)
                return True
        ledger.close_rest(OutcomeKind.EXPIRED, "validity_over")
        return ledger.finish(actor=actor)
    finally:
        ledger.release()
