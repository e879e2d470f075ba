"""
Pause, resume, stop. The sender sees the new state within a tick: half a second at the most.

A preparation can be stopped too.
"""

from __future__ import annotations

from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    move_and_log,
    move_delivery,
    read_delivery,
    write_log,
)


def pause(store: Store, delivery_id: str, *, actor: str) -> Delivery:
    """Hold a delivery that is being sent. What is in flight comes back; nothing more leaves."""
    return _move(store, delivery_id, DeliveryState.PAUSED, actor=actor)


def resume(store: Store, delivery_id: str, *, actor: str) -> Delivery:
    """Let a paused delivery go on where it stands."""
    return _move(store, delivery_id, DeliveryState.SENDING, actor=actor, only=DeliveryState.PAUSED)


def stop(store: Store, delivery_id: str, *, actor: str) -> Delivery:
    """
    Stop a delivery for good. Messages that have not left are cancelled.

    One that is being prepared becomes a draft instead, and may be prepared again: whoever
    prepares it finds out when it next tells how far it is, or at its end, and leaves nothing.

    Raises:
        IllegalMoveError: It has not been approved yet (reject it), or it has ended.
    """
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is DeliveryState.PREPARING:
            _end_preparation(connection, delivery, actor=actor)
            return read_delivery(connection, delivery_id)
    return _move(store, delivery_id, DeliveryState.STOPPED, actor=actor)


def _end_preparation(connection: Connection, delivery: Delivery, *, actor: str) -> None:
    move_delivery(connection, delivery, DeliveryState.DRAFT, actor=actor)
    write_log(
        connection,
        delivery,
        level="info",
        event=LogEvent.PREPARATION_STOPPED,
        problem="The preparation was stopped",
        facts={"by": actor},
    )


def _move(
    store: Store,
    delivery_id: str,
    target: DeliveryState,
    *,
    actor: str,
    only: DeliveryState | None = None,
) -> Delivery:
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is target:
            return delivery
        if only is not None and delivery.state is not only:
            raise IllegalMoveError(
                "only a paused delivery can be resumed",
                delivery=delivery_id,
                state=delivery.state.value,
            )
        move_and_log(connection, delivery, target, actor=actor)
        return read_delivery(connection, delivery_id)
