"""
The states of a delivery and of a message, and the moves between them: one table.

The store holds the same table and refuses every other move (``smsflow_delivery_moves`` and the
trigger on ``smsflow_deliveries``); a test compares the two over all pairs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from smsflow_provider.core.errors import IllegalMoveError


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DRAFT = "draft"
    PREPARING = "preparing"
    PREPARATION_FAILED = "preparation_failed"
    READY = "ready"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


class MessageState(StrEnum):
    """Where one prepared message stands, derived from its marks, outcomes and receipts."""

    PREPARED = "prepared"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PauseReason(StrEnum):
    """Why a delivery is paused. Whatever the reason, a person lets it go on."""

    #: Somebody paused it.
    PERSON = "person"
    #: Everything was switched off.
    SWITCH = "switch"
    #: All deliveries together have sent what they may in one day.
    DAILY_CAP = "daily_cap"
    #: Too many messages failed, were not delivered or are in doubt.
    FAILURES = "failures"
    #: Too many recipients opted out.
    OPT_OUTS = "opt_outs"
    #: A wave has ended, and a person is to look before the next one.
    WAVE = "wave"


_AGAIN = DeliveryState.PREPARING

#: What may follow what. ``preparing`` to itself: a preparation that died is begun again, under
#: a new number. ``approved`` to ``expired``: the approval ran out before the send began.
#: ``finished`` to ``sending``: an explicit "resend failed", nothing else.
MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.DRAFT: frozenset({_AGAIN}),
    DeliveryState.PREPARING: frozenset(
        {
            _AGAIN,
            DeliveryState.READY,
            DeliveryState.PREPARATION_FAILED,
            DeliveryState.DRAFT,
        }
    ),
    DeliveryState.PREPARATION_FAILED: frozenset({_AGAIN}),
    DeliveryState.READY: frozenset(
        {_AGAIN, DeliveryState.APPROVED, DeliveryState.REJECTED, DeliveryState.EXPIRED}
    ),
    DeliveryState.APPROVED: frozenset(
        {_AGAIN, DeliveryState.SENDING, DeliveryState.STOPPED, DeliveryState.EXPIRED}
    ),
    DeliveryState.REJECTED: frozenset({_AGAIN}),
    DeliveryState.EXPIRED: frozenset({_AGAIN}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.PAUSED, DeliveryState.FINISHED, DeliveryState.STOPPED}
    ),
    DeliveryState.PAUSED: frozenset({DeliveryState.SENDING, DeliveryState.STOPPED}),
    DeliveryState.FINISHED: frozenset({DeliveryState.SENDING}),
    DeliveryState.STOPPED: frozenset(),
}

#: States in which messages may have left: such a delivery is never prepared again.
BEGUN = frozenset(
    {
        DeliveryState.SENDING,
        DeliveryState.PAUSED,
        DeliveryState.FINISHED,
        DeliveryState.STOPPED,
    }
)


#: What to do instead of a move that people try. (from, to)
_ADVICE: Final = {
    (DeliveryState.READY, target): {"do": "reject its review: nothing of it has left"}
    for target in (DeliveryState.STOPPED, DeliveryState.PAUSED)
}


def check_move(current: DeliveryState, target: DeliveryState) -> None:
    """
    Raise unless a delivery may go from *current* to *target*.

    Raises:
        IllegalMoveError: Names both states and the possible ones; says what to do if known.

    Example:
        >>> check_move(DeliveryState.READY, DeliveryState.APPROVED)
    """
    if target not in MOVES[current]:
        raise IllegalMoveError(
            "a delivery cannot make this move",
            current=current.value,
            target=target.value,
            possible=sorted(state.value for state in MOVES[current]),
            **_ADVICE.get((current, target), {}),
        )
