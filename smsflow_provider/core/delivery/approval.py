"""
Who said Send, to what exactly, and whether that still holds.

An approval is a row about one preparation and its fingerprint. Nothing else starts a send: not
the state of an Airflow task, not a timeout, not an answer to a question about other content.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum

from smsflow_provider.core.delivery.four_eyes import Person, check_person
from smsflow_provider.core.errors import IllegalMoveError, NotAllowedError, NotApprovedError
from smsflow_provider.core.log_event import LogEvent
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
    write_log,
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
    #: What Airflow calls that person; empty: it did not say.
    name: str = ""
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
        _take_decision(store, delivery_id, fingerprint, answer)
    return review_of(store, delivery_id)


def _take_decision(store: Store, delivery_id: str, fingerprint: str, answer: Answer) -> None:
    assert answer.decision is not None
    person = Person(id=answer.answered_by or "", name=answer.name)
    with contextlib.suppress(NotApprovedError, IllegalMoveError):
        try:
            decide(
                store,
                delivery_id,
                fingerprint=fingerprint,
                decision=answer.decision,
                decided_by=person.id,
                decided_by_name=person.name,
                comment=str(answer.comment or ""),
                via="airflow",
            )
        except NotAllowedError as error:
            # Airflow has told the person that the answer was taken: here stands why nothing came.
            _log_refusal(store, delivery_id, error, by=person.id)


def _log_refusal(store: Store, delivery_id: str, error: NotAllowedError, *, by: str) -> None:
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        write_log(
            connection,
            delivery,
            level="warning",
            event=LogEvent.ANSWER_REFUSED,
            problem="An answer to the review does not count: that person may not decide about it",
            facts={"by": by, "rule": error.facts["rule"]},
        )


def _is_comment(given: object) -> bool:
    return given is None or (isinstance(given, str) and len(given) <= COMMENT_LIMIT)


def decide(
    store: Store,
    delivery_id: str,
    *,
    fingerprint: str,
    decision: Decision,
    decided_by: str,
    decided_by_name: str = "",
    comment: str = "",
    via: str,
    valid_s: int | None = None,
) -> Approval:
    """
    Record a decision on the preparation that has *fingerprint*, as ``decide_once`` does.

    Returns:
        The decision: this one, or the same one that somebody made before.
    """
    person = Person(id=decided_by, name=decided_by_name)
    made = decide_once(
        store,
        delivery_id,
        fingerprint=fingerprint,
        decision=decision,
        person=person,
        comment=comment,
        via=via,
        valid_s=valid_s,
    )
    return made.approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision, and whether it was made just now."""

    approval: Approval
    is_new: bool


def decide_once(
    store: Store,
    delivery_id: str,
    *,
    fingerprint: str,
    decision: Decision,
    person: Person,
    comment: str = "",
    via: str,
    valid_s: int | None = None,
) -> Decided:
    """
    Record a decision on the preparation that has *fingerprint*.

    The same decision a second time changes nothing and gives the first. Of two different ones
    the first holds.

    Args:
        person: Who decides; the id is not empty.
        comment: What they say about it; 500 characters are kept, without what no text can hold.
        valid_s: Seconds for which an approval may start the send. None: until prepared again.

    Raises:
        NotApprovedError: The content is not what was reviewed, or somebody decided otherwise, or
            nobody says who decides.
        NotAllowedError: The person may not make it; see ``four_eyes``.
        IllegalMoveError: The delivery is not waiting for a decision.
    """
    if not person.id.strip():
        raise NotApprovedError("a decision needs somebody who makes it", delivery=delivery_id)
    with store.transaction() as connection:
        delivery = read_delivery(connection, delivery_id, lock=True)
        known = read_approval(connection, delivery)
        if known is not None:
            same = _same_or_raise(known, delivery, fingerprint, decision)
            return Decided(approval=same, is_new=False)
        if delivery.fingerprint != fingerprint:
            raise NotApprovedError(
                "this is not what the delivery holds now: review it again",
                delivery=delivery_id,
                state=delivery.state.value,
            )
        check_person(delivery, person, decision)
        move_and_log(connection, delivery, _TARGET_OF[decision], actor=person.id)
        approval = write_approval(
            connection,
            delivery,
            decision=decision,
            decided_by=person.id,
            decided_by_name=_kept(person.name),
            comment=_kept(comment),
            via=via,
            valid_s=valid_s,
        )
        return Decided(approval=approval, is_new=True)


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
