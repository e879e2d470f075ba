"""
Send again what failed or expired: an explicit act of a person on a delivery that has finished.

It makes the delivery ``sending`` again and hands nothing over itself: run its send task again
(clear it). Nobody approves anew: the content is the one that was approved, and whoever may answer
its review may say this. An approval that has run out since does not matter: it was in time when
the delivery began.
"""

from __future__ import annotations

from typing import Final

from smsflow_provider.core.delivery.approval import check_approved
from smsflow_provider.core.delivery.seen import Seen, check_seen
from smsflow_provider.core.delivery.switch import check_switched_on
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.model import DeliveryKind, OutcomeKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deadlock import retried
from smsflow_provider.core.store.deliveries import (
    Delivery,
    move_delivery,
    read_delivery,
    write_log,
)
from smsflow_provider.core.store.resending import reopen, send_again
from smsflow_provider.core.store.switch import hold_switch
from smsflow_provider.core.store.waves import judge_from, read_sight

#: What may be sent again. Never what is in doubt: it may have left.
RESENDABLE: Final = frozenset({OutcomeKind.FAILED, OutcomeKind.EXPIRED})


def resend(
    store: Store,
    delivery_id: str,
    *,
    kinds: frozenset[OutcomeKind],
    actor: str,
    seen: Seen | None = None,
) -> int:
    """
    Let messages of a finished delivery go again whose last outcome is one of *kinds*.

    The validity starts anew. Opt-outs, the allow-list, the pace and the daily cap hold as for the
    first time, and failures are counted from here. The budget is not asked again: the delivery
    still holds what it reserved for these very messages.

    Args:
        kinds: ``failed``, ``expired`` or both.
        seen: What the person looked at. None: whatever stands is meant.

    Returns:
        How many messages wait to go again. Somebody must run the send task for them to leave.

    Raises:
        IllegalMoveError: The delivery is not finished, or not as it was seen, has none of these,
            is a proof, or its messages are archived; or everything is switched off.
        NotApprovedError: Nobody approved this very content.
    """
    if not kinds or not kinds <= RESENDABLE:
        raise IllegalMoveError(
            "only messages that failed or expired can be sent again",
            kinds=sorted(kind.value for kind in kinds),
        )
    return retried(lambda: _resend(store, delivery_id, kinds, actor=actor, seen=seen))


def _resend(
    store: Store,
    delivery_id: str,
    kinds: frozenset[OutcomeKind],
    *,
    actor: str,
    seen: Seen | None,
) -> int:
    with store.transaction() as connection:
        switch = hold_switch(connection)
        delivery = read_delivery(connection, delivery_id, lock=True)
        _check(connection, delivery)
        check_seen(delivery, seen)
        check_switched_on(switch)
        moved = send_again(connection, delivery, kinds)
        if not moved:
            raise IllegalMoveError(
                "there is nothing to send again",
                delivery=delivery_id,
                looked_for=sorted(kind.value for kind in kinds),
            )
        move_delivery(connection, delivery, DeliveryState.SENDING, actor=actor)
        reopen(connection, delivery)
        judge_from(connection, delivery, read_sight(connection, delivery).seen)
        _tell(connection, delivery, dict(moved), actor=actor)
        return moved.total()


def _check(connection: Connection, delivery: Delivery) -> None:
    if delivery.state is not DeliveryState.FINISHED:
        raise IllegalMoveError(
            "only a finished delivery can be sent again",
            delivery=delivery.id,
            state=delivery.state.value,
        )
    if delivery.kind is DeliveryKind.PROOF:
        raise IllegalMoveError("a proof is not sent again: send another", delivery=delivery.id)
    check_approved(connection, delivery)


def _tell(connection: Connection, delivery: Delivery, moved: dict[str, int], *, actor: str) -> None:
    write_log(
        connection,
        delivery,
        level="warning",
        event=LogEvent.RESENT,
        problem="Messages are to go again: run the send task",
        facts={"by": actor, **moved},
    )
