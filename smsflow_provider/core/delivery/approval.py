"""
Who said Send, to what exactly, and whether that still holds.

An approval is a row about one preparation and its fingerprint. Nothing else starts a send: not
the state of an Airflow task, not a timeout, not an answer to a question about other content.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum

from smsflow_provider.core.errors import IllegalMoveError, NotApprovedError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.approvals import (
    Approval,
    Decision,
    find_approval,
    read_approval,
    write_approval,
)
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    find_delivery,
    move_and_log,
    read_delivery,
)

#: Characters of a reviewer's comment that are kept.
COMMENT_LIMIT = 500


class Turn(StrEnum):
    """What happens next with a delivery that needs a decision."""

    #: A person must be asked (again).
    ASK = "ask"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    #: A backfilled run prepares and is not sent, unless it says so.
    NOT_ASKED = "not_asked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A delivery, and whose turn it is."""

    delivery: Delivery
    turn: Turn
    #: Set once somebody decided on the current preparation.
    approval: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from the question, unchecked."""

    decision: Decision | None
    #: Who answered. None: nobody did, a timeout's default spoke.
    answered_by: str | None
    #: Whatever the form sent.
    comment: object = ""
    timed_out: bool = False


_TURN_OF = {
    DeliveryState.READY: Turn.ASK,
    DeliveryState.APPROVED: Turn.APPROVED,
    DeliveryState.SENDING: Turn.APPROVED,
    DeliveryState.PAUSED: Turn.APPROVED,
    DeliveryState.FINISHED: Turn.APPROVED,
    DeliveryState.REJECTED: Turn.REJECTED,
    DeliveryState.EXPIRED: Turn.EXPIRED,
    DeliveryState.STOPPED: Turn.STOPPED,
}


_TARGET_OF = {
    Decision.SEND: DeliveryState.APPROVED,
    Decision.REJECT: DeliveryState.REJECTED,
}


def review_of(
    store: Store, delivery_id: str, *, is_backfill: bool = False, send_in_backfill: bool = False
) -> Review:
    """
    Say whose turn it is.

    Args:
        is_backfill: The run fills the past.
        send_in_backfill: The run says that it may be sent all the same.

    Raises:
        NotApprovedError: There is no complete preparation to decide on.
    """
    delivery = find_delivery(store, delivery_id)
    turn = _TURN_OF.get(delivery.state)
    if turn is None:
        raise NotApprovedError(
            "there is nothing to review: prepare the delivery first",
            delivery=delivery_id,
            state=delivery.state.value,
        )
    if turn is Turn.ASK and is_backfill and not send_in_backfill:
        turn = Turn.NOT_ASKED
    return Review(delivery=delivery, turn=turn, approval=find_approval(store, delivery))


def take_answer(store: Store, delivery_id: str, *, fingerprint: str, answer: Answer) -> Review:
    """
    Turn an answer about *fingerprint* into a recorded decision, or into another question.

    An answer about other content, a comment that is no text or too long, and a choice that is
    none of ours decide nothing. One that nobody gave, or that came too late, lets the delivery
    expire. Where somebody else was faster, theirs holds.

    Returns:
        Where the delivery stands now; ``Turn.ASK`` means: ask again.

    Raises:
        NotApprovedError: There is no complete preparation to decide on.
    """
    review = review_of(store, delivery_id)
    if review.turn is not Turn.ASK or review.delivery.fingerprint != fingerprint:
        return review
    if answer.timed_out or not answer.answered_by:
        _expire(store, delivery_id, fingerprint=fingerprint)
    elif answer.decision is not None and _is_comment(answer.comment):
        with contextlib.suppress(NotApprovedError, IllegalMoveError):
            decide(
                store,
                delivery_id,
                fingerprint=fingerprint,
                decision=answer.decision,
                decided_by=answer.answered_by,
                comment=str(answer.comment or ""),
                via="airflow",
            )
    return review_of(store, delivery_id)


def _is_comment(given: object) -> bool:
    return given is None or (isinstance(given, str) and len(given) <= COMMENT_LIMIT)


def decide(
    store: Store,
    delivery_id: str,
    *,
    fingerprint: str,
    decision: Decision,
    decided_by: str,
    comment: str = "",
    via: str,
    valid_s: int | None = None,
) -> Approval:
    """
    Record a decision on the preparation that has *fingerprint*.

    The same decision a second time changes nothing and returns the first. Of two different ones
    the first holds.

    Args:
        decided_by: Who decides; not empty.
        comment: What they say about it; 500 characters are kept, without what no text can hold.
        valid_s: Seconds for which an approval may start the send. None: until prepared again.

    Raises:
        NotApprovedError: The content is not what was reviewed, or somebody decided otherwise, or
            nobody says who decides.
        IllegalMoveError: The delivery is not waiting for a decision.
    """
    if not decided_by.strip():
        raise NotApprovedError("a decision needs somebody who makes it", delivery=delivery_id)
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        known = read_approval(connection, delivery)
        if known is not None:
            return _same_or_raise(known, delivery, fingerprint, decision)
        if delivery.fingerprint != fingerprint:
            raise NotApprovedError(
                "this is not what the delivery holds now: review it again",
                delivery=delivery_id,
                state=delivery.state.value,
            )
        move_and_log(connection, delivery, _TARGET_OF[decision], actor=decided_by)
        return write_approval(
            connection,
            delivery,
            decision=decision,
            decided_by=decided_by,
            comment=_kept(comment),
            via=via,
            valid_s=valid_s,
        )


def check_approved(connection: Connection, delivery: Delivery) -> Approval:
    """
    Make sure that a person said Send to this very content, and that it still holds.

    Raises:
        NotApprovedError: Says what is missing; nothing may leave.
    """
    approval = read_approval(connection, delivery)
    if approval is None or approval.decision is not Decision.SEND:
        raise NotApprovedError(
            "nobody approved this delivery: nothing was sent",
            delivery=delivery.id,
            state=delivery.state.value,
        )
    if delivery.fingerprint is None or approval.fingerprint != delivery.fingerprint:
        raise NotApprovedError(
            "the approval is about other content: nothing was sent", delivery=delivery.id
        )
    if delivery.state is DeliveryState.EXPIRED:
        raise NotApprovedError(
            "nobody began to send this while it was approved: prepare it again",
            delivery=delivery.id,
        )
    if approval.expired and delivery.state is DeliveryState.APPROVED:
        raise NotApprovedError("the approval has run out: nothing was sent", delivery=delivery.id)
    return approval


def _same_or_raise(
    known: Approval, delivery: Delivery, fingerprint: str, decision: Decision
) -> Approval:
    if known.decision is decision and known.fingerprint == fingerprint:
        return known
    raise NotApprovedError(
        "somebody has decided already",
        delivery=delivery.id,
        decision=known.decision.value,
        decided_by=known.decided_by,
    )


def _kept(comment: str) -> str:
    """Cut a comment, and drop what PostgreSQL takes in no text: NUL, halves of surrogate pairs."""
    return comment.replace("\0", "").encode(errors="ignore").decode()[:COMMENT_LIMIT]


def _expire(store: Store, delivery_id: str, *, fingerprint: str) -> None:
    with store.transaction() as connection:
        current = read_delivery(connection, delivery_id, lock=True)
        if current.state is DeliveryState.READY and current.fingerprint == fingerprint:
            move_and_log(connection, current, DeliveryState.EXPIRED, actor="smsflow")
