"""
Ending deliveries whose validity is over and that nobody is there to end.

A paused one waits for a person who may never come; the sender of another was lost, and its task is
not tried again. What has not left expires all the same, as with a sender.
"""

from __future__ import annotations

from smsflow_provider.core.delivery.send import LEASE_S
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    find_delivery,
    move_and_log,
    move_delivery,
    read_delivery,
    write_log,
)
from smsflow_provider.core.store.lease import claim
from smsflow_provider.core.store.overdue import is_overdue, overdue_deliveries
from smsflow_provider.core.store.waves import write_pause


def close_overdue(
    store: Store, *, actor: str, proofs: bool = False, lease_s: float = LEASE_S
) -> int:
    """
    End every delivery that did not end while it was valid; see ``end_overdue``.

    Args:
        proofs: Proofs instead of all others. A proof is valid for an hour.

    Returns:
        How many were ended. What a sender holds is left to it.
    """
    found = overdue_deliveries(store, proofs=proofs)
    return sum(end_overdue(store, one, actor=actor, lease_s=lease_s) for one in found)


def end_overdue(store: Store, delivery_id: str, *, actor: str, lease_s: float = LEASE_S) -> bool:
    """
    End a delivery whose time is over. Nothing leaves by it, also while everything is switched off.

    What was under way when its sender was lost becomes ``unknown``, the rest ``expired``. One that
    was approved and never begun is ``expired`` as a whole: it must be prepared again.

    Returns:
        False: its time is not over, or a sender holds it. A paused one is given back to that
        sender then, which ends it.
    """
    delivery = find_delivery(store, delivery_id)
    ledger = claim(store, delivery, owner=actor, lease_s=lease_s, alone=True)
    if ledger is None:
        _let_end(store, delivery_id, actor=actor)
        return False
    try:
        state = _let_end(store, delivery_id, actor=actor, is_alone=True)
        if state is not DeliveryState.SENDING:
            return state is DeliveryState.EXPIRED
        ledger.close_rest(OutcomeKind.EXPIRED, "validity_over")
        return ledger.finish(actor=actor)
    finally:
        ledger.release()


def _let_end(
    store: Store, delivery_id: str, *, actor: str, is_alone: bool = False
) -> DeliveryState | None:
    """Move an overdue delivery on. Gives the state it has now; None: it is not overdue."""
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if not is_overdue(connection, delivery):
            return None
        if delivery.state is DeliveryState.PAUSED:
            _end_pause(connection, delivery, actor=actor)
        elif delivery.state is DeliveryState.APPROVED and is_alone:
            move_and_log(connection, delivery, DeliveryState.EXPIRED, actor=actor)
        return read_delivery(connection, delivery_id).state


def _end_pause(connection: Connection, delivery: Delivery, *, actor: str) -> None:
    """Let a paused delivery be sent, of which nothing may leave any more."""
    move_delivery(connection, delivery, DeliveryState.SENDING, actor=actor)
    write_pause(connection, delivery, reason="")
    write_log(
        connection,
        delivery,
        level="warning",
        event=LogEvent.VALIDITY_OVER,
        problem="The validity is over: what has not left expires",
        facts={"by": actor, "was": delivery.pause_reason or "paused"},
    )
