"""
Pause, resume, stop. The sender sees the new state within a tick: half a second at the most.

A preparation can be stopped too. Of two people who do the same at once one does it, and the other
is told how the delivery stands.
"""

from __future__ import annotations

from typing import Final

from smsflow_provider.core.delivery.governor import following_wave, start_wave
from smsflow_provider.core.delivery.overdue import end_overdue
from smsflow_provider.core.delivery.seen import Seen, check_seen
from smsflow_provider.core.delivery.switch import check_switched_on
from smsflow_provider.core.delivery.waves import sending_of
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    find_delivery,
    move_and_log,
    move_delivery,
    read_delivery,
    write_log,
)
from smsflow_provider.core.store.overdue import is_overdue
from smsflow_provider.core.store.switch import hold_switch
from smsflow_provider.core.store.waves import Sight, judge_from, read_sight, write_pause

#: Pauses that end a judgement: who resumes accepts what was judged.
_JUDGED: Final = frozenset({PauseReason.FAILURES, PauseReason.OPT_OUTS})


def pause(
    store: Store,
    delivery_id: str,
    *,
    actor: str,
    reason: PauseReason = PauseReason.PERSON,
    seen: Seen | None = None,
) -> Delivery:
    """
    Hold a delivery that is being sent. What is in flight comes back; nothing more leaves.

    One that is paused already stays so, for the reason it has.

    Args:
        seen: What the person looked at. None: whatever stands is meant.

    Raises:
        IllegalMoveError: It is not being sent, or is not what was seen.
    """
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is not DeliveryState.PAUSED:
            check_seen(delivery, seen)
            move_and_log(connection, delivery, DeliveryState.PAUSED, actor=actor)
            write_pause(connection, delivery, reason=reason.value)
        return read_delivery(connection, delivery_id)


def resume(store: Store, delivery_id: str, *, actor: str, seen: Seen | None = None) -> Delivery:
    """
    Let a paused delivery go on where it stands.

    Whoever resumes one that paused itself for its failures or opt-outs accepts them: they are
    counted from here on. One that waits between two waves goes on with the next. One whose
    validity is over ends instead: at once where nobody is sending it, else within a tick.

    Args:
        seen: What the person looked at. None: whatever stands is meant.

    Raises:
        IllegalMoveError: It is not paused, or not as it was seen, or everything is switched off.
    """
    with store.transaction() as connection:
        switch = hold_switch(connection)
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is DeliveryState.SENDING:
            return delivery
        if delivery.state is not DeliveryState.PAUSED:
            raise IllegalMoveError(
                "only a paused delivery can be resumed",
                delivery=delivery_id,
                state=delivery.state.value,
            )
        check_seen(delivery, seen)
        check_switched_on(switch)
        if not (is_over := is_overdue(connection, delivery)):
            move_and_log(connection, delivery, DeliveryState.SENDING, actor=actor)
            if delivery.pause_reason is not None:
                _go_on(connection, delivery, actor=actor)
    if is_over:
        end_overdue(store, delivery_id, actor=actor)
    return find_delivery(store, delivery_id)


def stop(store: Store, delivery_id: str, *, actor: str, seen: Seen | None = None) -> Delivery:
    """
    Stop a delivery for good. Messages that have not left are cancelled.

    One that is being prepared becomes a draft instead, and may be prepared again: whoever
    prepares it finds out when it next tells how far it is, or at its end, and leaves nothing.

    Args:
        seen: What the person looked at. None: whatever stands is meant.

    Raises:
        IllegalMoveError: It has not been approved yet (reject it), or it has ended, or is not
            what was seen.
    """
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        if delivery.state is not DeliveryState.STOPPED:
            check_seen(delivery, seen)
        if delivery.state is DeliveryState.PREPARING:
            _end_preparation(connection, delivery, actor=actor)
        elif delivery.state is not DeliveryState.STOPPED:
            move_and_log(connection, delivery, DeliveryState.STOPPED, actor=actor)
            write_pause(connection, delivery, reason="")
        return read_delivery(connection, delivery_id)


def _go_on(connection: Connection, delivery: Delivery, *, actor: str) -> None:
    """Accept what was judged, let the next wave leave if it is its turn, and forget the reason."""
    write_pause(connection, delivery, reason="")
    sight = read_sight(connection, delivery)
    if delivery.pause_reason in _JUDGED:
        judge_from(connection, delivery, sight.seen)
    if _is_next_wave(delivery, sight):
        begun = following_wave(sight, sending_of(delivery))
        start_wave(connection, delivery, begun, actor=actor)


def _is_next_wave(delivery: Delivery, sight: Sight) -> bool:
    """
    Whether who resumes has seen a whole wave.

    One that paused itself while it still waited for receipts goes on waiting.
    """
    if sight.wave_until is None or sight.wave_ended_s is None:
        return False
    waves = sending_of(delivery).waves
    is_over = waves is None or sight.wave_ended_s >= waves.wait_s
    return delivery.pause_reason == PauseReason.WAVE or (
        delivery.pause_reason in _JUDGED and is_over
    )


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
